"""Cells and tables."""

import math

import pytest

from iidgan.report import (
    Table,
    difference_cell,
    make_cell,
    render_table,
)
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize(
    ("values", "statuses", "status", "text"),
    [
        ([], "", "missing", "missing"),
        ([1.0], "", "done", "1.00"),
        ([1.0, math.nan], "", "undefined", "1.00 (1 of 2 undefined)"),
        ([1.0, math.inf], "xx", "diverged", "1.00 (2 of 4 diverged) (1 of 4 undefined)"),
        ([], "xxfff", "diverged", "2 of 5 diverged (3 of 5 failed)"),
        ([], "--", "missing", "missing"),
        ([1.0], "--f", "failed", "1.00 (1 of 4 failed) (2 of 4 missing)"),
        ([], "-f", "failed", "1 of 2 failed (1 of 2 missing)"),
    ],
)
def test_make_cell_statuses(values, statuses, status, text):
    kinds = {"x": "diverged", "f": "failed", "-": "missing"}
    lost = [(seed, kinds[mark]) for seed, mark in enumerate(statuses, start=len(values))]
    cell = make_cell("a", "b", values, statuses=lost)
    finite = [value for value in values if math.isfinite(value)]
    assert (cell.status, cell.n, len(cell.values)) == (status, len(finite), len(finite))
    assert cell.n + cell.failed + cell.missing == len(values) + len(statuses)
    assert (cell.mean is None) == (not finite)
    assert f"| a | {text} |" in render_table(Table(title="t", cells=(cell,)), "md")


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("f1111", "1f111", "0.00 ± 0.00 [0.00, 0.00] (2 of 5 failed)"),
        ("fff11", "-----", "missing"),
        ("111--", "--111", "0.00 (4 of 5 missing)"),
        ("x1", "f1", "0.00 (1 of 2 diverged)"),
    ],
)
def test_difference_cell_drops_lost_seeds(before, after, text):
    kinds = {"x": "diverged", "f": "failed", "-": "missing"}
    cells = [
        make_cell(
            name,
            "b",
            [1.0] * marks.count("1"),
            seeds=[seed for seed, mark in enumerate(marks) if mark == "1"],
            statuses=[(seed, kinds[mark]) for seed, mark in enumerate(marks) if mark != "1"],
        )
        for name, marks in (("before", before), ("after", after))
    ]
    difference = difference_cell(cells[1], cells[0], "change")
    assert f"| change | {text} |" in render_table(Table(title="t", cells=(difference,)), "md")


def test_table_keeps_order_of_columns():
    cells = [make_cell("b", "y", [1]), make_cell("a", "x", [1]), make_cell("b", "x", [1])]
    table = Table(title="", cells=tuple(cells))
    assert table.columns == ("y", "x")
    assert [line[0].row for line in table.grid] == ["b", "a"]


def test_table_rejects_duplicate_cells():
    cell = make_cell("a", "b", [1.0])
    with raises_input_error("cells", "'a'", "'b'"):
        Table(title="", cells=(cell, cell))
