"""Points in a file of the user: a NumPy array or a table of comma-separated numbers."""

from __future__ import annotations

import csv
import hashlib
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from reprlib import repr as shorten_repr
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from iidgan.core import IS_PATH, Dataset, Source
from iidgan.errors import InputError
from iidgan.utils.files import open_regular_file


@dataclass(frozen=True, kw_only=True)
class ArrayFile(Source):
    """N samples of d numbers each, from a .npy or .csv file."""

    path: str = field(metadata=IS_PATH)
    """File with an array of shape (N, d); a .csv file may start with a line of column names."""
    sha256: str = ""
    """Expected SHA-256 digest of the file, in hexadecimal; empty: any."""

    def load(self) -> Dataset:
        """Read the file as float32 samples of shape (N, d).

        Raises:
            InputError: The file is missing, malformed or has another digest than `sha256`, or its
                numbers are not a table of at least one row, finite in float32.
        """
        read_array = _choose_reader(self.path)
        actual_digest = _hash_file(self.path)
        if self.sha256 and self.sha256.lower() != actual_digest:
            raise InputError(
                f"{self.path}: the file has changed: expected sha256 {self.sha256}, "
                f"got {actual_digest}"
            )
        return Dataset(torch.from_numpy(_to_float32(self.path, read_array(self.path))))


def array(path: str | os.PathLike[str]) -> ArrayFile:
    """Create the source that reads `path` in its present state, pinned by its digest.

    Raises:
        InputError: The file does not exist, or its suffix is unknown.
    """
    file_path = os.fspath(path)
    _choose_reader(file_path)
    return ArrayFile(path=file_path, sha256=_hash_file(file_path))


def _choose_reader(path: str) -> Callable[[str], NDArray[Any]]:
    suffix = Path(path).suffix.lower()
    if suffix not in ARRAY_READERS:
        raise InputError(f"{path}: unknown suffix {suffix!r}; known: {', '.join(ARRAY_READERS)}")
    return ARRAY_READERS[suffix]


def _hash_file(path: str) -> str:
    try:
        with open_regular_file(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from error


def _read_npy(path: str) -> NDArray[Any]:
    """Map the file: a header that promises more data than the file has allocates nothing."""
    try:
        values: NDArray[Any] = open_memmap(path, mode="r")
    except Exception as error:  # a damaged header raises whatever Python's tokeniser raises
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a .npy file of plain numbers: {reason}") from error
    return values


def _read_csv(path: str) -> NDArray[Any]:
    rows: list[list[float]] = []
    for location, cells in _read_csv_lines(path):
        rows.append(
            [_parse_finite(f"{location}, column {i}", cell) for i, cell in enumerate(cells, 1)]
        )
        if len(cells) != len(rows[0]):
            raise InputError(
                f"{location}: expected {len(rows[0])} numbers as in the first row, "
                f"got {len(cells)}"
            )
    return np.array(rows, dtype=np.float64)


def _read_csv_lines(path: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the location and cells of each line, except blank lines and a line of names."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            csv_reader = csv.reader(file)
            filled_lines = (
                cells for cells in csv_reader if len(cells) > 1 or "".join(cells).strip()
            )
            for i, cells in enumerate(filled_lines):
                if i > 0 or any(_parse_float(cell) is not None for cell in cells):
                    yield f"{path}: line {csv_reader.line_num}", cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a text file of comma-separated numbers: {error}") from error


def _parse_float(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _parse_finite(location: str, cell: str) -> float:
    number = _parse_float(cell)
    if number is None or not math.isfinite(number):
        raise InputError(
            f"{location}: {shorten_repr(cell)} is not a finite number; "
            "separate columns by commas, and write decimals with a point"
        )
    return number


def _to_float32(path: str, values: NDArray[Any]) -> NDArray[np.float32]:
    if values.dtype.kind not in "fiu":
        raise InputError(f"{path}: expected floats or integers, got {values.dtype}")
    if not values.size:
        raise InputError(f"{path}: the file has no samples: its shape is {values.shape}")
    if values.ndim != 2:
        num_rows, *other_sizes = values.shape or (1,)
        raise InputError(
            f"{path}: expected shape (N, d), got {values.shape}; reshape the array, "
            f"for example to {(num_rows, math.prod(other_sizes))}"
        )
    with np.errstate(over="ignore", invalid="ignore"):  # overflow is refused below
        samples = np.array(values, dtype=np.float32, order="C")
    if len(nonfinite := np.argwhere(~np.isfinite(samples))):
        row, column = nonfinite[0]
        raise InputError(
            f"{path}: row {row}, column {column} (counted from 0) is {values[row, column]}, "
            "which is not finite in float32"
        )
    return samples


ARRAY_READERS: dict[str, Callable[[str], NDArray[Any]]] = {".npy": _read_npy, ".csv": _read_csv}
"""Functions that read a file, by its suffix."""
