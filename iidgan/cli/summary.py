"""Metric records as a table on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import JustifyMethod
from rich.table import Table

from iidgan.cli.console import create_console, is_ascii
from iidgan.metrics import FRESH_SUFFIX
from iidgan.records import MetricRecord, select_last_step
from iidgan.report.stats import mean, std

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
    all_records = select_last_step(records)
    if not all_records:
        return
    console = create_console()
    sign = "+-" if is_ascii(console) else "±"
    metrics = list(dict.fromkeys(record.metric for record in all_records))
    has_fresh = any(metric.endswith(FRESH_SUFFIX) for metric in metrics)
    table = Table(title=title, title_justify="left")
    fresh_heading = ["fresh data"] if has_fresh else []
    for heading in ("metric", f"mean {sign} std", *fresh_heading, "seeds", "diverged"):
        justify: JustifyMethod = "left" if heading == "metric" else "right"
        table.add_column(heading, justify=justify, overflow="fold")
    for metric in metrics:
        if not metric.endswith(FRESH_SUFFIX):
            mean_std, *counts = _summarize_metric(all_records, metric, sign)
            fresh_value = [_find_fresh_value(all_records, metric)] if has_fresh else []
            table.add_row(metric, mean_std, *fresh_value, *counts)
    console.print(table)


def _find_fresh_value(records: Sequence[MetricRecord], metric: str) -> str:
    """Return the value of fresh data, which is equal for all seeds, if there is one."""
    name = f"{metric}{FRESH_SUFFIX}"
    return next((f"{record.value:.4g}" for record in records if record.metric == name), "")


def _summarize_metric(
    records: Sequence[MetricRecord], metric: str, sign: str
) -> tuple[str, str, str]:
    """Return the statistics, the number of finite values and the number of diverged seeds."""
    at_end = [record for record in records if record.metric == metric]
    diverged_count = sum(record.diverged >= 0 for record in at_end)
    finite_values = [
        record.value
        for record in at_end
        if record.diverged < 0 and record.value == record.value  # not NaN
    ]
    return _format_mean(finite_values, sign), str(len(finite_values)), str(diverged_count or "")


def _format_mean(values: list[float], sign: str) -> str:
    if not values:
        return "-"
    standard_deviation = std(values)
    return f"{mean(values):.4g}" + (
        "" if standard_deviation is None else f" {sign} {standard_deviation:.2g}"
    )
