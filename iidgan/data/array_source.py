"""Points in a file of the user: an array of NumPy, or a table of comma-separated numbers."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from iidgan.core import IS_PATH, OMIT_IF_DEFAULT, Dataset, Source, Standardisation
from iidgan.data.array_files import (
    SampleArray,
    check_digest,
    choose_reader,
    hash_file,
    read_samples,
    to_float32,
)
from iidgan.data.csv_files import missing_column_error
from iidgan.errors import InputError

USUAL_STDS = (0.2, 5.0)
"""Range of standard deviations that networks learn well."""
MAX_USUAL_MEAN = 10.0
"""Largest |mean| that networks learn well."""


@dataclass(frozen=True, kw_only=True)
class ArrayFile(Source):
    """N samples of d numbers each, from a .npy, .npz or .csv file.

    Examples:
        >>> import numpy as np
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/points.npy", np.array([[1.0, 500.0], [3.0, 700.0]]))
        ...     data = ArrayFile(path=f"{folder}/points.npy", standardise=True).load()
        >>> data.x.tolist()
        [[-1.0, -1.0], [1.0, 1.0]]
        >>> data.in_own_units().x.tolist()
        [[1.0, 500.0], [3.0, 700.0]]
    """

    path: str = field(metadata=IS_PATH)
    """File with an array of shape (N, d); a .csv file may start with a line of column names."""
    sha256: str = ""
    """Expected SHA-256 digest of the file, in hexadecimal; empty: any."""
    standardise: bool = field(default=False, metadata=OMIT_IF_DEFAULT)
    """Whether networks see each column with mean 0 and standard deviation 1; generated samples,
    metrics and figures are in the data's own units."""
    label_column: str | None = field(default=None, metadata=OMIT_IF_DEFAULT)
    """Column with the classes of the samples, which is no part of them: its name in a .csv file,
    or that of another array in a .npz file, where classes may be words; or its number, from 0, of
    whole numbers; None: samples have no labels."""

    @property
    def label_advice(self) -> str:
        return (
            "add `--source.label-column NAME`: whole numbers or words, in a column of a .csv file "
            "or another array of a .npz file; or whole numbers in a column, counted from 0"
        )

    def load(self) -> Dataset:
        """Read the file as float32 samples of shape (N, d).

        Raises:
            InputError: The file is missing, malformed or has another digest than `sha256`, or its
                numbers are not a table of at least one row, finite in float32; or the column of
                labels is missing, or has numbers that are not whole.
        """
        choose_reader(self.path)
        check_digest(self.path, self.sha256)
        samples = read_samples(self.path, self.label_column)
        check_table(self.path, samples.values)
        labels: dict[str, Any] = {}
        if self.label_column is not None:
            samples, labels = _split_labels(self.path, samples, self.label_column)
        notes = (samples.describe(), *samples.notes)
        values = torch.from_numpy(to_float32(self.path, samples.values))
        dataset = Dataset(values, notes=notes, **labels)
        if self.standardise:
            return _standardise(dataset, samples.values)
        return replace(dataset, notes=(*notes, *_advise_on_scale(samples)))


def array(path: str | os.PathLike[str]) -> ArrayFile:
    r"""Create the source that reads `path` in its present state, pinned by its digest.

    Arguments:
        path: A .npy, .npz or .csv file.

    Raises:
        InputError: The file does not exist, or its suffix is unknown.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "points.csv")
        ...     with open(path, "w") as file:
        ...         _ = file.write("width,height\n0.5,1.5\n2.5,0.25\n")
        ...     data = array(path).load()
        >>> data.x.tolist()
        [[0.5, 1.5], [2.5, 0.25]]
        >>> data.notes
        ('2 samples of 2 numbers: width, height',)
    """
    file_path = os.fspath(path)
    choose_reader(file_path)
    return ArrayFile(path=file_path, sha256=hash_file(file_path))


def check_table(path: str, values: NDArray[np.generic]) -> None:
    """Check that an array consists of points.

    Arguments:
        path: Its file, with which the message starts.
        values: The array.

    Raises:
        InputError: Its shape is not (N, d).
    """
    if values.ndim != 2:
        num_rows, *other_sizes = values.shape
        raise InputError(
            f"{path}: expected shape (N, d), got {values.shape}; reshape the array, "
            f"for example to {(num_rows, math.prod(other_sizes))}"
        )


MAX_CLASSES = 1_000
"""Largest number of classes of points: more different values are no labels."""


def _split_labels(
    path: str, samples: SampleArray, column: str
) -> tuple[SampleArray, dict[str, Any]]:
    """Separate the column of classes: samples without it, and fields of `Dataset`."""
    index = _find_column(path, samples, column)
    names, labels = _number_classes(path, samples, column, samples.values[:, index])
    other_columns = [name for i, name in enumerate(samples.columns) if i != index]
    remaining = replace(
        samples, values=np.delete(samples.values, index, axis=1), columns=tuple(other_columns)
    )
    return remaining, {"y": torch.from_numpy(labels.reshape(-1)), "labels": names}


def _number_classes(
    path: str, samples: SampleArray, column: str, values: NDArray[np.generic]
) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Return the names of the classes, in order, and the label of each sample."""
    try:
        words = np.array([float(word) for word in samples.words])
    except ValueError:
        words = np.array(samples.words)
    classes, labels = np.unique(
        words[values.astype(int)] if len(words) else values, return_inverse=True
    )
    are_words = classes.dtype.kind == "U"
    if len(classes) > MAX_CLASSES or not (are_words or np.all(classes == np.round(classes))):
        raise InputError(
            f"source.label-column: column {column!r} of {path} must have words or whole numbers, "
            f"at most {MAX_CLASSES:,} different ones, got {len(classes):,}, such as {classes[-1]}"
        )
    return tuple(map(str, classes if are_words else classes.astype(int))), labels


def _find_column(path: str, samples: SampleArray, column: str) -> int:
    if column in samples.columns:
        return samples.columns.index(column)
    num_columns = samples.values.shape[1]
    if num_columns < 2:
        raise InputError(f"source.label-column: {path} has one column, which has to be a sample")
    if column.isascii() and column.isdigit() and int(column) < num_columns:
        return int(column)
    raise missing_column_error(path, column, samples.columns or (f"0 to {num_columns - 1}",))


def _column_moments(
    values: NDArray[np.generic],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each column; constant columns have deviation 0."""
    means, stds = values.mean(0, dtype=np.float64), values.std(0, dtype=np.float64)
    return means, np.where(values.min(0) == values.max(0), 0.0, stds)


def _standardise(dataset: Dataset, values: NDArray[np.generic]) -> Dataset:
    """Shift and scale all columns; the digest stays that of the data in their own units.

    Arguments:
        dataset: The data in their own units.
        values: The same samples in the precision of their file.
    """
    means, stds = _column_moments(values)
    stds[stds == 0] = 1.0
    scaled_values = ((values.astype(np.float64) - means) / stds).astype(np.float32)
    return replace(
        dataset,
        x=torch.from_numpy(scaled_values),
        scaling=Standardisation(torch.from_numpy(means).float(), torch.from_numpy(stds).float()),
        sha256=dataset.compute_sha256(),
    )


def _advise_on_scale(samples: SampleArray) -> Iterator[str]:
    """Yield a line on the first column whose scale is far from 1, if there is one."""
    means, stds = _column_moments(samples.values)
    low, high = USUAL_STDS
    for i, (mean, std) in enumerate(zip(means, stds)):
        if abs(mean) > MAX_USUAL_MEAN or std > high or 0 < std < low:
            name = repr(samples.columns[i]) if samples.columns else str(i + 1)
            yield (
                f"column {name} has mean {mean:.3g} and standard deviation {std:.3g}; numbers "
                "far from 1 are hard to learn: --source.standardise scales the data for training"
            )
            return
