"""Metrics that one training measures in addition to the registered ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iidgan.config.registry import find, get_type_name
from iidgan.core import Metric
from iidgan.errors import InputError
from iidgan.metrics import METRICS


def resolve_metrics(
    metrics: Mapping[str, Metric] | Sequence[Metric | str] | None,
) -> dict[str, Metric] | None:
    """Combine additional metrics with the registered ones.

    Arguments:
        metrics: Metrics by the name of their family, or a list of metrics or of names. A name is
            a registered one or `module:Name`. A metric of a registered family replaces it.

    Returns:
        All metrics by the name of their family, or None if there are no additional ones.

    Raises:
        InputError: A name cannot be resolved, or something is not a metric.
    """
    if not metrics:
        return None
    all_metrics: dict[str, Metric] = {name: make() for name, make in METRICS.items()}
    extra_metrics = metrics if isinstance(metrics, Mapping) else dict(map(_name_metric, metrics))
    for name, metric in extra_metrics.items():
        if not isinstance(metric, Metric):
            raise InputError(f"metrics: {name} must be a Metric, got {metric!r}")
    return all_metrics | dict(extra_metrics)


def _name_metric(metric: Metric | str) -> tuple[str, Metric]:
    """Name a metric by its registered family, or by `module:Name`."""
    if isinstance(metric, str):
        make_metric = find("metrics", metric)
        return metric, make_metric() if isinstance(make_metric, type) else make_metric
    family_names = {make_metric: name for name, make_metric in METRICS.items()}
    return family_names.get(type(metric)) or get_type_name(type(metric)), metric
