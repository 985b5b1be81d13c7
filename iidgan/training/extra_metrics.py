"""Metrics that one training measures in addition to the registered ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iidgan.config.plugins import get_type_name
from iidgan.config.registry import create_component
from iidgan.core import Metric
from iidgan.errors import InputError, wrong_type_error
from iidgan.metrics import METRICS


def resolve_metrics(
    metrics: Mapping[str, Metric | str] | Sequence[Metric | str] | None,
) -> dict[str, Metric] | None:
    """Combine additional metrics with the registered ones.

    Arguments:
        metrics: Metrics by the name of their family, or a list of metrics. Each is a `Metric` or
            a name: a registered one or `module:Name`. A metric of a registered family replaces
            it.

    Returns:
        All metrics by the name of their family, or None if there are no additional ones.

    Raises:
        InputError: A name cannot be resolved, or something is not a metric.

    Examples:
        >>> from iidgan.training.extra_metrics import resolve_metrics
        >>> "coverage" in resolve_metrics(["coverage"])
        True
    """
    if not metrics:
        return None
    all_metrics: dict[str, Metric] = {name: make() for name, make in METRICS.items()}
    extra_metrics = metrics if isinstance(metrics, Mapping) else _name_metrics(metrics)
    return all_metrics | {name: _create(name, metric) for name, metric in extra_metrics.items()}


def _create(name: str, metric: Metric | str) -> Metric:
    if isinstance(metric, str):
        return create_component("metrics", metric, Metric)  # type: ignore[type-abstract]
    if not isinstance(metric, Metric):
        raise wrong_type_error("metrics", f"a Metric or a name for {name!r}", metric)
    return metric


def _name_metrics(metrics: Sequence[Metric | str]) -> dict[str, Metric | str]:
    if isinstance(metrics, str | Metric) or not isinstance(metrics, Sequence):
        raise InputError(f"metrics: expected a list or a mapping, got {metrics!r}")
    metrics_by_name: dict[str, Metric | str] = {}
    for metric in metrics:
        if not isinstance(metric, str | Metric):
            raise wrong_type_error("metrics", "a list of metrics or names", metric)
        name = metric if isinstance(metric, str) else _get_family(type(metric))
        if name in metrics_by_name:
            raise InputError(f"metrics: {name!r} is given twice; name both with a mapping")
        metrics_by_name[name] = metric
    return metrics_by_name


def _get_family(metric_type: type[Metric]) -> str:
    """Return the name under which a class is registered, or `module:Name`."""
    families = {make_metric: name for name, make_metric in METRICS.items()}
    return families.get(metric_type) or get_type_name(metric_type)
