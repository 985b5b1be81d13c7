"""From samples to metric records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from iidgan.config.run import Run
from iidgan.core import Metric, MetricProtocol, Samples
from iidgan.errors import InputError
from iidgan.metrics import METRICS
from iidgan.records import MetricRecord


@dataclass(frozen=True)
class EvaluationPoint:
    """Seeds of a run, each at one step: what metric records say besides the values.

    Arguments:
        run: The run.
        seeds: Its seeds.
        steps: For each seed, the number of steps trained.
        diverged: For each seed, the step at which it diverged, or -1.
    """

    run: Run
    seeds: Sequence[int]
    steps: Sequence[int]
    diverged: Sequence[int]


def evaluate_samples(
    samples: Samples,
    point: EvaluationPoint,
    provenance: Mapping[str, str],
    metrics: Mapping[str, Metric] | None = None,
) -> list[MetricRecord]:
    """Compute all metrics that the samples suffice for.

    Arguments:
        samples: The samples.
        point: Run, seeds and step of the samples.
        provenance: Versions and hardware, as in `MetricRecord`.
        metrics: Metrics by the name of their family; by default the registered ones.

    Returns:
        One record for each value and seed.

    Raises:
        InputError: A metric does not return one value per seed, or two return the same name.

    Examples:
        >>> from iidgan import GAN, Ring
        >>> data = Ring(size=1_600).load()  # the data themselves, without one of the eight modes
        >>> samples = Samples(generated=data.x[data.y > 0][None], real=data.x, truth=data.truth)
        >>> run = Run(source=Ring(), method=GAN())
        >>> point = EvaluationPoint(run, seeds=[0], steps=[24_000], diverged=[-1])
        >>> records = evaluate_samples(samples, point, provenance={})
        >>> {r.metric: r.value for r in records if r.metric in ("modes_20", "modes_100")}
        {'modes_20': 7.0, 'modes_100': 7.0}
    """
    if not metrics:
        metrics = {name: create_metric() for name, create_metric in METRICS.items()}
    records: list[MetricRecord] = []
    families: dict[str, str] = {}
    for family, metric in metrics.items():
        if metric.missing(samples) is not None:
            continue
        protocol = {"family": family, **metric.protocol(samples), **describe_average(point.run)}
        for name, values in _compute_metric(family, metric, samples).items():
            if families.setdefault(name, family) != family:
                raise InputError(
                    f"metrics: {family!r} and {families[name]!r} both return {name!r}; name it "
                    "differently in one of them"
                )
            records += make_records(point, name, values, protocol, provenance)
    return records


def make_records(
    point: EvaluationPoint,
    metric: str,
    values: Tensor,
    protocol: MetricProtocol,
    provenance: Mapping[str, str],
) -> list[MetricRecord]:
    """Make the records of one metric.

    Arguments:
        point: Run, seeds and their steps.
        metric: Name of the values.
        values: One value per seed, with shape (S,).
        protocol: How they were measured.
        provenance: Versions and hardware, as in `MetricRecord`.
    """
    return [
        MetricRecord(
            run=point.run.id,
            seed=seed,
            step=step,
            metric=metric,
            value=float(value),
            diverged=diverged,
            protocol=protocol,
            provenance=provenance,
        )
        for seed, step, value, diverged in zip(point.seeds, point.steps, values, point.diverged)
    ]


def describe_average(run: Run) -> MetricProtocol:
    """Describe the average of the weights that samples are drawn with, as part of a protocol.

    Arguments:
        run: The run.

    Examples:
        >>> describe_average(Run(ema=0.99)), describe_average(Run(ema=0.99, ema_rampup=0.05))
        ({'ema': 0.99}, {'ema': 0.99, 'ema_rampup': 0.05})
    """
    return {"ema": run.ema} | ({"ema_rampup": run.ema_rampup} if run.ema_rampup else {})


def _compute_metric(family: str, metric: Metric, samples: Samples) -> dict[str, Tensor]:
    try:
        values = metric(samples)
    except Exception as error:
        error.add_note(f"This happened while the metric {family!r} was computed.")
        raise
    if not isinstance(values, Mapping):
        raise InputError(
            f"metrics: {family!r} must return tensors by name, got {type(values).__name__}"
        )
    expected_shape = (len(samples.generated),)
    for name, value in values.items():
        if not isinstance(value, Tensor) or value.shape != expected_shape:
            actual = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
            raise InputError(
                f"metrics: {name!r} of {family!r} must be a tensor of one value per seed, with "
                f"shape {expected_shape}, got {actual}"
            )
    return values
