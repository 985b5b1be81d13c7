"""From samples to metric records, and to the arrays that figures show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iidgan.config.run import Run
from iidgan.core import Metric, Samples
from iidgan.errors import InputError
from iidgan.metrics import METRICS, assign_modes
from iidgan.records import MetricRecord
from iidgan.utils.files import write_file

MAX_ARRAY_SAMPLES = 5000  # samples per seed for figures; of images, fewer are drawn


@dataclass(frozen=True)
class EvaluationPoint:
    """A run at one step: what its metric records say besides the values.

    Arguments:
        run: The run.
        seeds: Its seeds.
        step: Number of steps trained.
        diverged: For each seed, the step at which it diverged, or -1.
    """

    run: Run
    seeds: Sequence[int]
    step: int
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

    Raises:
        InputError: A metric does not return one value per seed, or two return the same name.
    """
    if not metrics:
        metrics = {name: create_metric() for name, create_metric in METRICS.items()}
    records: list[MetricRecord] = []
    families: dict[str, str] = {}
    for family, metric in metrics.items():
        if metric.missing(samples) is not None:
            continue
        protocol = {"family": family, **metric.protocol(samples), "ema": point.run.ema}
        for name, values in _compute_metric(family, metric, samples).items():
            if families.setdefault(name, family) != family:
                raise InputError(
                    f"metrics: {family!r} and {families[name]!r} both return {name!r}; name it "
                    "differently in one of them"
                )
            records += [
                MetricRecord(
                    run=point.run.id,
                    seed=seed,
                    step=point.step,
                    metric=name,
                    value=float(value),
                    diverged=diverged,
                    protocol=protocol,
                    provenance=provenance,
                )
                for seed, value, diverged in zip(point.seeds, values, point.diverged)
            ]
    return records


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


Arrays = dict[str, NDArray[Any]]


def to_arrays(samples: Samples, point: EvaluationPoint) -> Arrays:
    """Convert the first samples of every seed to arrays for figures."""
    generated = samples.generated[:, :MAX_ARRAY_SAMPLES]
    real = samples.real[:MAX_ARRAY_SAMPLES]
    tensors: dict[str, Tensor] = {"generated": generated, "real": real}
    for name in ("z", "codes", "x_cycled"):
        tensor = getattr(samples, name)
        if tensor is not None:
            tensors[name] = tensor[:, :MAX_ARRAY_SAMPLES]
    if samples.truth is not None:
        tensors["centres"] = samples.truth.centres
        tensors["std"] = torch.tensor(samples.truth.std)
        tensors["modes"] = assign_modes(generated, samples.truth)
        tensors["real_modes"] = assign_modes(real[None], samples.truth)[0]
    arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
    return arrays | {"seeds": np.array(point.seeds), "step": np.array(point.step)}


def save_arrays(path: Path, samples: Samples, point: EvaluationPoint) -> None:
    """Write the arrays for figures to an .npz file."""
    arrays = to_arrays(samples, point)
    write_file(path, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays))
