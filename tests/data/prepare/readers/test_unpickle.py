"""The restricted unpickler: plain values are read, hostile pickles refused."""

import pickle
import pickletools
import tracemalloc

import numpy as np
import pytest

from iidgan.data.prepare.readers.unpickle import load_restricted_pickle
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize("protocol", range(5))
def test_load_restricted_pickle_of_plain_values(protocol):
    values = {"data": np.arange(6, dtype=np.uint8).reshape(2, 3), "labels": [1, 2], b"k": "text"}
    loaded = load_restricted_pickle(pickle.dumps(values, protocol), "x")
    assert np.array_equal(loaded["data"], values["data"])
    assert (loaded["labels"], loaded[b"k"]) == ([1, 2], "text")


class Exploit:
    def __init__(self, call, *arguments):
        self._reduced = call, arguments

    def __reduce__(self):
        return self._reduced


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_load_restricted_pickle_calls_nothing(tmp_path, protocol):
    for exploit in (
        Exploit(exec, f"open({str(tmp_path / 'harm')!r}, 'w')"),
        Exploit(__import__, "os"),
        Exploit(np.ndarray, (1 << 40,)),
        Exploit(np.zeros, 1 << 40),
        Exploit(getattr, "text", "join"),
    ):
        with raises_input_error("x", "not a pickle of arrays"):
            load_restricted_pickle(pickle.dumps({"data": exploit}, protocol), "x")
    assert not (tmp_path / "harm").exists()


def test_load_restricted_pickle_refuses_objects():
    with raises_input_error("x", "object"):
        load_restricted_pickle(pickle.dumps(np.array([print], dtype=object)), "x")


def test_load_restricted_pickle_takes_no_memory():
    position = b"r" + (1 << 30).to_bytes(4, "little")  # of an entry in its table
    content = pickle.PROTO + b"\x02" + pickle.EMPTY_LIST + position + pickle.STOP
    assert [op.name for op, _, _ in pickletools.genops(content)][-2] == "LONG_BINPUT"
    tracemalloc.start()
    try:
        assert load_restricted_pickle(content, "x") == []
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
