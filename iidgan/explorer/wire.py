"""Arrays in JSON, as `page/arrays.js` reads and writes them."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iidgan.errors import InputError

TYPES = ("float32", "int32", "uint8")


def encode_json(answer: object) -> str:
    """Encode an answer that may have arrays in it, which lose their shape.

    Arguments:
        answer: What JSON can hold, and arrays of `TYPES`.

    Examples:
        >>> encode_json({"z": np.zeros(1, np.float32)})
        '{"z": {"type": "float32", "base64": "AAAAAA=="}}'
    """
    return json.dumps(answer, default=_encode_array, allow_nan=False)


def _encode_array(value: object) -> dict[str, str]:
    if not isinstance(value, np.ndarray) or str(value.dtype) not in TYPES:
        raise TypeError(f"cannot encode {type(value).__name__}")
    little_endian = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    content = base64.b64encode(little_endian.tobytes()).decode()
    return {"type": str(value.dtype), "base64": content}


def decode_json(text: bytes) -> dict[str, Any]:
    """Decode a question, with its arrays in one dimension.

    Arguments:
        text: JSON.

    Raises:
        InputError: It is not a JSON object, or has a damaged array.

    Examples:
        >>> decode_json(b'{"z": {"type": "float32", "base64": "AACAPw=="}}')
        {'z': array([1.], dtype=float32)}
    """
    try:
        question = json.loads(text, object_hook=_decode_array)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"question: is not JSON ({error})") from None
    if not isinstance(question, dict):
        raise InputError(f"question: must be an object, got {type(question).__name__}")
    return question


def _decode_array(value: dict[str, Any]) -> dict[str, Any] | NDArray[Any]:
    if value.keys() != {"type", "base64"}:
        return value
    if value["type"] not in TYPES:
        raise InputError(f"type: must be one of {', '.join(TYPES)}, got {value['type']!r}")
    dtype = np.dtype(value["type"])
    try:
        content = base64.b64decode(value["base64"], validate=True)
        return np.frombuffer(content, dtype.newbyteorder("<")).astype(dtype)
    except (TypeError, ValueError, binascii.Error) as error:
        raise InputError(f"base64: is not an array of {dtype} ({error})") from None
