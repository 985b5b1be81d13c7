"""Samples of the user that a model is asked about."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from iidgan.data.array_files import ARRAY_READERS, read_samples
from iidgan.data.prepare.resize import TargetSize
from iidgan.errors import InputError
from iidgan.sample_sets import open_samples
from iidgan.training.model import Model


def read_inputs(path: str, model: Model, size: TargetSize | None) -> Tensor:
    """Read samples as a model generates them, and print the notes of their reader.

    Arguments:
        path: A .npy, .npz or .csv file, whose images are uint8 or in [-1, 1]; or images or a run
            as `iidgan evaluate` reads them.
        model: The model.
        size: Size to which images in files are cropped and resized, or None.

    Returns:
        Samples, (n, *shape).

    Raises:
        InputError: They cannot be read, or have another shape than the samples of the model.
    """
    if Path(path).suffix.lower() in ARRAY_READERS:
        table = read_samples(path)
        _print_notes(table.notes)
        return model.convert_samples(table.values)
    samples = open_samples(path, size=size)
    _print_notes(samples.notes)
    _check_shape(path, samples.shape, model.shape)
    values = samples.take(range(samples.num_samples))
    return model.convert_samples(values.expand(-1, *model.shape))


def _print_notes(notes: Sequence[str]) -> None:
    for note in notes:
        print(f"iidgan: {note}", file=sys.stderr)


def _check_shape(path: str, shape: tuple[int, ...], model_shape: tuple[int, ...]) -> None:
    """Check that samples fit a model; grey images fit one of colours."""
    if shape == model_shape:
        return
    if not len(shape) == len(model_shape) == 3:
        raise InputError(f"{path}: the run is on samples of shape {model_shape}, got {shape}")
    if shape[1:] != model_shape[1:]:
        height, width = model_shape[1:]
        raise InputError(
            f"{path}: expected images of {height} x {width} pixels, as in the run, got "
            f"{shape[1]} x {shape[2]}; --size {height}x{width} crops and resizes them"
        )
    if shape[0] > model_shape[0]:
        raise InputError(
            f"{path}: expected grey images, as in the run, got images with colours; save them in "
            "grey"
        )
