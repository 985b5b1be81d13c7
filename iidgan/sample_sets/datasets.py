"""Data sets of sources, and points of any origin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iidgan.core import Dataset
from iidgan.data.array_files import read_samples, to_float32
from iidgan.data.array_source import check_table
from iidgan.errors import InputError
from iidgan.sample_sets.blocks import hash_blocks, split_indices
from iidgan.sample_sets.sample_set import SampleSet


@dataclass(frozen=True, kw_only=True, eq=False)
class DatasetSamples(SampleSet):
    """The images of a data set.

    Arguments:
        dataset: The data set.
    """

    dataset: Dataset = field(repr=False)

    def iterate(self, indices: Sequence[int]) -> Iterator[Tensor]:
        stored = self.dataset.x
        for block in split_indices(indices, self.shape):
            index = torch.tensor(block, device=stored.device)
            images = self.dataset.view.take_samples(stored, index)
            yield images.to("cpu", torch.uint8)  # views of users may return floats

    def compute_sha256(self, indices: Sequence[int]) -> str:
        return hash_blocks(self.iterate(indices), self.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class PointSamples(SampleSet):
    """Points in memory.

    Arguments:
        points: The points, float32 with shape (N, d).
    """

    points: Tensor = field(repr=False)

    def iterate(self, indices: Sequence[int]) -> Iterator[Tensor]:
        for block in split_indices(indices, self.shape):
            yield self.points[list(block)]

    def compute_sha256(self, indices: Sequence[int]) -> str:
        return hash_blocks(self.iterate(indices), self.shape)


def open_dataset(name: str, dataset: Dataset) -> SampleSet:
    """Open the samples of a data set, in the data's own units.

    Arguments:
        name: What the user calls it.
        dataset: Images as uint8, or points.

    Raises:
        InputError: It has other samples, or points that are not finite.
    """
    shape, num_samples = dataset.shape, len(dataset)
    labels = None if dataset.y is None else dataset.y.cpu()
    is_image = dataset.is_image and len(shape) == 3 and shape[0] in (1, 3)
    is_point = not dataset.is_image and len(shape) == 1
    if not (is_image or is_point) or not num_samples:
        raise InputError(
            f"{name}: expected a data set of images, uint8 of shape (1 or 3, H, W), or of points "
            f"of shape (d,), got {num_samples} samples of {dataset.x.dtype} and shape {shape}"
        )
    facts: dict[str, Any] = {
        "name": name,
        "num_samples": num_samples,
        "shape": shape,
        "labels": labels,
        "label_names": dataset.labels,
        "notes": dataset.notes,
    }
    if is_image:
        return DatasetSamples(dataset=dataset, **facts)
    points = dataset.in_own_units().take_samples(
        torch.arange(num_samples, device=dataset.x.device)
    )
    values = to_float32(name, points.cpu().numpy())
    return PointSamples(points=torch.from_numpy(values), **facts)


def open_points(name: str, values: NDArray[Any], notes: tuple[str, ...] = ()) -> PointSamples:
    """Open points in memory.

    Arguments:
        name: What the user calls them.
        values: Floats or integers of shape (N, d).
        notes: Lines for the user on how they were read.

    Raises:
        InputError: They are not points, or not finite.
    """
    check_table(name, values)
    if values.dtype.kind not in "fiu" or not values.size:
        raise InputError(
            f"{name}: expected at least one point of floats or integers, got {values.dtype} of "
            f"shape {values.shape}"
        )
    points = to_float32(name, values)
    num_samples, num_values = points.shape
    return PointSamples(
        name=name,
        num_samples=num_samples,
        shape=(num_values,),
        notes=notes,
        points=torch.from_numpy(points),
    )


def open_point_file(path: str) -> PointSamples:
    """Open points in a file.

    Arguments:
        path: A .csv, .npy or .npz file, as of `read_samples`.

    Raises:
        InputError: The file cannot be read, or does not have points.
    """
    samples = read_samples(path)
    notes = (samples.describe(), *samples.notes)
    return open_points(path, np.asarray(samples.values), notes)
