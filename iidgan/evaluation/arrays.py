"""The arrays that figures show: a few samples of every seed, in one file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iidgan.core import GaussianMixture, Samples
from iidgan.errors import InputError
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.metrics import assign_modes
from iidgan.utils.files import damage_as_input_error, open_regular_file, write_file

Arrays = dict[str, NDArray[Any]]

MAX_ARRAY_SAMPLES = 5000  # samples per seed for figures; of images, fewer are drawn
SEED_ARRAYS = ("seeds", "step", "generated", "z", "codes", "x_cycled", "modes")
"""Arrays whose first axis is that of the seeds; the others are the same for all seeds."""


def to_arrays(samples: Samples, point: EvaluationPoint) -> Arrays:
    """Convert the first samples of every seed to arrays for figures.

    Arguments:
        samples: Samples of S seeds.
        point: Run, seeds and steps of the samples.

    Returns:
        Arrays by name: `generated` (S, n, *shape), `real` (m, *shape), `seeds` (S,), `step` (S,)
        and, where the samples have them, `z`, `codes`, `x_cycled`, and the modes of points, with
        their `std`, NaN where their widths differ.

    Examples:
        >>> from iidgan import GAN, Ring, Run
        >>> data = Ring(modes=4, size=100).load()
        >>> samples = Samples(generated=data.x.repeat(2, 1, 1), real=data.x, truth=data.truth)
        >>> run = Run(source=Ring(modes=4), method=GAN())
        >>> point = EvaluationPoint(run, seeds=[0, 1], steps=[500, 500], diverged=[-1, -1])
        >>> arrays = to_arrays(samples, point)
        >>> arrays["generated"].shape, arrays["modes"][0, :5].tolist()
        ((2, 100, 2), [0, 1, 2, 3, 0])
    """
    generated = samples.generated[:, :MAX_ARRAY_SAMPLES]
    real = samples.real[:MAX_ARRAY_SAMPLES]
    tensors: dict[str, Tensor] = {"generated": generated, "real": real}
    for name in ("z", "codes", "x_cycled"):
        tensor = getattr(samples, name)
        if tensor is not None:
            tensors[name] = tensor[:, :MAX_ARRAY_SAMPLES]
    truth = samples.truth
    if isinstance(truth, GaussianMixture):
        tensors["centres"] = truth.centres
        tensors["std"] = torch.tensor(truth.std if truth.shapes is None else math.nan)
        tensors["modes"] = assign_modes(generated, truth)
        tensors["real_modes"] = assign_modes(real[None], truth)[0]
    arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
    return arrays | {"seeds": np.array(point.seeds), "step": np.array(point.steps)}


def save_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays to an .npz file, atomically.

    Arguments:
        path: The file; an existing one is replaced.
        arrays: Arrays by name.
    """
    write_file(path, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays))


def load_arrays(path: Path) -> Arrays:
    """Read the arrays of a run; those of before have one step for all seeds.

    Arguments:
        path: File that `save_arrays` has written.

    Raises:
        InputError: They do not exist yet, or are damaged.
    """
    if not path.exists():
        raise InputError(f"run: {path.parent} has no checkpoint yet, and so no samples")
    with (
        damage_as_input_error(path, "rerun training to write it again"),
        open_regular_file(path) as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        arrays = dict(archive)
        arrays["step"] = np.broadcast_to(arrays["step"], arrays["seeds"].shape)
        _check_arrays(arrays)
        return arrays


def merge_seeds(arrays: Arrays, newer: Arrays, seeds: Sequence[int]) -> Arrays:
    """Combine the arrays of different seeds of a run, in the order of `seeds`.

    A seed that both have is taken from `newer`. Seeds that neither has are left out.

    Arguments:
        arrays: Arrays of some seeds.
        newer: Arrays of other seeds, or of later steps.
        seeds: Seeds of the run.

    Raises:
        KeyError, ValueError: They are of different runs.

    Examples:
        >>> first = {"seeds": np.array([0, 2]), "step": np.array([100, 100])}
        >>> second = {"seeds": np.array([1, 2]), "step": np.array([100, 200])}
        >>> merge_seeds(first, second, seeds=[0, 1, 2])["step"].tolist()
        [100, 100, 200]
    """
    origin = {int(seed): (part, i) for part in (arrays, newer) for i, seed in _enumerate(part)}
    sources = [origin[seed] for seed in seeds if seed in origin]
    merged = {
        name: np.stack([part[name][i] for part, i in sources])
        for name in SEED_ARRAYS
        if name in newer
    }
    return newer | merged


def _enumerate(arrays: Arrays) -> Sequence[tuple[int, int]]:
    return [*enumerate(arrays["seeds"].tolist())]


def _check_arrays(arrays: Arrays) -> None:
    """Check names, types and shapes.

    Raises:
        KeyError: An array is missing.
        ValueError: An array has another type or shape.
    """
    num_seeds, sample_shape = len(arrays["seeds"]), arrays["real"].shape[1:]
    per_seed = {"generated": sample_shape, "x_cycled": sample_shape, "z": None, "codes": None}
    for name, shape in per_seed.items():
        if name in arrays and not _has_shape(arrays[name], num_seeds, shape):
            raise ValueError(f"{name} has shape {arrays[name].shape}")
    for name, values in arrays.items():
        if values.dtype.kind not in "fiu":
            raise ValueError(f"{name} has type {values.dtype}")
    needed = ["generated", *(("std", "modes", "real_modes", "z") if "centres" in arrays else ())]
    for name in needed:
        _ = arrays[name]


def _has_shape(values: NDArray[Any], num_seeds: int, sample_shape: tuple[int, ...] | None) -> bool:
    """Whether values are (S, n, *sample_shape), or (S, n, any) without a `sample_shape`."""
    if values.ndim < 3 or len(values) != num_seeds:
        return False
    return values.ndim == 3 if sample_shape is None else values.shape[2:] == sample_shape
