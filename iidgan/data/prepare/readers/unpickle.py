"""Restricted unpickling of arrays, numbers, strings, lists and dicts; all else is refused.

A pickle is a program. Here it can create NumPy arrays of plain numbers, and call nothing else:
only the instructions are carried out that values of these types need, and each part of an array
is checked before NumPy receives it.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from iidgan.data.prepare.reader import escape_unprintable
from iidgan.errors import InputError


def load_restricted_pickle(content: bytes, location: str) -> Any:  # noqa: ANN401 - its content
    """Load a pickle; strings of Python 2 become bytes.

    Arguments:
        content: The pickle.
        location: Name of its file, for the error.

    Raises:
        InputError: It is damaged, or needs what is not allowed.

    Examples:
        >>> import pickle
        >>> load_restricted_pickle(pickle.dumps({"labels": [3, 8]}), "batch")
        {'labels': [3, 8]}
    """
    try:
        return _RestrictedUnpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # damaged pickles raise exceptions of any type
        reason = escape_unprintable(str(error))
        raise InputError(f"{location}: not a pickle of arrays: {reason}") from error


class _Instructions(dict[int, Callable[[Any], None]]):
    def __missing__(self, code: int) -> Callable[[Any], None]:
        raise pickle.UnpicklingError(f"the instruction {code} is not allowed")


class _RestrictedUnpickler(pickle._Unpickler):
    # In Python: the implementation in C allocates as much memory as a number in the file says.
    stack: list[Any]
    append: Callable[[Any], None]

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        replacement = _ALLOWED_GLOBALS.get((module, name))
        if replacement is None:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return replacement

    def load_build(self) -> None:
        """Set the state of an array or of its data type; no other value has one."""
        state = self.stack.pop()
        value = self.stack[-1]
        if isinstance(value, _PickledType):
            value.set_state(state)
        elif isinstance(value, np.ndarray):
            _set_array_state(value, state)
        else:
            raise pickle.UnpicklingError(f"a {type(value).__name__} has a state")

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _add_entries(self.stack[-1], [key, value])

    def load_setitems(self) -> None:
        keys_and_values = self.pop_mark()  # type: ignore[attr-defined]
        _add_entries(self.stack[-1], keys_and_values)

    def load_dict(self) -> None:
        entries: dict[str | bytes, Any] = {}
        _add_entries(entries, self.pop_mark())  # type: ignore[attr-defined]
        self.append(entries)

    _inherited = (
        *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.POP, pickle.POP_MARK),
        *(pickle.GET, pickle.BINGET, pickle.LONG_BINGET),
        *(pickle.PUT, pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE),
        *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE),
        *(pickle.INT, pickle.BININT, pickle.BININT1, pickle.BININT2),
        *(pickle.LONG, pickle.LONG1, pickle.LONG4, pickle.FLOAT, pickle.BINFLOAT),
        *(pickle.STRING, pickle.BINSTRING, pickle.SHORT_BINSTRING),
        *(pickle.BINBYTES, pickle.SHORT_BINBYTES, pickle.BINBYTES8),
        *(pickle.UNICODE, pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINUNICODE8),
        *(pickle.TUPLE, pickle.EMPTY_TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3),
        *(pickle.LIST, pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS, pickle.EMPTY_DICT),
        *(pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.REDUCE),
    )
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = _Instructions(
        {code[0]: pickle._Unpickler.dispatch[code[0]] for code in _inherited}
    )
    dispatch |= {
        pickle.BUILD[0]: load_build,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
    }


def _add_entries(entries: object, keys_and_values: Sequence[Any]) -> None:
    """Add alternating keys and values to a dict.

    Keys are text: to compute the hash of others, such as deeply nested tuples, may exhaust the
    stack of the process.
    """
    if not isinstance(entries, dict):
        raise pickle.UnpicklingError(f"a {type(entries).__name__} has entries")
    for key, value in zip(keys_and_values[::2], keys_and_values[1::2], strict=True):
        if not isinstance(key, str | bytes):
            raise pickle.UnpicklingError(f"a key is a {type(key).__name__}")
        entries[key] = value


_ARRAY_CLASS = object()
"""Placeholder of the class of arrays: a pickle that could call it could allocate any size."""


def _create_empty_array(
    array_class: object, shape: tuple[int, ...], dtype_code: object
) -> NDArray[Any]:
    """Create the empty array that a pickle fills; other shapes would allocate memory at once."""
    if array_class is not _ARRAY_CLASS or tuple(shape) != (0,):
        raise pickle.UnpicklingError(f"an array starts with shape {shape}")
    return np.ndarray((0,), np.int8)


_TYPE_CODES = re.compile("b1|[iu][1248]|f[248]")
_TYPE_STATE_VERSION, _ARRAY_STATE_VERSION = 3, 1
_NO_FIELDS = (None, None, None, -1, -1, 0)
"""State of a type of plain numbers: no parts, no names, no fields, sizes by its code, no flags."""


class _PickledType:
    """Data type of an array, which is complete once its byte order is set.

    Arguments:
        code: Letter of its kind and number of bytes; booleans, integers and floats are allowed.
    """

    def __init__(self, code: str | bytes) -> None:
        self._code = code.decode("ascii") if isinstance(code, bytes) else str(code)
        if not _TYPE_CODES.fullmatch(self._code):
            raise pickle.UnpicklingError(f"an array has the type {self._code[:20]!r}, not numbers")
        self.dtype: np.dtype[Any] | None = None

    def set_state(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 2 + len(_NO_FIELDS):
            raise pickle.UnpicklingError("a data type has an unknown state")
        version, byte_order, *fields = state
        order = byte_order.decode("ascii") if isinstance(byte_order, bytes) else byte_order
        orders = ("|",) if self._code.endswith("1") else ("<", ">")
        if version != _TYPE_STATE_VERSION or order not in orders or tuple(fields) != _NO_FIELDS:
            raise pickle.UnpicklingError("a data type is not one of plain numbers")
        self.dtype = np.dtype(f"{order}{self._code}")


def _set_array_state(array: NDArray[Any], state: object) -> None:
    """Fill an array with the content that its state has, which must be as long as stated."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise pickle.UnpicklingError("an array has an unknown state")
    version, shape, pickled_type, is_fortran, content = state
    dtype = pickled_type.dtype if isinstance(pickled_type, _PickledType) else None
    if version != _ARRAY_STATE_VERSION or dtype is None or not isinstance(content, bytes):
        raise pickle.UnpicklingError("an array is not one of plain numbers")
    is_shape = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
    if not is_shape or len(content) != math.prod(shape) * dtype.itemsize:
        raise pickle.UnpicklingError(
            f"an array has {len(content)} bytes for the shape {str(shape)[:60]} of {dtype}"
        )
    array.__setstate__((version, shape, dtype, bool(is_fortran), content))  # type: ignore[arg-type]


def _encode_latin1(text: str, encoding: str) -> bytes:
    """Create bytes, which Python 3 pickles for Python 2 as an encoded string."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"a string is encoded as {encoding}")
    return text.encode("latin-1")


def _create_empty_bytes() -> bytes:
    """Create the only bytes that Python 3 pickles for Python 2 in another way."""
    return b""


def _create_type(code: str | bytes, *options: object) -> _PickledType:
    """Create the data type of a pickle, whose options do not change plain numbers."""
    return _PickledType(code)


_ALLOWED_GLOBALS: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _create_empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _create_empty_array,
    ("numpy", "ndarray"): _ARRAY_CLASS,
    ("numpy", "dtype"): _create_type,
    ("_codecs", "encode"): _encode_latin1,
    ("__builtin__", "bytes"): _create_empty_bytes,
}
