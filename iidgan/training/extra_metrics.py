"""Metrics that one training measures in addition to the registered ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iidgan.config.registry import create_component, get_type_name
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
    extra_metrics = metrics if isinstance(metrics, Mapping) else _name_metrics(metrics)
    for name, metric in extra_metrics.items():
        if not isinstance(metric, Metric):
            raise InputError(f"metrics: {name} must be a Metric, got {metric!r}")
    return all_metrics | dict(extra_metrics)


def _name_metrics(metrics: Sequence[Metric | str]) -> dict[str, Metric]:
    if isinstance(metrics, str | Metric):
        raise InputError(f"metrics: expected a list or a mapping, got {metrics!r} alone")
    metrics_by_name: dict[str, Metric] = {}
    for metric in metrics:
        name, named_metric = _name_metric(metric)
        if name in metrics_by_name:
            raise InputError(f"metrics: {name!r} is given twice; name both with a mapping")
        metrics_by_name[name] = named_metric
    return metrics_by_name


def _name_metric(metric: Metric | str) -> tuple[str, Metric]:
    """Name a metric by its registered family, or by `module:Name`."""
    if isinstance(metric, str):
        return metric, create_component("metrics", metric, Metric)  # type: ignore[type-abstract]
    family_names = {make_metric: name for name, make_metric in METRICS.items()}
    return family_names.get(type(metric)) or get_type_name(type(metric)), metric
