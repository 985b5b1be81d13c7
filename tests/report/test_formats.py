"""Tables in Markdown, LaTeX, CSV and JSON."""

import csv
import io
import json
import math
from dataclasses import asdict, replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iidgan.report import (
    Cell,
    SeedStatus,
    Table,
    make_cell,
    render_table,
)
from tests.helpers.errors import raises_input_error


def make_table() -> Table:
    return Table(
        title="Ring & Grid",
        cells=(
            make_cell("GAN", "modes", [3, 4, 4, 3, 4], published=(3.6, 0.5), decimals=1),
            make_cell(
                "IID|G_x",
                "modes",
                [8] * 4,
                statuses=[(4, "diverged")],
                published=(8, 0),
                decimals=1,
            ),
            make_cell("GAN", "RKL < 1", [0.25]),
            make_cell("VEEGAN", "modes", [math.nan, math.inf], published=(5.4, None)),
        ),
        notes=("5 seeds, 24K steps",),
    )


SEED = st.integers(0, 9)


def test_render_table_markdown():
    assert render_table(make_table(), "md").splitlines() == [
        "**Ring & Grid**",
        "",
        "|  | modes | RKL \\< 1 |",
        "| --- | --- | --- |",
        "| GAN | 3.6 ± 0.5 (paper 3.6 ± 0.5) | 0.25 |",
        "| IID\\|G\\_x | 8.0 ± 0.0 (1 of 5 diverged) (paper 8.0 ± 0.0) | missing |",
        "| VEEGAN | 2 of 2 undefined (paper 5.4) | missing |",
        "",
        "5 seeds, 24K steps",
    ]


def test_render_table_latex():
    assert render_table(make_table(), "tex").splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{Ring \& Grid}",
        r"\begin{tabular}{lcc}",
        r"\toprule",
        r" & modes & RKL \textless{} 1 \\",
        r"\midrule",
        r"GAN & $3.6 \pm 0.5$ (paper $3.6 \pm 0.5$) & $0.25$ \\",
        r"IID\textbar{}G\_x & $8.0 \pm 0.0$ (1 of 5 diverged) (paper $8.0 \pm 0.0$) & missing \\",
        r"VEEGAN & 2 of 2 undefined (paper $5.4$) & missing \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par 5 seeds, 24K steps",
        r"\end{table}",
    ]


def test_render_table_csv():
    lines = list(csv.DictReader(io.StringIO(render_table(make_table(), "csv"))))
    assert [(line["row"], line["column"]) for line in lines[:2]] == [
        ("GAN", "modes"),
        ("GAN", "RKL < 1"),
    ]
    assert len(lines) == 6
    assert float(lines[0]["std"]) == pytest.approx(np.std([3, 4, 4, 3, 4], ddof=1))
    assert lines[0]["published_mean"] == "3.6"
    assert lines[3]["text"] == lines[3]["status"] == "missing"
    assert lines[3]["mean"] == "NA"
    assert {name for line in lines for name, value in line.items() if not value} <= {
        *("block", "values", "seeds", "statuses")
    }


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.builds(
            Cell,
            row=st.text(max_size=3),
            column=st.text(max_size=3),
            status=st.sampled_from(["done", *get_args(SeedStatus)]),
            mean=st.none() | st.floats(allow_nan=False, allow_infinity=False),
            std=st.none() | st.floats(0, 9),
            n=st.integers(0, 9),
            failed=st.integers(0, 9),
            values=st.lists(st.floats(-9, 9)).map(tuple),
            statuses=st.lists(st.tuples(SEED, st.sampled_from(get_args(SeedStatus)))).map(tuple),
            published=st.none() | st.tuples(st.floats(-9, 9), st.none() | st.floats(0, 9)),
            decimals=st.integers(0, 4),
        ),
        min_size=1,
        unique_by=lambda cell: (cell.row, cell.column),
    )
)
def test_render_table_json_keeps_cells(cells):
    table = Table(title="", cells=tuple(cells))
    read = [
        replace(
            Cell(**entry),
            values=tuple(entry["values"]),
            seeds=tuple(entry["seeds"]),
            statuses=tuple(map(tuple, entry["statuses"])),
            published=entry["published"] and tuple(entry["published"]),
        )
        for entry in json.loads(render_table(table, "json"))
    ]
    assert read == [cell for line in table.grid for cell in line]
    assert set(read) >= set(cells)
    assert len(read) == len({c.row for c in cells}) * len({c.column for c in cells})
    assert set(read) - set(cells) == {
        Cell(row=cell.row, column=cell.column) for cell in set(read) - set(cells)
    }


def test_render_table_json_without_nan():
    cell = replace(make_cell("a", "b", [1.0]), mean=math.nan)
    assert json.loads(render_table(Table(title="", cells=(cell,)), "json"))[0] == {
        **asdict(cell),
        "mean": None,
        "values": [1.0],
        "seeds": [0],
        "statuses": [],
    }


def test_render_table_no_negative_zero():
    assert "| 0.00 |" in render_table(
        Table(title="t", cells=(make_cell("a", "b", [-1e-9]),)), "md"
    )


def test_render_table_without_nan_std():
    cell = Cell(row="a", column="b", status="done", mean=1.0, std=math.nan, n=1)
    assert "| 1.00 |" in render_table(Table(title="t", cells=(cell,)), "md")


def test_render_table_unknown_format():
    with raises_input_error("format", "'jsn'", "'json'"):
        render_table(make_table(), "jsn")
