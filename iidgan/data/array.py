"""Points in a file of one's own: a NumPy array or a table of comma-separated numbers."""

from __future__ import annotations

import csv
import hashlib
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from iidgan.core import IS_PATH, Dataset, Source
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class ArrayFile(Source):
    """N samples of d numbers each, from a .npy or .csv file."""

    path: str = field(metadata=IS_PATH)
    """File with an array of shape (N, d); a .csv file may begin with a line of names."""
    sha256: str = ""
    """Digest that the file has to have, in hexadecimal; any if empty."""

    def load(self) -> Dataset:
        """Reads the file as float32 samples of shape (N, d).

        Raises:
            InputError: The file is missing, malformed or not the one that `sha256` names, or its
                numbers are not a table of at least one row, finite in float32.
        """
        read = _reader(self.path)
        found = _digest(self.path)
        if self.sha256 and self.sha256.lower() != found:
            raise InputError(
                f"{self.path}: the file has changed: sha256 {self.sha256} was asked for, "
                f"it is {found}"
            )
        return Dataset(torch.from_numpy(_to_float32(self.path, read(self.path))))


def array(path: str | os.PathLike[str]) -> ArrayFile:
    """Creates the source that reads `path` as it is now, pinned by its digest.

    Raises:
        InputError: There is no such file, or its suffix is not a known one.
    """
    place = os.fspath(path)
    _reader(place)
    return ArrayFile(path=place, sha256=_digest(place))


def _reader(path: str) -> Callable[[str], NDArray[Any]]:
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        raise InputError(f"{path}: the suffix {suffix!r} is unknown; known: {', '.join(READERS)}")
    return READERS[suffix]


def _digest(path: str) -> str:
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path}: not a file")
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from error


def _read_npy(path: str) -> NDArray[Any]:
    """Maps the file: a header that promises more than there is allocates nothing."""
    try:
        values: NDArray[Any] = open_memmap(path, mode="r")
    except Exception as error:  # a damaged header raises whatever Python's tokeniser raises
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a .npy file of plain numbers: {reason}") from error
    return values


def _read_csv(path: str) -> NDArray[Any]:
    rows: list[list[float]] = []
    for place, cells in _csv_lines(path):
        rows.append([_number(f"{place}, column {i}", cell) for i, cell in enumerate(cells, 1)])
        if len(cells) != len(rows[0]):
            raise InputError(f"{place}: {len(cells)} numbers, in the first row {len(rows[0])}")
    return np.array(rows, dtype=np.float64)


def _csv_lines(path: str) -> Iterator[tuple[str, list[str]]]:
    """Yields the place and cells of each line, without blank lines and a line of names."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            filled = (cells for cells in lines if len(cells) > 1 or "".join(cells).strip())
            for i, cells in enumerate(filled):
                if i > 0 or any(_parse(cell) is not None for cell in cells):
                    yield f"{path}: line {lines.line_num}", cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a text of comma-separated numbers: {error}") from error


def _parse(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _number(place: str, cell: str) -> float:
    number = _parse(cell)
    if number is None or not math.isfinite(number):
        raise InputError(
            f"{place}: {shortened(cell)} is not a finite number; "
            "a comma separates columns, a point decimals"
        )
    return number


def _to_float32(path: str, values: NDArray[Any]) -> NDArray[np.float32]:
    if values.dtype.kind not in "fiu":
        raise InputError(f"{path}: holds {values.dtype}; known: floats and integers")
    if not values.size:
        raise InputError(f"{path}: holds no samples: its shape is {values.shape}")
    if values.ndim != 2:
        rows, *rest = values.shape or (1,)
        raise InputError(
            f"{path}: has shape {values.shape}; reshape it to (N, d), "
            f"such as {(rows, math.prod(rest))}"
        )
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused below
        samples = np.array(values, dtype=np.float32, order="C")
    if len(bad := np.argwhere(~np.isfinite(samples))):
        row, column = bad[0]
        raise InputError(
            f"{path}: row {row}, column {column} (counted from 0) holds {values[row, column]}, "
            "which is not finite in float32"
        )
    return samples


READERS: dict[str, Callable[[str], NDArray[Any]]] = {".npy": _read_npy, ".csv": _read_csv}
"""What reads a file, by its suffix."""
