"""Reads pickles of arrays, numbers, texts, lists and dicts; anything else in them is refused.

A pickle is a program. Here it may make NumPy arrays of plain numbers, and call nothing else.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iidgan.errors import InputError


def unpickle(content: bytes, place: str) -> Any:  # noqa: ANN401 - what is inside
    """Reads a pickle; texts of Python 2 become bytes.

    Raises:
        InputError: It is damaged, or asks for something that is not admitted.
    """
    try:
        return _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle raises whatever its bytes lead to
        raise InputError(f"{place}: not a pickle of arrays: {error}") from error


class _Unpickler(pickle._Unpickler):
    # The one written in Python: the other takes as much memory as a number in the file says.

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        admitted = _ADMITTED.get((module, name))
        if admitted is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not admitted")
        return admitted

    def persistent_load(self, pid: object) -> Any:  # noqa: ANN401
        raise pickle.UnpicklingError("it refers to what lies outside")


_ARRAY = object()
"""Stands for the class of arrays: a pickle that could call it could ask for any size."""


def _empty(kind: object, shape: tuple[int, ...], code: object) -> NDArray[Any]:
    """Makes the empty array that a pickle fills; one of another size would take memory at once."""
    if kind is not _ARRAY or tuple(shape) != (0,):
        raise pickle.UnpicklingError(f"an array begins with the shape {shape}")
    return np.ndarray((0,), np.int8)


def _number(code: str | bytes, *options: object) -> np.dtype[Any]:
    """Makes a type of plain numbers."""
    found = np.dtype(code.decode() if isinstance(code, bytes) else code)
    if found.kind not in "biuf":
        raise pickle.UnpicklingError(f"an array holds {found}")
    return found


def _encode(text: str, encoding: str) -> bytes:
    """Makes bytes, the way in which Python 3 writes them for Python 2."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"a text is encoded as {encoding}")
    return text.encode("latin-1")


_ADMITTED: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _empty,
    ("numpy._core.multiarray", "_reconstruct"): _empty,
    ("numpy", "ndarray"): _ARRAY,
    ("numpy", "dtype"): _number,
    ("_codecs", "encode"): _encode,
}
