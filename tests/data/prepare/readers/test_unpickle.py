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


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("code", ["b1", "i1", "i2", "i4", "i8", "u1", "u8", "f2", "f4", "f8"])
def test_load_restricted_pickle_honours_byte_order(protocol, order, code):
    array = np.array([[0, 1, 2], [100, 3, 4]]).astype(f"{order}{code}")
    for values in (array, np.asfortranarray(array), array[:0]):
        loaded = load_restricted_pickle(
            pickle.dumps({"data": values, "same": values}, protocol), "x"
        )
        assert np.array_equal(loaded["data"], values)
        assert loaded["data"].dtype.newbyteorder("=") == np.dtype(code)
        assert loaded["data"] is loaded["same"]


def test_load_restricted_pickle_of_python_2():
    """As NumPy for Python 2 wrote arrays, in the published files of CIFAR."""
    content = (
        b"\x80\x02}U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85"
        b"U\x01b\x87R(K\x01K\x02K\x01\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x02\x07\x08tbs."
    )
    assert load_restricted_pickle(content, "x")[b"data"].tolist() == [[7], [8]]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(2, [("a", "i4"), ("b", "f4")]),
        np.zeros(2, [("a", "u1", (3,))]),
        np.zeros(2, "c8"),
        np.zeros(2, "c16"),
        np.zeros(2, "U3"),
        np.zeros(2, "S3"),
        np.zeros(2, "V3"),
        np.zeros(2, "M8[s]"),
        np.zeros(2, "m8[s]"),
        np.zeros(2, np.longdouble),
        np.array([None, "text"], object),
        np.array([[1, 2], [3]], object),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_load_restricted_pickle_refuses_other_types(array, protocol):
    with raises_input_error("x", "not a pickle of arrays"):
        load_restricted_pickle(pickle.dumps({"data": array}, protocol), "x")


def test_load_restricted_pickle_refuses_type_options():
    """A type that says more of itself than its byte order, or stands alone."""
    aligned = np.dtype("i4", align=True, metadata={"key": "value"})
    for value in (
        np.zeros(2, aligned),
        np.dtype([("a", "i4")]),
        np.zeros(3, "u1").view(np.matrix),
    ):
        with raises_input_error("x", "not a pickle of arrays"):
            load_restricted_pickle(pickle.dumps([value], 2), "x")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"K\x03\x85", b"K\x04\x85"),  # the shape (3,), one more than there is
        (b"K\x03\x85", b"K\x02\x85"),
        (b"K\x03\x85", b"K\x03K\x00\x86"),
        (b"K\x03\x85", b"J\xfd\xff\xff\xff\x85"),
        (b"i4", b"i8"),
        (b"i4", b"i3"),
        (b"i4", b"O8"),
        (b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00|"),
        (b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00="),
        (b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00x"),
        (b"q\x0fNNN", b"q\x0fNN]"),
        (b"J\xff\xff\xff\xffK\x00", b"J\xff\xff\xff\xffK\x3f"),  # flags
        (b"J\xff\xff\xff\xffK\x00", b"K\x08K\x00"),  # alignment
    ],
)
def test_load_restricted_pickle_checks_states(old, new):
    content = pickle.dumps(np.arange(3, dtype="<i4"), 2)
    assert content.count(old) == 1
    with raises_input_error("x", "not a pickle of arrays"):
        load_restricted_pickle(content.replace(old, new), "x")


@pytest.mark.parametrize(
    "value",
    [
        {1},
        frozenset([1]),
        bytearray(b"x"),
        {(1,): 2},
        {1: 2},
        1j,
        range(3),
        np.zeros,
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_load_restricted_pickle_refuses_other_values(value, protocol):
    with raises_input_error("x", "not a pickle of arrays"):
        load_restricted_pickle(pickle.dumps([value], protocol), "x")


def test_load_restricted_pickle_names_globals_in_one_line():
    with raises_input_error("x", r"os.a\nb is not allowed"):
        load_restricted_pickle(b"\x80\x04\x8c\x02os\x8c\x03a\nb\x93.", "x")


def test_load_restricted_pickle_gives_functions_no_state():
    reduced = b"cnumpy\ndtype\n}b."
    with raises_input_error("x", "a function has a state"):
        load_restricted_pickle(reduced, "x")


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
    with raises_input_error("x", "O8", "not numbers"):
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
