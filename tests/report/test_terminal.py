"""Tables in the terminal."""

import io
import math

import pytest
from rich.console import Console

from iidgan.report import (
    Table,
    format_mean_std_ascii,
    make_cell,
    to_rich,
)


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


def test_to_rich_shows_cells_without_markup():
    table = Table(title="[bold]T[/]", cells=make_table().cells)
    console = Console(file=io.StringIO(), width=200)
    console.print(to_rich(table, 200))
    text = console.file.getvalue()
    assert "[bold]T[/]" in text
    assert "8.0 ± 0.0 (1 of 5 diverged) (paper 8.0 ± 0.0)" in text
    assert text.count("missing") == 2


@pytest.mark.parametrize("width", [32, 47, 80, 120, 400])
def test_to_rich_never_breaks_numbers(width):
    """And no mean from its deviation; lines are no longer than the terminal is wide."""
    values = [[12345.678, 12400.123], [0.5, 0.75]]
    cells = [
        make_cell(row, f"column {i}", values[i % 2], decimals=3, published=(98.75, 0.49))
        for row in ("A method", "Another one")
        for i in range(7)
    ]
    console = Console(file=io.StringIO(), width=width)
    console.print(to_rich(Table(title="T", cells=tuple(cells)), width))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert text.count("12372.900 ± 38.498") == 8
    assert text.count("0.625 ± 0.177") == 6
    assert text.count("98.75") == 14


def test_to_rich_in_ascii():
    console = Console(file=io.StringIO(), width=200)
    console.print(to_rich(make_table(), 200, format_mean_std_ascii))
    assert "8.0 +- 0.0 (1 of 5 diverged) (paper 8.0 +- 0.0)" in console.file.getvalue()
