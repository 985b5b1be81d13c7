"""Tables as text: Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from typing import Any, get_args

from iidgan.errors import unknown_name_error
from iidgan.report.table import Cell, SeedStatus, Table

NumberFormat = Callable[[float, float | None, int | None], str]
"""Formats a mean and a standard deviation (or None) with some decimals (None: all)."""


def render_table(table: Table, format: str) -> str:
    """Render a table as text that ends in a newline.

    `md` is a GitHub table; `tex` is a `table` environment that needs the package booktabs; `csv`
    has one line per cell, with all digits, and `NA` for absent values; `json` is a list of cells
    with all fields, where numbers that are not finite are null.

    Arguments:
        table: The table.
        format: One of `md`, `tex`, `csv`, `json`.

    Raises:
        InputError: The format is unknown.

    Examples:
        >>> from iidgan.report import make_cell
        >>> cells = (
        ...     make_cell("GAN", "modes", [3, 4], decimals=1, published=(3.6, 0.5)),
        ...     make_cell("IID-GAN", "modes", [8, 8], decimals=1, published=(8.0, 0.0)),
        ... )
        >>> print(render_table(Table(title="Ring", cells=cells), "md"), end="")
        **Ring**
        <BLANKLINE>
        |  | modes |
        | --- | --- |
        | GAN | 3.5 ± 0.7 (paper 3.6 ± 0.5) |
        | IID-GAN | 8.0 ± 0.0 (paper 8.0 ± 0.0) |
    """
    if format not in _RENDERERS:
        raise unknown_name_error("format", format, _RENDERERS)
    return _RENDERERS[format](table)


def format_cell(cell: Cell, format_numbers: NumberFormat) -> str:
    """Format a cell: its numbers, the seeds without a value, and the published numbers.

    Arguments:
        cell: The cell.
        format_numbers: Formats its mean and standard deviation.

    Examples:
        >>> from iidgan.report import make_cell
        >>> cell = make_cell(
        ...     "IID-GAN", "modes", [8, 8], statuses=[(2, "diverged")], published=(3.6, 0.5)
        ... )
        >>> format_cell(cell, format_mean_std)
        '8.00 ± 0.00 (1 of 3 diverged) (paper 3.6 ± 0.5)'
    """
    parts = []
    if cell.mean is not None:
        parts.append(format_numbers(cell.mean, cell.std, cell.decimals))
    if cell.interval is not None:
        low, high = (f"{limit:z.{cell.decimals}f}" for limit in cell.interval)
        parts.append(f"[{low}, {high}]")
    parts += _format_statuses(cell, has_numbers=bool(parts))
    if cell.published is not None:
        parts.append(f"(paper {format_numbers(*cell.published, None)})")
    return " ".join(parts)


def _format_statuses(cell: Cell, *, has_numbers: bool) -> list[str]:
    """Format how many seeds have no value, and why; only `missing` if none is trained."""
    if not has_numbers and not cell.failed:
        return ["missing"]
    num_seeds = cell.n + cell.failed + cell.missing
    status_counts = {status: cell.count_seeds(status) for status in get_args(SeedStatus)}
    texts = [
        f"{count} of {num_seeds} {status}" for status, count in status_counts.items() if count
    ]
    if has_numbers:
        return [f"({text})" for text in texts]
    return [*texts[:1], *(f"({text})" for text in texts[1:])]


def format_mean_std(mean: float, std: float | None, decimals: int | None) -> str:
    """Format a mean and a standard deviation.

    Arguments:
        mean: The mean.
        std: The standard deviation; with None or NaN, the mean stands alone.
        decimals: Decimal places; None for all digits.

    Examples:
        >>> format_mean_std(7.8, 0.447, decimals=1)
        '7.8 ± 0.4'
        >>> format_mean_std(7.8, None, decimals=1)
        '7.8'
    """
    numbers = [mean] if std is None or math.isnan(std) else [mean, std]
    texts = (
        str(float(number)) if decimals is None else f"{number:z.{decimals}f}" for number in numbers
    )
    return " ± ".join(texts)


def format_mean_std_ascii(mean: float, std: float | None, decimals: int | None) -> str:
    """Format a mean and a standard deviation for terminals without the sign between them.

    Arguments:
        mean: The mean.
        std: The standard deviation; with None or NaN, the mean stands alone.
        decimals: Decimal places; None for all digits.

    Examples:
        >>> format_mean_std_ascii(7.8, 0.447, decimals=1)
        '7.8 +- 0.4'
    """
    return format_mean_std(mean, std, decimals).replace("±", "+-")


def _format_math(mean: float, std: float | None, decimals: int | None) -> str:
    return "$" + format_mean_std(mean, std, decimals).replace("±", r"\pm") + "$"


def _render_markdown(table: Table) -> str:
    def format_line(texts: Sequence[str]) -> str:
        return "| " + " | ".join(texts) + " |"

    lines = [f"**{_escape_markdown(table.title)}**"]
    for block, rows in table.blocks.items():
        names = [_escape_markdown(cell.column) for cell in rows[0]]
        lines += ["", _escape_markdown(block)] if block else []
        lines += ["", format_line(["", *names]), format_line(["---"] * (len(names) + 1))]
        for cells in rows:
            texts = [format_cell(cell, format_mean_std) for cell in cells]
            lines.append(format_line([_escape_markdown(cells[0].row), *texts]))
    for note in table.notes:
        lines += ["", _escape_markdown(note)]
    return "\n".join(lines) + "\n"


def _render_latex(table: Table) -> str:
    def format_line(texts: Sequence[str]) -> str:
        return " & ".join(texts) + r" \\"

    body_lines: list[str] = []
    for block, rows in table.blocks.items():
        title = rf"\multicolumn{{{len(table.columns) + 1}}}{{l}}{{{_escape_latex(block)}}} \\"
        body_lines += [r"\midrule"] if body_lines else []
        body_lines += [title] if block else []
        for cells in rows:
            texts = {cell.column: format_cell(cell, _format_math) for cell in cells}
            values = [texts.get(column, "") for column in table.columns]
            body_lines.append(format_line([_escape_latex(cells[0].row), *values]))
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escape_latex(table.title)}}}",
            rf"\begin{{tabular}}{{l{'c' * len(table.columns)}}}",
            r"\toprule",
            format_line(["", *map(_escape_latex, table.columns)]),
            r"\midrule",
            *body_lines,
            r"\bottomrule",
            r"\end{tabular}",
            *(rf"\par {_escape_latex(note)}" for note in table.notes),
            r"\end{table}",
            "",
        ]
    )


def _render_csv(table: Table) -> str:
    text_buffer = io.StringIO()
    csv_writer = csv.writer(text_buffer, lineterminator="\n")
    omitted_fields = ("published", "decimals", "interval")
    names = [field.name for field in fields(Cell) if field.name not in omitted_fields]
    csv_writer.writerow(["text", *names, "published_mean", "published_std", "low", "high"])
    for cell in (cell for row_cells in table.grid for cell in row_cells):
        values = asdict(cell) | {
            "values": " ".join(map(str, cell.values)),
            "seeds": " ".join(map(str, cell.seeds)),
            "statuses": " ".join(f"{seed}:{status}" for seed, status in cell.statuses),
        }
        columns = [
            *(values[name] for name in names),
            *(cell.published or (None, None)),
            *(cell.interval or (None, None)),
        ]
        texts = ["NA" if value is None else value for value in columns]
        csv_writer.writerow([format_cell(cell, format_mean_std), *texts])
    return text_buffer.getvalue()


def _render_json(table: Table) -> str:
    cells = [_replace_nonfinite(asdict(cell)) for row_cells in table.grid for cell in row_cells]
    return json.dumps(cells, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _replace_nonfinite(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _replace_nonfinite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replace_nonfinite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _escape_markdown(text: str) -> str:
    return re.sub(r"[\\|*_`\[\]<]|&(?=#?\w+;)", r"\\\g<0>", " ".join(text.split()))


_LATEX_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
} | {character: "\\" + character for character in "&%$#_{}"}


def _escape_latex(text: str) -> str:
    return "".join(
        _LATEX_ESCAPES.get(character, character) for character in " ".join(text.split())
    )


_RENDERERS: dict[str, Callable[[Table], str]] = {
    "md": _render_markdown,
    "tex": _render_latex,
    "csv": _render_csv,
    "json": _render_json,
}
