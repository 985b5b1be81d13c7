"""A table as text in any format."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from typing import Any, get_args

from iidgan.errors import unknown
from iidgan.report.table import Cell, Fate, Table

Reading = Callable[[float, float | None, int | None], str]


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


def sentence(cell: Cell, reading: Reading) -> str:
    """What the cell says, e.g. `8.0 ± 0.0 (1 of 5 diverged) (paper 3.6 ± 0.5)`."""
    parts = []
    if cell.mean is not None:
        parts.append(reading(cell.mean, cell.std, cell.decimals))
    if cell.interval is not None:
        parts.append("[{}, {}]".format(*(f"{end:z.{cell.decimals}f}" for end in cell.interval)))
    parts += _losses(cell, alone=not parts)
    if cell.published is not None:
        parts.append(f"(paper {reading(*cell.published, None)})")
    return " ".join(parts)


def _losses(cell: Cell, alone: bool) -> list[str]:
    """Says how many seeds gave no value, and why; nothing but `missing` if none is trained."""
    if alone and not cell.failed:
        return ["missing"]
    total = cell.n + cell.failed + cell.missing
    counts = ((fate, cell.count(fate)) for fate in get_args(Fate))
    told = [f"{count} of {total} {fate}" for fate, count in counts if count]
    return [text if alone and not i else f"({text})" for i, text in enumerate(told)]


def plain(mean: float, std: float | None, decimals: int | None) -> str:
    """Writes mean and deviation with so many decimals; None: as they are."""
    known = [mean] if std is None or math.isnan(std) else [mean, std]
    texts = (
        str(float(value)) if decimals is None else f"{value:z.{decimals}f}" for value in known
    )
    return " ± ".join(texts)


def _math(mean: float, std: float | None, decimals: int | None) -> str:
    return "$" + plain(mean, std, decimals).replace("±", r"\pm") + "$"


def _markdown(table: Table) -> str:
    def line(texts: Sequence[str]) -> str:
        return "| " + " | ".join(texts) + " |"

    names = [_escape_markdown(name) for name in table.columns]
    lines = [f"**{_escape_markdown(table.title)}**"]
    for block, grid in table.blocks.items():
        lines += ["", _escape_markdown(block)] if block else []
        lines += ["", line(["", *names]), line(["---"] * (len(names) + 1))]
        for cells in grid:
            texts = [sentence(cell, plain) for cell in cells]
            lines.append(line([_escape_markdown(cells[0].row), *texts]))
    for note in table.notes:
        lines += ["", _escape_markdown(note)]
    return "\n".join(lines) + "\n"


def _latex(table: Table) -> str:
    def line(texts: Sequence[str]) -> str:
        return " & ".join(texts) + r" \\"

    body: list[str] = []
    for block, grid in table.blocks.items():
        title = rf"\multicolumn{{{len(table.columns) + 1}}}{{l}}{{{_escape_latex(block)}}} \\"
        body += [r"\midrule"] if body else []
        body += [title] if block else []
        for cells in grid:
            texts = (sentence(cell, _math) for cell in cells)
            body.append(line([_escape_latex(cells[0].row), *texts]))
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
    apart = ("published", "decimals", "interval")
    names = [field.name for field in fields(Cell) if field.name not in apart]
    writer.writerow(["text", *names, "published_mean", "published_std", "low", "high"])
    for cell in (cell for line in table.grid for cell in line):
        listed = {key: " ".join(map(str, getattr(cell, key))) for key in ("values", "seeds")}
        fates = " ".join(f"{seed}:{fate}" for seed, fate in cell.fates)
        record = asdict(cell) | listed | {"fates": fates}
        pairs = (*(cell.published or (None, None)), *(cell.interval or (None, None)))
        numbers = [*(record[name] for name in names), *pairs]
        known = ["NA" if number is None else number for number in numbers]
        writer.writerow([sentence(cell, plain), *known])
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
