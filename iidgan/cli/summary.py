"""Metric records as a table on the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import JustifyMethod
from rich.table import Table

from iidgan.cli.console import create_console, is_ascii
from iidgan.records import MetricRecord
from iidgan.report.summary import summarize_metrics

NO_METRICS = (
    "no metric applies: the modes of the data are not known, and nothing else was measured; look "
    "at the samples with iidgan figure, or add a metric with --metric"
)
"""What is said of a run without metric records."""


def print_summary(records: Iterable[MetricRecord], *, title: str) -> None:
    """Print mean and standard deviation over seeds of each metric at each seed's last step.

    Values of fresh data are beside those that they are named after.

    Arguments:
        records: Metric records of one run; without any, nothing is printed.
        title: Title of the table.
    """
    console = create_console()
    sign = "+-" if is_ascii(console) else "±"
    summaries = summarize_metrics(records, sign=sign)
    if not summaries:
        return
    has_fresh = any(summary.fresh for summary in summaries)
    table = Table(title=title, title_justify="left")
    fresh_heading = ["fresh data"] if has_fresh else []
    for heading in ("metric", f"mean {sign} std", *fresh_heading, "seeds", "diverged"):
        justify: JustifyMethod = "left" if heading == "metric" else "right"
        table.add_column(heading, justify=justify, overflow="fold")
    for summary in summaries:
        fresh_value = [summary.fresh] if has_fresh else []
        counts = str(summary.num_seeds), str(summary.num_diverged or "")
        table.add_row(summary.metric, summary.text, *fresh_value, *counts)
    console.print(table)
