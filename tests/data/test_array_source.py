"""Array files: every number is kept, and every malformed file is refused."""

import dataclasses
import hashlib
import pickle

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from iidgan.config.run import Run
from iidgan.data import ArrayFile, array
from tests.helpers.data import holds_or_refuses, load_samples, write_array
from tests.helpers.errors import raises_input_error

SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TABLE_SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(
    values=st.one_of(
        hnp.arrays(np.float32, TABLE_SHAPES, elements=FINITE),
        hnp.arrays(hnp.integer_dtypes(endianness="?"), TABLE_SHAPES),
        hnp.arrays(hnp.unsigned_integer_dtypes(endianness="?"), TABLE_SHAPES),
        hnp.arrays(np.dtype(">f2"), TABLE_SHAPES, elements=st.integers(-2048, 2048)),
    ),
    fortran=st.booleans(),
)
@SETTINGS
def test_npy_keeps_every_number(tmp_path, values, fortran):
    path = write_array(tmp_path, "x.npy", np.asfortranarray(values) if fortran else values)
    samples = load_samples(path)
    assert samples.dtype == torch.float32
    assert samples.is_contiguous()
    np.testing.assert_array_equal(samples.numpy(), values.astype(np.float32))


@given(
    values=hnp.arrays(np.float32, TABLE_SHAPES, elements=FINITE),
    has_header=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n", "\n\n", "\n  \n"]),
)
@SETTINGS
def test_csv_keeps_every_number(tmp_path, values, has_header, line_end):
    header = [",".join(f"column {i}" for i in range(values.shape[1]))] if has_header else []
    lines = header + [",".join(repr(float(v)) for v in row) for row in values]
    samples = load_samples(write_array(tmp_path, "x.csv", line_end.join(lines) + line_end))
    assert samples.dtype == torch.float32
    assert samples.is_contiguous()
    np.testing.assert_array_equal(samples.numpy(), values)


def test_csv_of_spreadsheet(tmp_path):
    content = b'\xef\xbb\xbf"a","b"\r\n" 1.5",2\r\n\r\n-3e2,\t4 \r\n'
    path = write_array(tmp_path, "X.CSV", content)
    assert load_samples(path).tolist() == [[1.5, 2.0], [-300.0, 4.0]]


def test_csv_with_byte_order_mark(tmp_path):
    path = write_array(tmp_path, "x.csv", b"\xef\xbb\xbf1,2\n")
    assert load_samples(path).tolist() == [[1.0, 2.0]]


def test_array_has_no_labels(tmp_path):
    data = array(write_array(tmp_path, "x.npy", np.zeros((3, 4)))).load()
    assert (data.shape, len(data), data.y, data.truth, data.labels) == ((4,), 3, None, None, ())


NPY_ERRORS = {
    "pickled objects": (np.array([[None, 1]], dtype=object), [".npy"]),
    "flat": (np.zeros(6), ["(N, d)", "(6,)", "(6, 1)"]),
    "cube": (np.zeros((2, 3, 4)), ["(N, d)", "(2, 3, 4)", "(2, 12)"]),
    "scalar": (np.array(1.0), ["(N, d)", "()", "(1, 1)"]),
    "no rows": (np.zeros((0, 2)), ["no samples", "(0, 2)"]),
    "no columns": (np.zeros((2, 0)), ["no samples", "(2, 0)"]),
    "nan": (np.array([[0, 1], [2, np.nan], [np.nan, 0]]), ["row 1, column 1", "nan"]),
    "infinity": (np.array([[0, 1], [-np.inf, 2]]), ["row 1, column 0", "-inf"]),
    "beyond float32": (np.array([[0, 1e39]]), ["row 0, column 1", "1e+39", "float32"]),
    "complex": (np.zeros((2, 2), complex), ["complex128", "floats", "integers"]),
    "bool": (np.zeros((2, 2), bool), ["bool", "floats"]),
    "text": (np.array([["a", "b"]]), ["<U1", "floats"]),
    "records": (np.zeros(2, [("a", "f8"), ("b", "f8")]), ["[('a'", "floats"]),
    "a bare pickle": (pickle.dumps(np.zeros((2, 2))), [".npy"]),
    "nothing": (b"", [".npy"]),
}


@pytest.mark.parametrize(("content", "values"), NPY_ERRORS.values(), ids=NPY_ERRORS)
def test_npy_refuses_malformed_file(tmp_path, content, values):
    path = write_array(tmp_path, "x.npy", content)
    with raises_input_error(str(path), *values):
        load_samples(path)


CSV_ERRORS = {
    "text in a row": ("x,y\n1,2\n3,four\n", ["line 3, column 2", "'four'"]),
    "text in the first row": ("1,two\n3,4\n", ["line 1, column 2", "'two'"]),
    "empty cell": ("1,2\n\n3,\n", ["line 3, column 2", "''"]),
    "second line of names": ("x,y\n1,2\nx,y\n", ["line 3, column 1", "'x'"]),
    "only commas": ("1,2\n,\n", ["line 2, column 1", "''"]),
    "nan": ("1,2\nnan,4\n", ["line 2, column 1", "'nan'", "finite"]),
    "infinity at once": ("1,inf\n", ["line 1, column 2", "'inf'", "finite"]),
    "beyond float32": ("1,1e39\n", ["row 0, column 1", "finite in float32"]),
    "longer row": ("1,2\n3,4,5\n", ["line 2", "expected 2", "got 3"]),
    "shorter row": ("x,y\n1,2\n3\n", ["line 3", "expected 2", "got 1"]),
    "decimal commas": ("1,5;2,5\n", ["line 1, column 2", "'5;2'", "point"]),
    "long cell": ("1,2\n3," + "x" * 1000, ["column 2", "xxx...xxx"]),
    "open quote": ('1,2\n"' + "3,4\n" * 100_000, ["field larger than field limit"]),
    "only names": ("x,y\n", ["no samples"]),
    "nothing": ("", ["no samples"]),
    "not utf-8": (b"\xff\xfe1\x00,\x002\x00", ["comma-separated numbers"]),
}


@pytest.mark.parametrize(("content", "values"), CSV_ERRORS.values(), ids=CSV_ERRORS)
def test_csv_refuses_malformed_file(tmp_path, content, values):
    path = write_array(tmp_path, "x.csv", content)
    with raises_input_error(str(path), *values):
        load_samples(path)


@given(content=st.binary(max_size=300), suffix=st.sampled_from([".npy", ".csv"]))
@SETTINGS
def test_array_of_random_bytes(tmp_path, content, suffix):
    path = write_array(tmp_path, f"x{suffix}", content)
    assert holds_or_refuses(lambda: load_samples(path).isfinite().all(), path)


@given(position=st.integers(0, 127), byte=st.integers(0, 255))
@settings(parent=SETTINGS, max_examples=100)
def test_npy_with_damaged_header(tmp_path, position, byte):
    content = bytearray(write_array(tmp_path, "x.npy", np.ones((3, 2))).read_bytes())
    content[position] = byte
    path = write_array(tmp_path, "x.npy", bytes(content))
    assert holds_or_refuses(lambda: load_samples(path).isfinite().all(), path)


def test_npy_header_larger_than_file(tmp_path):
    path = tmp_path / "x.npy"
    with open(path, "wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**11, 2)}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(48))
    with raises_input_error(str(path), "greater than file size"):
        load_samples(path)


@pytest.mark.parametrize("name", ["x.npy", "x.csv"])
def test_array_refuses_missing_file(tmp_path, name):
    path = tmp_path / name
    for make in (lambda: ArrayFile(path=str(path)).load(), lambda: array(path)):
        with raises_input_error(str(path), "No such file"):
            make()
    path.mkdir()
    with raises_input_error(str(path), "expected a regular file"):
        array(path)


def test_array_refuses_invalid_path():
    with raises_input_error("a\0b.npy", "cannot be read"):
        array("a\0b.npy")


@pytest.mark.parametrize("make", [array, lambda path: ArrayFile(path=path).load()])
def test_array_refuses_unknown_suffix(make):
    with raises_input_error("x.txt", "'.txt'", ".npy, .npz, .csv"):
        make("x.txt")


def test_array_is_pinned_by_digest(tmp_path):
    path = write_array(tmp_path, "x.csv", "1,2\n")
    source = array(path)
    assert source == ArrayFile(path=str(path), sha256=hashlib.sha256(b"1,2\n").hexdigest())
    assert dataclasses.replace(source, sha256=source.sha256.upper()).load().x.tolist() == [[1, 2]]
    write_array(tmp_path, "x.csv", "1,3\n")
    with raises_input_error(str(path), source.sha256, hashlib.sha256(b"1,3\n").hexdigest()):
        source.load()
    assert ArrayFile(path=str(path)).load().x.tolist() == [[1, 3]]


def test_array_notes_describe_the_data(tmp_path):
    data = array(write_array(tmp_path, "x.csv", ",a,b\n0,1.5,2\n1,0.5,3\n")).load()
    assert data.notes[0] == "2 samples of 2 numbers: a, b"
    assert len(data.notes) == 2
    assert array(write_array(tmp_path, "x.npy", np.eye(3))).load().notes == (
        "3 samples of 3 numbers",
    )


SCALES = {
    "far from 0": ([10.0, 11.0], True),
    "large": ([-5.1, 5.1], True),
    "small": ([0.0, 0.38], True),
    "usual": ([-4.0, 5.0], False),
    "constant": ([5.0, 5.0], False),
    "constant fractions": ([0.1, 0.1], False),
}


@pytest.mark.parametrize(("column", "expected"), SCALES.values(), ids=SCALES)
def test_array_advises_on_scale(tmp_path, column, expected):
    path = write_array(tmp_path, "x.npy", np.stack([[0.0, 1.0], column], 1))
    advice = [note for note in array(path).load().notes if "--source.standardise" in note]
    assert [("column 2" in note) for note in advice] == [True] * expected
    source = dataclasses.replace(array(path), standardise=True)
    assert len(source.load().notes) == 1


def test_array_standardises_in_full_precision(tmp_path):
    values = np.stack([1e6 + np.array([0.0, 0.01, 0.02]), [5.0, 5.0, 5.0]], 1)
    plain = array(write_array(tmp_path, "x.npy", values))
    data = dataclasses.replace(plain, standardise=True).load()
    torch.testing.assert_close(
        data.x[:, 0], torch.tensor([-1.5, 0, 1.5]) / 1.5**0.5, atol=1e-5, rtol=0
    )
    assert data.x[:, 1].tolist() == [0, 0, 0]
    assert data.compute_sha256() == plain.load().compute_sha256()
    own_units = data.in_own_units()
    assert own_units.scaling is None
    torch.testing.assert_close(own_units.x, plain.load().x)


def test_standardise_is_omitted_from_ids(tmp_path):
    source = array(write_array(tmp_path, "x.npy", np.eye(3)))
    scaled = dataclasses.replace(source, standardise=True)
    assert "standardise" not in Run(source=source).to_dict()["source"]
    assert Run(source=source).id != Run(source=scaled).id


def write_labelled(path):
    path.write_text("a,kind,b\n1.5,7,2\n0.5,3,4\n2.5,7,6\n")
    return str(path)


@pytest.mark.parametrize("column", ["kind", "1"])
def test_column_of_labels(tmp_path, column):
    data = ArrayFile(path=write_labelled(tmp_path / "x.csv"), label_column=column).load()
    assert data.x.tolist() == [[1.5, 2.0], [0.5, 4.0], [2.5, 6.0]]
    assert data.y.tolist() == [1, 0, 1]
    assert data.classes.names == ("3", "7")
    assert data.notes[0] == "3 samples of 2 numbers: a, b"


def test_labels_can_be_words(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("species,a,b\n dog ,1.5,2\ncat,0.5,4\ndog,2.5,6\n10,3.5,8\n")
    data = ArrayFile(path=str(path), label_column="species").load()
    assert data.x.tolist() == [[1.5, 2.0], [0.5, 4.0], [2.5, 6.0], [3.5, 8.0]]
    assert data.classes.names == ("10", "cat", "dog")
    assert data.y.tolist() == [2, 1, 2, 0]


def test_numbers_are_labels_in_the_order_of_numbers(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,kind\n1.5,10\n0.5,9.0\n2.5,9\n")
    data = ArrayFile(path=str(path), label_column="kind").load()
    assert data.classes.names == ("9", "10")
    assert data.y.tolist() == [1, 0, 0]


def test_wrong_name_of_a_column_of_words(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,kind\n1.5,cat\n0.5,dog\n")
    with raises_input_error("source.label-column", "no column 'knd'; it has a, kind"):
        ArrayFile(path=str(path), label_column="knd").load()


def test_missing_label_names_its_line(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,kind\n1.5,cat\n0.5,\n")
    with raises_input_error(None, "line 3, column 2: the label is missing"):
        ArrayFile(path=str(path), label_column="kind").load()


def test_large_labels_keep_their_names(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[0.5, 20260102], [1.5, 20260101]]))
    data = ArrayFile(path=str(tmp_path / "x.npy"), label_column="1").load()
    assert data.classes.names == ("20260101", "20260102")


def test_labels_are_kept_by_standardisation(tmp_path):
    path = write_labelled(tmp_path / "x.csv")
    data = ArrayFile(path=path, label_column="kind", standardise=True).load()
    assert data.x.shape == (3, 2)
    assert data.y.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("a", "must have words or whole numbers"),
        ("colour", "no column 'colour'; it has a, kind, b"),
        ("3", "no column '3'"),
    ],
)
def test_wrong_column_of_labels(tmp_path, column, message):
    with raises_input_error("source.label-column", message):
        ArrayFile(path=write_labelled(tmp_path / "x.csv"), label_column=column).load()


def test_labels_cannot_be_the_only_column(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 1)))
    with raises_input_error("source.label-column", "which has to be a sample"):
        ArrayFile(path=str(tmp_path / "x.npy"), label_column="0").load()


@pytest.mark.parametrize(
    ("labels", "names"),
    [(np.array([3, 0, 3]), ("0", "3")), (np.array(["cat", "ant", "cat"]), ("ant", "cat"))],
    ids=["numbers", "words"],
)
def test_labels_from_another_array(tmp_path, labels, names):
    path = tmp_path / "x.npz"
    np.savez(path, x=np.array([[0.5, 1], [2, 3], [4, 5]]), y=labels)
    data = ArrayFile(path=str(path), label_column="y").load()
    assert data.x.tolist() == [[0.5, 1], [2, 3], [4, 5]]
    assert (data.y.tolist(), data.labels) == ([1, 0, 1], names)
    assert ArrayFile(path=str(path)).load().y is None


@pytest.mark.parametrize(
    "labels", [np.zeros(2), np.zeros((3, 1)), np.ones(3, bool)], ids=["too few", "table", "bool"]
)
def test_array_that_is_not_labels(tmp_path, labels):
    path = tmp_path / "x.npz"
    np.savez(path, x=np.zeros((3, 2)), y=labels)
    with raises_input_error("source.label-column", "'y'", path, "3", labels.dtype, labels.shape):
        ArrayFile(path=str(path), label_column="y").load()


def test_array_of_samples_is_not_labels(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, x=np.zeros((3, 2)))
    with raises_input_error("source.label-column", "x"):
        ArrayFile(path=str(path), label_column="x").load()
