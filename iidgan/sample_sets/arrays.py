"""Images in an array, in memory or in a file that is larger than the memory."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iidgan.data.prepare.readers.array_files import find_channel_axis, open_stored_array
from iidgan.errors import InputError
from iidgan.sample_sets.blocks import hash_blocks, split_indices, stack_blocks
from iidgan.sample_sets.sample_set import SampleSet
from iidgan.utils.pixels import to_bytes

RANGE_TOLERANCE = 1e-3
"""How far values may be outside of their range, as by rounding; they are clipped."""


@dataclass(frozen=True)
class ImageArray(ABC):
    """An array of images whose numbers are read in blocks.

    Arguments:
        location: What it is called in messages.
        shape: Its shape.
        dtype: Type of its numbers.
    """

    location: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @abstractmethod
    def read_blocks(self, indices: Sequence[int]) -> Iterator[NDArray[Any]]:
        """Read images.

        Arguments:
            indices: Their positions, increasing.

        Raises:
            InputError: The file is damaged.
        """


@dataclass(frozen=True, eq=False)
class ArrayInMemory(ImageArray):
    """An array in memory, or one that is mapped from a file.

    Arguments:
        values: The array.
    """

    values: NDArray[Any] = field(repr=False)

    def read_blocks(self, indices: Sequence[int]) -> Iterator[NDArray[Any]]:
        for block in split_indices(indices, self.shape[1:]):
            yield self.values[list(block)]


@dataclass(frozen=True)
class ArrayInFile(ImageArray):
    """An array in a .npy or .npz file.

    Arguments:
        path: The file.
    """

    path: Path

    def read_blocks(self, indices: Sequence[int]) -> Iterator[NDArray[Any]]:
        with open_stored_array(self.path) as stored:
            yield from stack_blocks(stored.read_items(indices), self.shape[1:])


@dataclass(frozen=True, kw_only=True, eq=False)
class ArraySamples(SampleSet):
    """Images in an array.

    Arguments:
        array: The array.
        channel_axis: Its axis of channels; None: it has none.
        black: Value of black, where 1 is white; None: images are bytes.
    """

    array: ImageArray
    channel_axis: int | None
    black: float | None

    def iterate(self, indices: Sequence[int]) -> Iterator[Tensor]:
        for values in self.array.read_blocks(indices):
            if self.channel_axis is None:
                values = values[:, None]
            images = np.moveaxis(values, -1, 1) if self.channel_axis == 3 else values
            pixels = images if self.black is None else to_bytes(images, black=self.black)
            yield torch.from_numpy(np.ascontiguousarray(pixels))

    def compute_sha256(self, indices: Sequence[int]) -> str:
        return hash_blocks(self.iterate(indices), self.shape)


def open_image_array(name: str, values: NDArray[Any]) -> ArraySamples:
    """Open an array of images in memory.

    Arguments:
        name: What the user calls it.
        values: uint8, or floats in [0, 1] or [-1, 1], with shape (N, H, W), (N, H, W, C) or
            (N, C, H, W).

    Raises:
        InputError: They are not images.
    """
    array = ArrayInMemory(name, values.shape, values.dtype, values)
    return _create_set(name, array, notes=())


def open_array_file(path: Path) -> ArraySamples:
    """Open an array of images in a file, all of which is read once, in constant memory.

    Arguments:
        path: A .npy or .npz file, as of `open_image_array`.

    Raises:
        InputError: The file cannot be read, is damaged, or does not have images.
    """
    with open_stored_array(path) as stored:
        array = ArrayInFile(stored.location, stored.shape, stored.dtype, path)
    if path.suffix.lower() == ".npy":
        return _create_set(str(path), array, notes=())
    samples = _create_set(str(path), array, (f"{array.location.removesuffix('.npy')} is read",))
    if samples.black is None:  # floats have been read already
        for _ in array.read_blocks(range(samples.num_samples)):
            pass  # at the end, the check sum of an archive is compared
    return samples


def _create_set(name: str, array: ImageArray, notes: tuple[str, ...]) -> ArraySamples:
    channel_axis = find_channel_axis(array.location, array.shape)
    num_samples, *sides = array.shape
    num_channels = 1 if channel_axis is None else sides.pop(channel_axis - 1)
    black = None
    if array.dtype != np.uint8:
        _check_type(array)
        low, high = _measure_range(array)
        black = _choose_black(array, low, high)
        notes += (f"{name}: floats from {low:.4g} to {high:.4g}: {black:g} is black, 1 is white",)
    return ArraySamples(
        name=name,
        num_samples=num_samples,
        shape=(num_channels, *sides),
        notes=notes,
        array=array,
        channel_axis=channel_axis,
        black=black,
    )


def _check_type(array: ImageArray) -> None:
    """Check that values are floats; the range of other integers is unknown."""
    if array.dtype.kind == "f":
        return
    advice = ""
    if array.dtype.kind in "biu":
        advice = "; convert them to uint8 (0 is black, 255 is white), or run iidgan prepare"
    raise InputError(
        f"{array.location}: expected uint8, or floats in [0, 1] or [-1, 1], got "
        f"{array.dtype}{advice}"
    )


def _measure_range(array: ImageArray) -> tuple[float, float]:
    """Find the smallest and the largest value of an array of floats.

    Raises:
        InputError: A value is not finite.
    """
    low, high, num_done = math.inf, -math.inf, 0
    for values in array.read_blocks(range(array.shape[0])):
        is_finite = np.isfinite(values).reshape(len(values), -1).all(1)
        if not is_finite.all():
            position = int(np.argmin(is_finite))
            value = values[position][~np.isfinite(values[position])][0]
            raise InputError(
                f"{array.location}: image {num_done + position} (counted from 0) has the value "
                f"{value}, expected finite numbers; leave the image out"
            )
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        num_done += len(values)
    return low, high


def _choose_black(array: ImageArray, low: float, high: float) -> float:
    """Choose between [0, 1] and [-1, 1] by the values of all images."""
    if high <= 1 + RANGE_TOLERANCE:
        for black in (0.0, -1.0):
            if low >= black - RANGE_TOLERANCE:
                return black
    advice = "scale them so that 1 is white, and 0 or -1 black"
    if low >= 0 and 100 < high <= 255:  # a little over 1 is an overshoot, not bytes
        advice = "divide them by 255"
    raise InputError(
        f"{array.location}: expected uint8, or floats in [0, 1] or [-1, 1], got {array.dtype} "
        f"from {low:.6g} to {high:.6g}; {advice}"
    )
