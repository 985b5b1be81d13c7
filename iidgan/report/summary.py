"""Metrics of one run in a few words: mean and standard deviation over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from iidgan.records import FRESH_SUFFIX, MetricRecord, select_last_step
from iidgan.report.stats import mean, std, t_interval


@dataclass(frozen=True)
class MetricSummary:
    """One metric over the seeds of a run.

    Arguments:
        metric: Its name.
        text: Mean and standard deviation, `-` without values.
        values: The values of the seeds that have one and have not diverged.
        num_diverged: Number of seeds that have.
        fresh: Value of fresh samples of the data's own distribution; empty if it is not known.
    """

    metric: str
    text: str
    values: tuple[float, ...]
    num_diverged: int
    fresh: str = ""

    @property
    def num_seeds(self) -> int:
        """Number of seeds with a value that have not diverged."""
        return len(self.values)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Student's 95 % interval of the mean; None for fewer than two seeds."""
        return t_interval(self.values) if len(self.values) > 1 else None


def summarize_metrics(records: Iterable[MetricRecord], *, sign: str = "±") -> list[MetricSummary]:
    """Summarise the metrics of a run at each seed's last step.

    Arguments:
        records: Metric records of one run.
        sign: What stands between mean and standard deviation.

    Returns:
        A summary of each metric, in the order of the records, beside its value for fresh samples.
    """
    at_end = select_last_step(records)
    by_metric: dict[str, list[MetricRecord]] = {}
    for record in at_end:
        by_metric.setdefault(record.metric, []).append(record)
    return [
        replace(_summarize(metric, records, sign), fresh=_find_fresh_value(by_metric, metric))
        for metric, records in by_metric.items()
        if not metric.endswith(FRESH_SUFFIX)
    ]


def _find_fresh_value(by_metric: Mapping[str, Sequence[MetricRecord]], metric: str) -> str:
    """Return the value of fresh samples, which is equal for all seeds."""
    return next(
        (f"{record.value:.4g}" for record in by_metric.get(f"{metric}{FRESH_SUFFIX}", ())), ""
    )


def _summarize(metric: str, records: Sequence[MetricRecord], sign: str) -> MetricSummary:
    finite_values = [
        record.value
        for record in records
        if record.diverged < 0 and record.value == record.value  # not NaN
    ]
    num_diverged = sum(record.diverged >= 0 for record in records)
    return MetricSummary(
        metric, _format_mean(finite_values, sign), tuple(finite_values), num_diverged
    )


def _format_mean(values: list[float], sign: str) -> str:
    if not values:
        return "-"
    standard_deviation = std(values)
    return f"{mean(values):.4g}" + (
        "" if standard_deviation is None else f" {sign} {standard_deviation:.2g}"
    )
