"""The reader of arrays for all commands: .npy and .npz files of NumPy, and .csv tables."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from iidgan.data.csv_files import read_csv
from iidgan.errors import InputError
from iidgan.utils.files import file_sha256, open_regular_file, require_regular_file

ARRAY_NAME = "x"
"""Name of the array that is read from an archive of several ones."""
MAX_LISTED_NAMES = 8


@dataclass(frozen=True)
class SampleArray:
    """N samples, as they were read from a file.

    Arguments:
        values: Floats or integers of shape (N, *shape), N >= 1, finite in float32.
        columns: Names of the columns; empty if the file names none.
        notes: Lines for the user on how the file was read.
        words: Different words of a column that may have some; `values` has their indices.

    Examples:
        >>> SampleArray(np.zeros((3, 2)), columns=("width", "height")).describe()
        '3 samples of 2 numbers: width, height'
    """

    values: NDArray[Any]
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def describe(self) -> str:
        """Describe the number and size of the samples, with the names of their columns."""
        num_samples, *shape = self.values.shape
        num_values = math.prod(shape)
        samples_text = f"{num_samples:,} sample{'s' * (num_samples != 1)}"
        numbers_text = f"{num_values:,} number{'s' * (num_values != 1)}"
        more = ", ..." if len(self.columns) > MAX_LISTED_NAMES else ""
        names = f": {', '.join(self.columns[:MAX_LISTED_NAMES])}{more}" if self.columns else ""
        return f"{samples_text} of {numbers_text}{names}"


ArrayReader = Callable[[str, str | None], SampleArray]
"""Reads a file, given its path and the name of a column, or an array, that may have words."""


def read_samples(path: str | os.PathLike[str], word_column: str | None = None) -> SampleArray:
    """Read the array of a file.

    Arguments:
        path: A .npy file, a .npz archive with one array or one named x, or a .csv file, whose
            first line may be the names of the columns.
        word_column: Name of a column of a .csv file that may have words instead of numbers; or of
            another array of a .npz archive, of N words or numbers, which becomes the last column.

    Raises:
        InputError: The file cannot be read, is damaged, or does not hold at least one sample of
            numbers that are finite in float32.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     np.savez(f"{folder}/samples.npz", x=np.ones((4, 2)), z=np.ones((4, 8)))
        ...     read_samples(f"{folder}/samples.npz").values.shape
        (4, 2)
    """
    file_name = os.fspath(path)
    reader = choose_reader(file_name)
    with _input_errors(file_name):
        require_regular_file(file_name)
    table = reader(file_name, word_column)
    return replace(table, values=_check_samples(file_name, table.values))


def choose_reader(path: str) -> ArrayReader:
    """Return the function that reads a file, by its suffix.

    Arguments:
        path: The file.

    Raises:
        InputError: The suffix is unknown.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in ARRAY_READERS:
        raise InputError(f"{path}: unknown suffix {suffix!r}; known: {', '.join(ARRAY_READERS)}")
    return ARRAY_READERS[suffix]


def hash_file(path: str) -> str:
    """Return the SHA-256 digest of a file, in hexadecimal.

    Arguments:
        path: The file.

    Raises:
        InputError: The file cannot be read.
    """
    with _input_errors(path):
        return file_sha256(Path(path))


def check_digest(path: str, expected: str) -> None:
    """Check that a file is the one that a source was created for.

    Arguments:
        path: The file.
        expected: Its SHA-256 digest, in hexadecimal; empty: any.

    Raises:
        InputError: The file cannot be read, or has another digest.
    """
    digest = hash_file(path)
    if expected and expected.lower() != digest:
        raise InputError(f"{path}: the file has changed: expected sha256 {expected}, got {digest}")


@contextmanager
def _input_errors(path: str) -> Iterator[None]:
    """Turn the errors of opening a file, also those of a path with a null byte, into one line."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from error


@contextmanager
def _refuse_damage(path: str, expected: str) -> Iterator[None]:
    """Turn whatever reading an array raises into one line.

    Damaged headers raise what Python's tokeniser raises, damaged archives what their codecs do.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tokeniser, on damaged headers
            yield
    except (InputError, PermissionError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if re.search(r"\bobjects?\b", reason, re.I):
            reason = "it holds Python objects; save numbers, such as x.astype('float32')"
        raise InputError(f"{path}: not {expected} of plain numbers: {reason}") from error


def _read_npy(path: str, _word_column: str | None) -> SampleArray:
    """Map the file: a header that promises more data than the file has allocates nothing."""
    with _input_errors(path), _refuse_damage(path, "a .npy file"):
        values = npy_format.open_memmap(path, mode="r")
        excess_bytes = os.path.getsize(path) - values.offset - values.nbytes
        if values.size and excess_bytes:
            raise ValueError(f"{excess_bytes} bytes follow the array")
        return SampleArray(values)


def _read_npz(path: str, word_column: str | None) -> SampleArray:
    with _open_npz(path) as archive:
        member = _choose_member(path, archive.namelist())
        values, labels_member = _read_member(archive, member), f"{word_column}.npy"
        if values.ndim != 2 or labels_member == member or labels_member not in archive.namelist():
            return SampleArray(values)
        labels = _read_member(archive, labels_member)
    assert word_column is not None, "its array is in the archive"
    return _append_column(path, values, word_column, labels)


def _append_column(
    path: str, values: NDArray[Any], name: str, labels: NDArray[Any]
) -> SampleArray:
    """Make an array of labels a last column, which may have words."""
    if labels.shape != (len(values),) or labels.dtype.kind not in "fiuU":
        raise InputError(
            f"source.label-column: array {name!r} of {path} must have {len(values):,} whole "
            f"numbers or words, one a sample, got {labels.dtype} of shape {labels.shape}"
        )
    words: tuple[str, ...] = ()
    if labels.dtype.kind == "U":
        different_words, labels = np.unique(labels, return_inverse=True)
        words = tuple(different_words.tolist())
    columns = (*(f"{ARRAY_NAME}{i}" for i in range(values.shape[1])), name)
    return SampleArray(np.column_stack([values, labels]), columns=columns, words=words)


@contextmanager
def _open_npz(path: str) -> Iterator[ZipFile]:
    with (
        _input_errors(path),
        _refuse_damage(path, "a .npz archive"),
        open_regular_file(path) as opened_file,
        ZipFile(opened_file) as archive,
    ):
        yield archive


def _read_member(archive: ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as file:
        values: NDArray[Any] = npy_format.read_array(file, allow_pickle=False)
        if file.read(1):  # at the end of the member, its check sum is compared
            raise ValueError("bytes follow the array")
        return values


def list_npz_names(path: str) -> list[str]:
    """List the names of the arrays in a .npz archive.

    Arguments:
        path: The archive.

    Raises:
        InputError: It cannot be read, or is damaged.
    """
    with _open_npz(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def read_npz_arrays(path: str, max_bytes: int) -> dict[str, NDArray[Any]]:
    """Read all arrays of a small .npz archive, by name.

    Arguments:
        path: The archive.
        max_bytes: Largest size of the archive, and of all of its arrays.

    Raises:
        InputError: It cannot be read, is damaged or too large, or holds Python objects.
    """
    with _open_npz(path) as archive:
        num_bytes = sum(member.file_size for member in archive.infolist())
        _check_size(path, num_bytes, max_bytes)
        return {name: _read_member(archive, f"{name}.npy") for name in list_npz_names(path)}


def read_small_file(path: str, max_bytes: int) -> bytes:
    """Read the content of a regular file.

    Arguments:
        path: The file.
        max_bytes: Its largest size.

    Raises:
        InputError: It cannot be read, or is too large.
    """
    with _input_errors(path), open_regular_file(path) as file:
        content = file.read(max_bytes + 1)
    _check_size(path, len(content), max_bytes)
    return content


def _check_size(path: str, num_bytes: int, max_bytes: int) -> None:
    if num_bytes > max_bytes:
        raise InputError(f"{path}: expected at most {max_bytes:,} bytes, got more")


def _choose_member(path: str, names: list[str]) -> str:
    array_names = [name.removesuffix(".npy") for name in names if name.endswith(".npy")]
    if len(array_names) == 1:
        return f"{array_names[0]}.npy"
    if ARRAY_NAME in array_names:
        return f"{ARRAY_NAME}.npy"
    listing = ", ".join(array_names[:MAX_LISTED_NAMES]) or "none"
    raise InputError(f"{path}: expected one array, or one named {ARRAY_NAME}, got {listing}")


def _read_csv(path: str, word_column: str | None) -> SampleArray:
    with _input_errors(path):
        table = read_csv(path, word_column)
    return SampleArray(table.values, table.columns, table.notes, table.words)


def _check_samples(path: str, values: NDArray[Any]) -> NDArray[Any]:
    """Check the samples, and convert them to a precision and byte order that torch reads."""
    if values.dtype.kind not in "fiu":
        raise InputError(f"{path}: expected floats or integers, got {values.dtype}")
    if not values.size:
        raise InputError(f"{path}: the file has no samples: its shape is {values.shape}")
    if not values.ndim:
        raise InputError(f"{path}: expected shape (N, d), got (); reshape the array to (1, 1)")
    if values.dtype.kind == "f":
        to_float32(path, values)
    return to_native(values)


def to_native(values: NDArray[Any]) -> NDArray[Any]:
    """Convert to the machine's byte order, and floats of more than 64 bits to float64.

    Arguments:
        values: Array of any type of number.

    Examples:
        >>> to_native(np.array([1, 2], dtype=">i2")).dtype.isnative
        True
    """
    dtype = values.dtype.newbyteorder("=")
    if dtype.kind == "f" and dtype.itemsize > np.dtype(float).itemsize:
        dtype = np.dtype(float)
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype)


def to_float32(field: str, values: NDArray[Any]) -> NDArray[np.float32]:
    """Convert numbers of any precision and byte order.

    Arguments:
        field: Name of the values in the error.
        values: Array with a batch axis.

    Raises:
        InputError: A value is not finite in float32.

    Examples:
        >>> to_float32("x", np.array([1.5, float("inf")]))
        Traceback (most recent call last):
        iidgan.errors.InputError: x: row 1 (counted from 0) is inf, which is not finite in float32
    """
    with np.errstate(over="ignore", invalid="ignore"):  # overflow is refused below
        samples = np.array(values, dtype=np.float32, order="C")
    if not np.isfinite(samples).all():
        index = np.unravel_index(np.argmin(np.isfinite(samples)), samples.shape)
        raise InputError(
            f"{field}: {_describe_index(index)} (counted from 0) is {values[index]}, "
            "which is not finite in float32"
        )
    return samples


def _describe_index(index: tuple[np.intp, ...]) -> str:
    row, *position = map(int, index)
    if not position:
        return f"row {row}"
    column = position[0] if len(position) == 1 else tuple(position)
    return f"row {row}, column {column}"


@dataclass(frozen=True)
class ArrayBlocks:
    """An array of float32 whose rows come in blocks, so that it need not fit into the memory.

    Arguments:
        shape: Shape of the whole array.
        blocks: Blocks of its rows, in order.
    """

    shape: tuple[int, ...]
    blocks: Iterable[NDArray[np.float32]]

    @property
    def num_bytes(self) -> int:
        """Size in bytes, before compression."""
        return 4 * math.prod(self.shape)


def write_npz(path: Path, arrays: Mapping[str, ArrayBlocks]) -> None:
    """Write a compressed .npz archive block by block.

    Arguments:
        path: The archive.
        arrays: Arrays of float32 by name.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> blocks = (np.full((2, 3), i, np.float32) for i in range(2))
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "samples.npz")
        ...     write_npz(path, {"x": ArrayBlocks((4, 3), blocks)})
        ...     np.load(path)["x"][:, 0]
        array([0., 0., 1., 1.], dtype=float32)
    """
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                header = {"descr": "<f4", "fortran_order": False, "shape": array.shape}
                npy_format.write_array_header_1_0(file, header)
                for block in array.blocks:
                    file.write(np.ascontiguousarray(block, "<f4").data)


ARRAY_READERS: dict[str, ArrayReader] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".csv": _read_csv,
}
"""Functions that read a file, by its suffix."""
