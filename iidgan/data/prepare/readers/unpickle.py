"""Restricted unpickling of arrays, numbers, strings, lists and dicts; all else is refused.

A pickle is a program. Here it can create NumPy arrays of plain numbers, and call nothing else.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iidgan.errors import InputError


def load_restricted_pickle(content: bytes, location: str) -> Any:  # noqa: ANN401 - its content
    """Load a pickle; strings of Python 2 become bytes.

    Raises:
        InputError: It is damaged, or refers to a class or function that is not allowed.
    """
    try:
        return _RestrictedUnpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # damaged pickles raise exceptions of any type
        raise InputError(f"{location}: not a pickle of arrays: {error}") from error


class _RestrictedUnpickler(pickle._Unpickler):
    # In Python: the implementation in C allocates as much memory as a number in the file says.

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        replacement = _ALLOWED_GLOBALS.get((module, name))
        if replacement is None:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return replacement

    def persistent_load(self, pid: object) -> Any:  # noqa: ANN401
        raise pickle.UnpicklingError("references to external objects are not allowed")


_ARRAY_CLASS = object()
"""Placeholder of the class of arrays: a pickle that could call it could allocate any size."""


def _create_empty_array(
    array_class: object, shape: tuple[int, ...], dtype_code: object
) -> NDArray[Any]:
    """Create the empty array that a pickle fills; other shapes would allocate memory at once."""
    if array_class is not _ARRAY_CLASS or tuple(shape) != (0,):
        raise pickle.UnpicklingError(f"an array starts with shape {shape}")
    return np.ndarray((0,), np.int8)


def _create_numeric_dtype(code: str | bytes, *options: object) -> np.dtype[Any]:
    """Create a data type of plain numbers."""
    dtype = np.dtype(code.decode() if isinstance(code, bytes) else code)
    if dtype.kind not in "biuf":
        raise pickle.UnpicklingError(f"an array has the type {dtype}, not numbers")
    return dtype


def _encode_latin1(text: str, encoding: str) -> bytes:
    """Create bytes, which Python 3 pickles for Python 2 as an encoded string."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"a string is encoded as {encoding}")
    return text.encode("latin-1")


_ALLOWED_GLOBALS: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _create_empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _create_empty_array,
    ("numpy", "ndarray"): _ARRAY_CLASS,
    ("numpy", "dtype"): _create_numeric_dtype,
    ("_codecs", "encode"): _encode_latin1,
}
