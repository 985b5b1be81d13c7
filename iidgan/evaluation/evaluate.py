"""From samples to rows and arrays: every metric that applies reads them."""

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
from iidgan.metrics import METRICS, assign
from iidgan.records import Row
from iidgan.utils.files import write

STORED = 5000  # samples per seed that figures need; images are fewer as they are drawn


@dataclass(frozen=True)
class Stand:
    """Where a run stands: what rows say of it besides their value.

    Arguments:
        run: The run.
        seeds: Its seeds.
        step: Steps taken.
        diverged: For each seed the step at which it diverged, or -1.
    """

    run: Run
    seeds: Sequence[int]
    step: int
    diverged: Sequence[int]


def rows(
    samples: Samples,
    stand: Stand,
    provenance: Mapping[str, str],
    metrics: Mapping[str, Metric] | None = None,
) -> list[Row]:
    """Measures everything that applies."""
    made = metrics or {name: make() for name, make in METRICS.items()}
    found: list[Row] = []
    for name, metric in made.items():
        if metric.missing(samples) is not None:
            continue
        protocol = {"family": name, **metric.protocol(samples), "ema": stand.run.ema}
        for value_name, values in metric(samples).items():
            found += [
                Row(
                    run=stand.run.id,
                    seed=seed,
                    step=stand.step,
                    metric=value_name,
                    value=float(value),
                    diverged=diverged,
                    protocol=protocol,
                    provenance=provenance,
                )
                for seed, value, diverged in zip(stand.seeds, values, stand.diverged)
            ]
    return found


Arrays = dict[str, NDArray[Any]]


def to_arrays(samples: Samples, stand: Stand) -> Arrays:
    """Takes some samples of every seed, for figures."""
    arrays: dict[str, Tensor | None] = {
        "generated": samples.generated[:, :STORED],
        "real": samples.real[:STORED],
        "z": None if samples.z is None else samples.z[:, :STORED],
        "codes": None if samples.codes is None else samples.codes[:, :STORED],
        "x_cycled": None if samples.x_cycled is None else samples.x_cycled[:, :STORED],
    }
    if samples.truth is not None:
        arrays["centres"] = samples.truth.centres
        arrays["std"] = torch.tensor(samples.truth.std)
        arrays["modes"] = assign(samples.generated[:, :STORED], samples.truth)
        arrays["real_modes"] = assign(samples.real[None, :STORED], samples.truth)[0]
    kept = {name: value.cpu().numpy() for name, value in arrays.items() if value is not None}
    return kept | {"seeds": np.array(stand.seeds), "step": np.array(stand.step)}


def store(path: Path, samples: Samples, stand: Stand) -> None:
    """Writes the samples that figures need."""
    kept = to_arrays(samples, stand)
    write(path, lambda place: np.savez_compressed(place, allow_pickle=False, **kept))
