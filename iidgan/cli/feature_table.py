"""Scores of features as a table or as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table

from iidgan.cli.console import create_console, is_ascii
from iidgan.core.metric import MetricProtocol
from iidgan.records import MetricRecord, as_json_number
from iidgan.report.stats import mean, std
from iidgan.sample_sets.feature_set import POINTS


def print_json(records: Iterable[MetricRecord], *, with_seeds: bool) -> None:
    """Print records as one object of JSON, in which numbers that are not finite are null.

    Arguments:
        records: The records.
        with_seeds: Whether each has a seed, as those of a run.
    """
    print(json.dumps({"records": [_encode(record, with_seeds) for record in records]}))


def _encode(record: MetricRecord, with_seed: bool) -> dict[str, Any]:
    bounds = {"low": record.low, "high": record.high}
    encoded_bounds = {
        name: None if bound is None else as_json_number(bound) for name, bound in bounds.items()
    }
    return {
        "metric": record.metric,
        "value": as_json_number(record.value),
        **encoded_bounds,
        "protocol": dict(record.protocol),
        **({"seed": record.seed} if with_seed else {}),
    }


def print_table(title: str, shared: MetricProtocol, records: Sequence[MetricRecord]) -> None:
    """Print one row a value, with its interval, or the mean and the deviation over seeds.

    Arguments:
        title: Title of the table.
        shared: What the protocols of all records share, which is printed once.
        records: The records.
    """
    console = create_console(markup=False)  # names may have square brackets
    sign = "+-" if is_ascii(console) else "±"
    num_seeds = len({record.seed for record in records})
    table = Table(title=title, title_justify="left")
    spread_heading = "95 % interval" if num_seeds == 1 else f"std of {num_seeds} seeds"
    for heading in ("metric", "value" if num_seeds == 1 else "mean", spread_heading, "protocol"):
        is_text = heading in ("metric", "protocol")
        table.add_column(heading, justify="left" if is_text else "right", overflow="fold")
    for metric in dict.fromkeys(record.metric for record in records):
        of_metric = [record for record in records if record.metric == metric]
        value, spread = _format_values(of_metric, sign)
        options = _format_options(of_metric[0].protocol, shared, with_interval=num_seeds == 1)
        table.add_row(metric, value, spread, options)
    console.print(table)
    print(_describe_protocol(shared))


def _format_values(records: Sequence[MetricRecord], sign: str) -> tuple[str, str]:
    if len(records) == 1:
        (record,) = records
        has_interval = record.low is not None and record.high is not None
        spread = f"{record.low:.4g} to {record.high:.4g}" if has_interval else "-"
        return f"{record.value:.4g}", spread
    values = [record.value for record in records]
    deviation = std(values) if all(map(math.isfinite, values)) else None
    return f"{mean(values):.4g}", "-" if deviation is None else f"{sign} {deviation:.2g}"


def _format_options(
    protocol: MetricProtocol, shared: MetricProtocol, *, with_interval: bool
) -> str:
    """Format what is special about a metric: its options, and how its interval was computed."""
    hidden_names = {*shared, "level", "interval"}
    texts = [
        f"{name} {_format_value(value)}"
        for name, value in protocol.items()
        if name not in hidden_names
    ]
    if with_interval and "level" in protocol:
        texts.append(f"interval {protocol['interval']}")
    return ", ".join(texts)


def _format_value(value: str | int | float | bool) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _describe_protocol(shared: MetricProtocol) -> str:
    """Describe the features and the numbers of samples in one line."""
    samples = f"{shared['num_real']:,} real and {shared['num_generated']:,} generated samples"
    if shared["extractor"] == POINTS:
        return f"{samples}; points of {shared['num_features']} dimensions"
    return (
        f"{samples}; {shared['num_features']:,} features of {shared['extractor']} (weights "
        f"{str(shared['weights'])[:12]}, input {shared['input_size']}, resized by "
        f"{shared['resize_filter']}, {shared['resize_kernel']}, {shared['resize_arithmetic']}, "
        f"values {shared['value_range']})"
    )
