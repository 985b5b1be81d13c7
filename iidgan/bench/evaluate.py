"""From trained maps to rows: draw samples once, let every metric that applies read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from iidgan.bench.rows import Row
from iidgan.bench.run import Run
from iidgan.core import Dataset, Metric, Samples
from iidgan.engine.sample import apply, prior
from iidgan.files import write
from iidgan.metrics import METRICS, assign

STORED = 5000  # samples per seed that figures need
STORED_IMAGES = 500  # one takes as much room as a thousand points
INVERTED = 5000  # images that go through the inverse: more would change no error, but fill memory


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


def draw(nets: nn.ModuleDict, data: Dataset, stand: Stand, num: int | None = None) -> Samples:
    """Draws what metrics read: G(z), and with an inverse F(x), F(G(z)) and G(F(x)).

    Arguments:
        nets: `G`, and `F` where there is one, ready for evaluation.
        data: The data set; its first samples in a fixed random order are the real ones.
        stand: Whose maps these are.
        num: Generated samples per seed; by default as many as the source says.
    """
    num = num or stand.run.source.num_evaluated
    z = prior(stand.seeds, num, stand.run.arch.latent)
    generated = apply(nets["G"], z)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:num]
    real = data.take(order.to(data.x.device)).cpu()
    if "F" not in nets:
        return Samples(generated, real, z=z, truth=data.truth, labels=data.y)
    few = INVERTED if data.is_image else num
    codes = apply(nets["F"], real[:few].expand(len(z), *real[:few].shape))
    return Samples(
        generated,
        real,
        z=z,
        codes=codes,
        z_cycled=apply(nets["F"], generated[:, :few]),
        x_cycled=apply(nets["G"], codes),
        truth=data.truth,
        labels=data.y,
    )


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
    shown = STORED_IMAGES if samples.real.ndim == 4 else STORED
    arrays: dict[str, Tensor | None] = {
        "generated": samples.generated[:, :shown],
        "real": samples.real[:shown],
        "z": None if samples.z is None else samples.z[:, :STORED],
        "codes": None if samples.codes is None else samples.codes[:, :STORED],
        "x_cycled": None if samples.x_cycled is None else samples.x_cycled[:, :shown],
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
