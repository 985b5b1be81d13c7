"""Cells of mean ± std with the published value beside them, as text in any format."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from rich.table import Table as RichTable
from rich.text import Text

from iidgan.errors import InputError, unknown
from iidgan.report import stats

Status = Literal["done", "failed", "diverged", "missing"]
Reading = Callable[[float, float | None, int], str]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of a table, and how much of it there is.

    Arguments:
        row: Name of the row.
        column: Name of the column.
        status: `done`; `failed` or `diverged` where that befell a seed; `missing` before any.
        mean: Mean over the seeds that gave a value, or None where none did.
        std: Sample standard deviation over them, or None for fewer than two.
        n: Seeds that gave a value.
        failed: Seeds that gave none, so that `n + failed` were trained.
        values: The values themselves, one per seed.
        published: Mean and standard deviation (or None) that a paper prints.
        decimals: Digits after the point of `mean` and `std`.
    """

    row: str
    column: str
    status: Status = "missing"
    mean: float | None = None
    std: float | None = None
    n: int = 0
    failed: int = 0
    values: tuple[float, ...] = ()
    published: tuple[float, float | None] | None = None
    decimals: int = 2


def measured(
    row: str,
    column: str,
    values: Sequence[float],
    *,
    failed: int = 0,
    how: Literal["failed", "diverged"] = "failed",
    published: tuple[float, float | None] | None = None,
    decimals: int = 2,
) -> Cell:
    """Makes a cell of one value per seed; those that are not finite count as failed seeds.

    Arguments:
        row: Name of the row.
        column: Name of the column.
        values: One value per seed. If there is neither value nor failure, the cell is missing.
        failed: Seeds that gave no value at all.
        how: What befell the failed seeds.
        published: As in `Cell`.
        decimals: As in `Cell`.
    """
    finite = tuple(float(value) for value in values if math.isfinite(value))
    failed += len(values) - len(finite)
    return Cell(
        row=row,
        column=column,
        status=how if failed else "done" if finite else "missing",
        mean=stats.mean(finite) if finite else None,
        std=stats.std(finite) if finite else None,
        n=len(finite),
        failed=failed,
        values=finite,
        published=published,
        decimals=decimals,
    )


@dataclass(frozen=True, kw_only=True)
class Table:
    """Cells under a title; rows and columns stand in the order of their first appearance.

    Arguments:
        title: What the numbers are.
        cells: In any order; a place without a cell reads `missing`.
        notes: Lines below the table.

    Raises:
        InputError: Two cells share a place.
    """

    title: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        seen: set[tuple[str, str]] = set()
        for cell in self.cells:
            if (cell.row, cell.column) in seen:
                raise InputError(f"cells: ({cell.row!r}, {cell.column!r}) is given twice")
            seen.add((cell.row, cell.column))

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.column for cell in self.cells))

    @property
    def grid(self) -> tuple[tuple[Cell, ...], ...]:
        """Rows of cells, complete: a place that has none gets a missing one."""
        places = {(cell.row, cell.column): cell for cell in self.cells}
        return tuple(
            tuple(places.get((row, col), Cell(row=row, column=col)) for col in self.columns)
            for row in dict.fromkeys(cell.row for cell in self.cells)
        )


def render(table: Table, format: str) -> str:
    """Renders `table` as text that ends in a newline.

    `md` is a GitHub table; `tex` a `table` environment that needs the package booktabs; `csv`
    one line per cell, numbers in full and `NA` where there is none; `json` a list of cells
    with every field, numbers that are not finite as null.

    Arguments:
        table: What to render.
        format: One of `md`, `tex`, `csv`, `json`.

    Raises:
        InputError: The format is unknown.
    """
    if format not in _FORMATS:
        raise unknown("format", format, _FORMATS)
    return _FORMATS[format](table)


def to_rich(table: Table) -> RichTable:
    """Lays `table` out for the terminal: missing cells dim, failures in red."""
    styles = {"done": "", "missing": "dim", "failed": "red", "diverged": "red"}
    caption = Text("\n".join(table.notes)) if table.notes else None
    result = RichTable(title=Text(table.title), caption=caption)
    for name in ("", *table.columns):
        result.add_column(Text(name))
    for line in table.grid:
        cells = (Text(_sentence(cell, _plain), style=styles[cell.status]) for cell in line)
        result.add_row(Text(line[0].row), *cells)
    return result


def _sentence(cell: Cell, reading: Reading) -> str:
    """What the cell says, e.g. `8.0 ± 0.0 (1 of 5 diverged) (paper 3.6 ± 0.5)`."""
    parts = []
    if cell.mean is not None:
        parts.append(reading(cell.mean, cell.std, cell.decimals))
    if cell.failed:
        how = "diverged" if cell.status == "diverged" else "failed"
        count = f"{cell.failed} of {cell.n + cell.failed} {how}"
        parts.append(f"({count})" if parts else count)
    if cell.published is not None:
        parts.append(f"(paper {reading(*cell.published, cell.decimals)})")
    if cell.mean is None and not cell.failed:
        parts.insert(0, cell.status)
    return " ".join(parts)


def _plain(mean: float, std: float | None, decimals: int) -> str:
    spread = "" if std is None or math.isnan(std) else f" ± {std:.{decimals}f}"
    return f"{mean:z.{decimals}f}{spread}"


def _math(mean: float, std: float | None, decimals: int) -> str:
    return "$" + _plain(mean, std, decimals).replace("±", r"\pm") + "$"


def _markdown(table: Table) -> str:
    def line(texts: Sequence[str]) -> str:
        return "| " + " | ".join(texts) + " |"

    names = [_escape_markdown(name) for name in table.columns]
    lines = [f"**{_escape_markdown(table.title)}**", ""]
    lines += [line(["", *names]), line(["---"] * (len(names) + 1))]
    for cells in table.grid:
        texts = [_sentence(cell, _plain) for cell in cells]
        lines.append(line([_escape_markdown(cells[0].row), *texts]))
    for note in table.notes:
        lines += ["", _escape_markdown(note)]
    return "\n".join(lines) + "\n"


def _latex(table: Table) -> str:
    def line(texts: Sequence[str]) -> str:
        return " & ".join(texts) + r" \\"

    body = [
        line([_escape_latex(cells[0].row), *(_sentence(cell, _math) for cell in cells)])
        for cells in table.grid
    ]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escape_latex(table.title)}}}",
            rf"\begin{{tabular}}{{l{'c' * len(table.columns)}}}",
            r"\toprule",
            line(["", *map(_escape_latex, table.columns)]),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            *(rf"\par {_escape_latex(note)}" for note in table.notes),
            r"\end{table}",
            "",
        ]
    )


def _csv(table: Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [field.name for field in fields(Cell) if field.name not in ("published", "decimals")]
    writer.writerow(["text", *names, "published_mean", "published_std"])
    for cell in (cell for line in table.grid for cell in line):
        record = asdict(cell) | {"values": " ".join(map(str, cell.values)) or None}
        numbers = [*(record[name] for name in names), *(cell.published or (None, None))]
        known = ["NA" if number is None else number for number in numbers]
        writer.writerow([_sentence(cell, _plain), *known])
    return out.getvalue()


def _json(table: Table) -> str:
    cells = [_finite(asdict(cell)) for line in table.grid for cell in line]
    return json.dumps(cells, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _escape_markdown(text: str) -> str:
    return re.sub(r"[\\|*_`\[\]<]|&(?=#?\w+;)", r"\\\g<0>", " ".join(text.split()))


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
} | {mark: "\\" + mark for mark in "&%$#_{}"}


def _escape_latex(text: str) -> str:
    return "".join(_LATEX.get(mark, mark) for mark in " ".join(text.split()))


_FORMATS: dict[str, Callable[[Table], str]] = {
    "md": _markdown,
    "tex": _latex,
    "csv": _csv,
    "json": _json,
}
