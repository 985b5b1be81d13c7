"""Arrays in JSON."""

import json

import numpy as np
import pytest

from iidgan.explorer.wire import TYPES, decode_json, encode_json
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize("dtype", TYPES)
def test_arrays_survive_the_way(dtype):
    values = np.arange(6, dtype=dtype).reshape(2, 3)
    decoded = decode_json(encode_json({"values": values}).encode())["values"]
    assert decoded.dtype == values.dtype
    assert decoded.tolist() == [0, 1, 2, 3, 4, 5]


def test_other_values_survive_the_way():
    question = {"run": "0", "seed": 1, "label": None, "list": [1.5, {"base64": "no array"}]}
    assert decode_json(encode_json(question).encode()) == question


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b"", "question"),
        (b"[1]", "question"),
        (b"\xff", "question"),
        (b"[" * 100_000, "question"),
        (b'{"z": {"type": "float64", "base64": ""}}', "type"),
        (b'{"z": {"type": "float32", "base64": "?"}}', "base64"),
        (b'{"z": {"type": "float32", "base64": "AAA="}}', "base64"),
        (b'{"z": {"type": "float32", "base64": 3}}', "base64"),
    ],
)
def test_damaged_questions_are_refused(text, field):
    with raises_input_error(field):
        decode_json(text)


def test_numbers_that_json_lacks_are_not_sent():
    with pytest.raises(ValueError, match="JSON"):
        encode_json({"value": float("nan")})
    with pytest.raises(TypeError):
        encode_json({"values": np.zeros(1)})
    assert json.loads(encode_json({"value": 1.0})) == {"value": 1.0}
