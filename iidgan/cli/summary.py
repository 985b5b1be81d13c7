"""Rows as a table on the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from iidgan.records import Row
from iidgan.report.stats import mean, std


def summary(rows: Iterable[Row], *, title: str) -> None:
    """Prints mean and standard deviation over seeds of each metric at the last step."""
    found = list(rows)
    if not found:
        return
    last = max(row.step for row in found)
    table = Table(title=title, title_justify="left")
    for heading in ("metric", "mean ± std", "seeds", "diverged"):
        table.add_column(heading, justify="left" if heading == "metric" else "right")
    for metric in dict.fromkeys(row.metric for row in found):
        here = [row for row in found if row.metric == metric and row.step == last]
        values = [row.value for row in here if row.diverged < 0 and row.value == row.value]
        table.add_row(metric, _text(values), str(len(values)), str(_diverged(here) or ""))
    Console().print(table)


def _diverged(rows: list[Row]) -> int:
    return sum(row.diverged >= 0 for row in rows)


def _text(values: list[float]) -> str:
    if not values:
        return "-"
    spread = std(values)
    return f"{mean(values):.4g}" + ("" if spread is None else f" ± {spread:.2g}")
