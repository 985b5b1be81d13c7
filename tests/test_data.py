"""Data sources: known answers of each, the same data at each load, and every wrong input."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import math
import pickle
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from iidgan.core import Source
from iidgan.data import (
    SOURCES,
    ArrayFile,
    FashionMnist,
    Grid,
    Mnist,
    Mnist5k,
    Ring,
    array,
    idx,
    source_from,
)
from iidgan.errors import InputError

SYSTEM = idx.SYSTEM
needs_fashion = pytest.mark.skipif(
    not (SYSTEM / "fashion-mnist" / "train-images-idx3-ubyte.gz").exists(),
    reason="Debian's package dataset-fashion-mnist is not installed",
)
one_folder = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def attempt(holds: Callable[[], object], path: Path) -> bool:
    """Tells whether `holds()`, or raises one line that begins with the file."""
    try:
        return bool(holds())
    except InputError as error:
        return str(error).startswith(f"{path}: ") and "\n" not in str(error)


# Mixtures


def test_ring_has_the_centres_of_the_paper():
    h = math.sqrt(2)
    expected = [(2, 0), (h, h), (0, 2), (-h, h), (-2, 0), (-h, -h), (0, -2), (h, -h)]
    truth = Ring(size=8).load().truth
    torch.testing.assert_close(truth.centres, torch.tensor(expected), rtol=0, atol=1e-6)
    assert truth.std == 0.001


def test_grid_has_the_centres_of_the_paper():
    expected = [(2.0 * i, 2.0 * j) for i in range(-2, 3) for j in range(-2, 3)]
    truth = Grid(size=25).load().truth
    assert torch.equal(truth.centres, torch.tensor(expected))
    assert truth.std == 0.0025


def test_a_grid_of_even_side_is_centred_too():
    expected = [(-1.5, -1.5), (-1.5, 1.5), (1.5, -1.5), (1.5, 1.5)]
    centres = Grid(side=2, spacing=3.0, size=4).load().truth.centres
    assert torch.equal(centres, torch.tensor(expected))


@pytest.mark.parametrize(("source", "each"), [(Ring(), 12_500), (Grid(), 4_000)])
def test_every_mode_has_equally_many_samples_of_the_right_distribution(source, each):
    data = source.load()
    assert data.x.shape == (100_000, 2)
    assert (data.x.dtype, data.y.dtype) == (torch.float32, torch.int64)
    assert not data.is_image
    assert set(data.y.bincount().tolist()) == {each}
    residual = (data.x - data.truth.centres[data.y]).double() / source.std
    for mode in range(len(data.truth.centres)):
        own = residual[data.y == mode]
        # Five standard errors of a mean and of a standard deviation.
        assert own.mean(0).abs().max() < 5 / math.sqrt(each)
        assert (own.std(0) - 1).abs().max() < 5 / math.sqrt(2 * each)
    covariance = residual.T.cov()
    assert covariance[0, 1].abs() < 5 / math.sqrt(len(residual))


@given(modes=st.integers(1, 30), extra=st.integers(0, 100))
@settings(deadline=None, max_examples=30)
def test_counts_of_modes_differ_by_at_most_one(modes, extra):
    counts = Ring(modes=modes, size=modes + extra).load().y.bincount(minlength=modes)
    assert counts.sum() == modes + extra
    assert counts.max() - counts.min() <= 1


def test_the_first_samples_of_a_mixture_have_every_mode():
    assert Grid().load().y[:50].bincount().tolist() == [2] * 25


@pytest.mark.parametrize("kind", [Ring, Grid])
def test_a_mixture_is_the_same_at_every_load_and_another_for_another_seed(kind):
    first = kind(size=1_000).load()
    torch.manual_seed(123)
    assert torch.equal(first.x, kind(size=1_000).load().x)
    assert not torch.equal(first.x, kind(size=1_000, seed=1).load().x)


def test_a_mixture_leaves_the_default_generator_alone():
    before = torch.get_rng_state()
    Ring(size=100).load()
    assert torch.equal(before, torch.get_rng_state())


def test_radius_spacing_and_std_only_scale():
    assert torch.allclose(
        Ring(radius=6.0, std=0.03, size=80).load().x, 3 * Ring(std=0.01, size=80).load().x
    )
    assert torch.allclose(
        Grid(spacing=1.0, std=0.1, size=50).load().x, Grid(std=0.2, size=50).load().x / 2
    )


def test_papers_evaluate_these_many_samples():
    assert (Ring.num_evaluated, Grid.num_evaluated) == (50_000, 100_000)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Ring, {"modes": 0}, "modes: 0 is too small; at least 1"),
        (Ring, {"radius": 0.0}, "radius: 0.0 is not a positive"),
        (Ring, {"radius": math.inf}, "radius: inf is not a positive finite"),
        (Ring, {"std": -0.1}, "std: -0.1 is not a positive"),
        (Ring, {"std": math.nan}, "std: nan is not a positive"),
        (Ring, {"size": 7}, "size: 7 is too small; at least 8 to give each of 8 modes a sample"),
        (Ring, {"seed": -1}, "seed: -1 is out of range; from 0"),
        (Ring, {"seed": 2**63}, "seed: .* is out of range"),
        (Grid, {"side": 0}, "side: 0 is too small; at least 1"),
        (Grid, {"spacing": -2.0}, "spacing: -2.0 is not a positive"),
        (Grid, {"std": 0.0}, "std: 0.0 is not a positive"),
        (Grid, {"size": 24}, "size: 24 is too small; at least 25"),
        (Grid, {"seed": -5}, "seed: -5 is out of range"),
    ],
)
def test_a_mixture_refuses_impossible_fields(kind, options, message):
    with pytest.raises(InputError, match=message):
        kind(**options)


# Arrays


def written(folder: Path, name: str, content: bytes | str | np.ndarray) -> Path:
    path = folder / name
    if isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=content.dtype.hasobject)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def load(path: Path) -> torch.Tensor:
    data = ArrayFile(path=str(path)).load()
    assert data.x.dtype == torch.float32
    assert data.x.is_contiguous()
    return data.x


tables = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)
finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(
    values=st.one_of(
        hnp.arrays(np.float32, tables, elements=finite),
        hnp.arrays(hnp.integer_dtypes(endianness="?"), tables),
        hnp.arrays(hnp.unsigned_integer_dtypes(endianness="?"), tables),
        hnp.arrays(np.dtype(">f2"), tables, elements=st.integers(-2048, 2048)),
    ),
    fortran=st.booleans(),
)
@one_folder
def test_npy_keeps_every_number(tmp_path, values, fortran):
    path = written(tmp_path, "x.npy", np.asfortranarray(values) if fortran else values)
    np.testing.assert_array_equal(load(path).numpy(), values.astype(np.float32))


@given(
    values=hnp.arrays(np.float32, tables, elements=finite),
    header=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\n\n", "\n  \n"]),
)
@one_folder
def test_csv_keeps_every_number(tmp_path, values, header, end):
    names = [",".join(f"column {i}" for i in range(values.shape[1]))] if header else []
    lines = names + [",".join(repr(float(v)) for v in row) for row in values]
    path = written(tmp_path, "x.csv", end.join(lines) + end)
    np.testing.assert_array_equal(load(path).numpy(), values)


def test_csv_of_a_spreadsheet(tmp_path):
    content = b'\xef\xbb\xbf"a","b"\r\n" 1.5",2\r\n\r\n-3e2,\t4 \r\n'
    assert load(written(tmp_path, "X.CSV", content)).tolist() == [[1.5, 2.0], [-300.0, 4.0]]


def test_a_byte_order_mark_does_not_hide_the_first_number(tmp_path):
    assert load(written(tmp_path, "x.csv", b"\xef\xbb\xbf1,2\n")).tolist() == [[1.0, 2.0]]


def test_an_array_has_no_labels_and_no_truth(tmp_path):
    data = array(written(tmp_path, "x.npy", np.zeros((3, 4)))).load()
    assert (data.shape, len(data), data.y, data.truth, data.labels) == ((4,), 3, None, None, ())


NPY_ERRORS = {
    "pickled objects": (np.array([[None, 1]], dtype=object), "not a .npy file of plain numbers"),
    "flat": (np.zeros(6), r"has shape \(6,\); reshape it to \(N, d\), such as \(6, 1\)"),
    "cube": (np.zeros((2, 3, 4)), r"shape \(2, 3, 4\); reshape .* such as \(2, 12\)"),
    "scalar": (np.array(1.0), r"shape \(\); reshape .* such as \(1, 1\)"),
    "no rows": (np.zeros((0, 2)), r"holds no samples: its shape is \(0, 2\)"),
    "no columns": (np.zeros((2, 0)), r"holds no samples: its shape is \(2, 0\)"),
    "nan": (np.array([[0, 1], [2, np.nan], [np.nan, 0]]), r"row 1, column 1 .* holds nan"),
    "infinity": (np.array([[0, 1], [-np.inf, 2]]), r"row 1, column 0 .* holds -inf"),
    "beyond float32": (np.array([[0, 1e39]]), r"row 0, column 1 .* holds 1e\+39, .* float32"),
    "complex": (np.zeros((2, 2), complex), "holds complex128; known: floats and integers"),
    "bool": (np.zeros((2, 2), bool), "holds bool; known"),
    "text": (np.array([["a", "b"]]), "holds <U1; known"),
    "records": (np.zeros(2, [("a", "f8"), ("b", "f8")]), r"holds \[\('a'"),
    "a bare pickle": (pickle.dumps(np.zeros((2, 2))), "not a .npy file"),
    "nothing": (b"", "not a .npy file"),
}


@pytest.mark.parametrize(("content", "message"), NPY_ERRORS.values(), ids=NPY_ERRORS)
def test_npy_refuses(tmp_path, content, message):
    path = written(tmp_path, "x.npy", content)
    with pytest.raises(InputError, match=message) as error:
        load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


CSV_ERRORS = {
    "text in a row": ("x,y\n1,2\n3,four\n", "line 3, column 2: 'four' is not a finite number"),
    "text in the first row": ("1,two\n3,4\n", "line 1, column 2: 'two' is not"),
    "empty cell": ("1,2\n\n3,\n", "line 3, column 2: '' is not"),
    "second line of names": ("x,y\n1,2\nx,y\n", "line 3, column 1: 'x' is not"),
    "only commas": ("1,2\n,\n", "line 2, column 1: '' is not"),
    "nan": ("1,2\nnan,4\n", "line 2, column 1: 'nan' is not a finite"),
    "infinity at once": ("1,inf\n", "line 1, column 2: 'inf' is not a finite"),
    "beyond float32": ("1,1e39\n", r"row 0, column 1 .* not finite in float32"),
    "longer row": ("1,2\n3,4,5\n", "line 2: 3 numbers, in the first row 2"),
    "shorter row": ("x,y\n1,2\n3\n", "line 3: 1 numbers, in the first row 2"),
    "decimal commas": ("1,5;2,5\n", "line 1, column 2: '5;2' is not .* a point decimals"),
    "long cell": ("1,2\n3," + "x" * 1000, r"column 2: 'x+\.\.\.x+' is not"),
    "open quote": ('1,2\n"' + "3,4\n" * 100_000, "field larger than field limit"),
    "only names": ("x,y\n", "holds no samples"),
    "nothing": ("", "holds no samples"),
    "not utf-8": (b"\xff\xfe1\x00,\x002\x00", "not a text of comma-separated numbers"),
}


@pytest.mark.parametrize(("content", "message"), CSV_ERRORS.values(), ids=CSV_ERRORS)
def test_csv_refuses(tmp_path, content, message):
    path = written(tmp_path, "x.csv", content)
    with pytest.raises(InputError, match=message) as error:
        load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@given(content=st.binary(max_size=300), suffix=st.sampled_from([".npy", ".csv"]))
@one_folder
def test_no_bytes_raise_anything_but_an_input_error(tmp_path, content, suffix):
    path = written(tmp_path, f"x{suffix}", content)
    assert attempt(lambda: load(path).isfinite().all(), path)


@given(at=st.integers(0, 127), byte=st.integers(0, 255))
@settings(parent=one_folder, max_examples=100)
def test_a_damaged_npy_header_raises_nothing_but_an_input_error(tmp_path, at, byte):
    content = bytearray(written(tmp_path, "x.npy", np.ones((3, 2))).read_bytes())
    content[at] = byte
    path = written(tmp_path, "x.npy", bytes(content))
    assert attempt(lambda: load(path).isfinite().all(), path)


def test_a_npy_header_cannot_promise_more_than_there_is(tmp_path):
    path = tmp_path / "x.npy"
    with open(path, "wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**11, 2)}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(48))
    with pytest.raises(InputError, match="greater than file size"):
        load(path)


@pytest.mark.parametrize("name", ["x.npy", "x.csv"])
def test_an_array_file_has_to_exist_and_to_be_a_file(tmp_path, name):
    path = tmp_path / name
    for make in (lambda: ArrayFile(path=str(path)).load(), lambda: array(path)):
        with pytest.raises(InputError, match=f"{name}: cannot be read: .*No such file"):
            make()
    path.mkdir()
    with pytest.raises(InputError, match=f"{name}: not a file"):
        array(path)


def test_a_path_that_no_system_can_open_is_an_input_error():
    with pytest.raises(InputError, match="cannot be read"):
        array("a\0b.npy")


@pytest.mark.parametrize("make", [array, lambda path: ArrayFile(path=path).load()])
def test_an_array_file_of_another_suffix_is_refused(make):
    with pytest.raises(InputError, match=r"x\.txt: the suffix '\.txt' .* known: \.npy, \.csv"):
        make("x.txt")


def test_an_array_is_pinned_by_its_digest(tmp_path):
    path = written(tmp_path, "x.csv", "1,2\n")
    source = array(path)
    assert source == ArrayFile(path=str(path), sha256=hashlib.sha256(b"1,2\n").hexdigest())
    assert dataclasses.replace(source, sha256=source.sha256.upper()).load().x.tolist() == [[1, 2]]
    written(tmp_path, "x.csv", "1,3\n")
    with pytest.raises(InputError, match=rf"x\.csv: the file has changed: sha256 {source.sha256}"):
        source.load()
    assert ArrayFile(path=str(path)).load().x.tolist() == [[1, 3]]


# IDX files


def idx_bytes(values: np.ndarray) -> bytes:
    magic = 0x800 + values.ndim
    return struct.pack(f">{values.ndim + 1}I", magic, *values.shape) + values.tobytes()


IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([9, 0, 4], dtype=np.uint8)


@pytest.fixture(autouse=True)
def _no_data_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.delenv("IIDGAN_DATA", raising=False)
    monkeypatch.setattr(idx, "SYSTEM", tmp_path / "system")


def put(folder: Path, kind: str, content: bytes, name: str = "train-{}-idx{}-ubyte") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return written(folder, name.format(kind, {"images": 3, "labels": 1}[kind]), content)


def pair(folder: Path, name: str = "train-{}-idx{}-ubyte", images: np.ndarray = IMAGES) -> None:
    put(folder, "images", idx_bytes(images), name)
    put(folder, "labels", idx_bytes(LABELS), name)


@pytest.mark.parametrize("name", ["{}-{{}}-idx{{}}-ubyte", "{}-{{}}.idx{{}}-ubyte"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(("split", "stem"), [("train", "train"), ("test", "t10k")])
def test_idx_round_trip(tmp_path, name, pack, suffix, split, stem):
    """Content decides whether a file is gzipped, so a wrong suffix does no harm."""
    put(tmp_path, "images", pack(idx_bytes(IMAGES)), name.format(stem) + suffix)
    put(tmp_path, "labels", pack(idx_bytes(LABELS)), name.format(stem) + suffix)
    data = Mnist(root=str(tmp_path), split=split).load()
    assert (data.x.dtype, data.y.dtype) == (torch.uint8, torch.int64)
    assert np.array_equal(data.x.numpy(), IMAGES[:, None])
    assert data.y.tolist() == [9, 0, 4]
    assert data.is_image
    assert data.labels == tuple("0123456789")
    assert torch.equal(data.x, Mnist(root=str(tmp_path), split=split).load().x)


@given(
    images=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=9)),
    pack=st.sampled_from([bytes, gzip.compress]),
)
@one_folder
def test_idx_keeps_every_byte(tmp_path, images, pack):
    path = put(tmp_path, "images", pack(idx_bytes(images)))
    assert np.array_equal(idx.read_idx(path, "images").numpy(), images)


def test_labels_are_optional(tmp_path):
    put(tmp_path, "images", idx_bytes(IMAGES))
    data = FashionMnist(root=str(tmp_path)).load()
    assert (len(data), data.y, data.labels) == (3, None, ())


def test_a_root_is_searched_alone_and_first_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "env"))
    pair(tmp_path / "env")
    root = tmp_path / "root"
    with pytest.raises(InputError, match="no train-images"):
        Mnist(root=str(root)).load()
    pair(root / "mnist", images=IMAGES + 1)
    assert Mnist(root=str(root)).load().x[0, 0, 0, 0] == 1
    pair(root, images=IMAGES + 2)
    assert Mnist(root=str(root)).load().x[0, 0, 0, 0] == 2


def test_without_a_root_the_environment_is_searched_before_the_system(tmp_path, monkeypatch):
    pair(tmp_path / "system" / "mnist", images=IMAGES + 1)
    assert Mnist().load().x[0, 0, 0, 0] == 1
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "env"))
    assert Mnist().load().x[0, 0, 0, 0] == 1
    pair(tmp_path / "env", images=IMAGES + 2)
    assert Mnist().load().x[0, 0, 0, 0] == 2
    pair(tmp_path / "env" / "mnist", images=IMAGES + 3)
    assert Mnist().load().x[0, 0, 0, 0] == 3


def test_labels_are_read_beside_their_images(tmp_path):
    put(tmp_path, "images", idx_bytes(IMAGES))
    put(tmp_path / "mnist", "labels", idx_bytes(LABELS))
    assert Mnist(root=str(tmp_path)).load().y is None


def test_files_that_are_not_there_are_sought_aloud(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "env"))
    with pytest.raises(InputError) as error:
        FashionMnist(split="test").load()
    message = str(error.value)
    for place in ("env/fashion-mnist", "env", "system/fashion-mnist"):
        assert str(tmp_path / place) in message
    assert message.startswith("fashion-mnist: no t10k-images-idx3-ubyte[.gz] in ")
    assert "apt-get install dataset-fashion-mnist" in message
    assert "`iidgan prepare fashion-mnist --from hub` fetches it" in message
    assert "\n" not in message


@pytest.mark.parametrize("kind", [Mnist, FashionMnist])
def test_a_split_has_to_be_known(kind):
    with pytest.raises(InputError, match="split: unknown 'tests'; did you mean 'test'"):
        kind(split="tests")


WHOLE = idx_bytes(IMAGES)
IDX_ERRORS = {
    "labels for images": (
        idx_bytes(LABELS),
        "not an IDX file of images but an IDX file of labels",
    ),
    "floats": (b"\0\0\x0d\3" + bytes(72), "but an IDX file of another type or rank .*0x00000d03"),
    "png": (b"\x89PNG\r\n\x1a\n", "but a PNG image"),
    "jpeg": (b"\xff\xd8\xff\xe0abc", "but a JPEG image"),
    "npy": (b"\x93NUMPY\1\0", "but a NumPy array"),
    "zip": (b"PK\3\4rest", "but a ZIP archive"),
    "page": (b"<!doctype html>", "but a web page"),
    "gzipped page": (gzip.compress(b"<html></html>"), "but a web page"),
    "gzipped twice": (gzip.compress(gzip.compress(WHOLE)), "but a file gzipped twice"),
    "unknown": (b"abcdef", r"but something else \(it begins with 0x61626364\)"),
    "empty file": (b"", "but a file of 0 bytes"),
    "empty gzip": (gzip.compress(b""), "but a file of 0 bytes"),
    "half a header": (WHOLE[:10], "truncated: a header of 16 bytes expected, 10 found"),
    "half the images": (WHOLE[:46], "truncated: 60 bytes of images expected, 30 found"),
    "one byte too few, zipped": (
        gzip.compress(WHOLE[:-1]),
        "60 bytes of images expected, 59 found",
    ),
    "one byte too many": (WHOLE + b"x", "goes on after the 60 bytes"),
    "one byte too many, zipped": (gzip.compress(WHOLE + b"x"), "goes on after the 60 bytes"),
    "cut gzip": (gzip.compress(WHOLE)[:-12], "truncated or damaged: "),
    "gzip with a tail": (gzip.compress(WHOLE) + b"tail", "truncated or damaged: "),
    "wrong checksum": (gzip.compress(WHOLE)[:-8] + bytes(8), "truncated or damaged: CRC"),
    "no images": (struct.pack(">4I", 0x803, 0, 28, 28), r"holds no images: .* \(0, 28, 28\)"),
    "no pixels": (struct.pack(">4I", 0x803, 5, 28, 0), r"holds no images: .* \(5, 28, 0\)"),
}


@pytest.mark.parametrize(("content", "message"), IDX_ERRORS.values(), ids=IDX_ERRORS)
def test_images_are_refused(tmp_path, content, message):
    path = put(tmp_path, "images", content)
    with pytest.raises(InputError, match=message) as error:
        Mnist(root=str(tmp_path)).load()
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


LABEL_ERRORS = {
    "images for labels": (WHOLE, "not an IDX file of labels but an IDX file of images"),
    "too few": (idx_bytes(LABELS[:2]), "2 labels for the 3 images of train-images-idx3-ubyte"),
    "eleventh class": (idx_bytes(LABELS + 1), "holds the label 10; known: 0 to 9"),
    "none": (idx_bytes(LABELS[:0]), "holds no labels"),
    "cut": (idx_bytes(LABELS)[:-1], "3 bytes of labels expected, 2 found"),
}


@pytest.mark.parametrize(("content", "message"), LABEL_ERRORS.values(), ids=LABEL_ERRORS)
def test_labels_are_refused(tmp_path, content, message):
    put(tmp_path, "images", WHOLE)
    path = put(tmp_path, "labels", content)
    with pytest.raises(InputError, match=message) as error:
        Mnist(root=str(tmp_path)).load()
    assert str(error.value).startswith(f"{path}: ")


def test_a_folder_under_the_name_of_a_file_is_refused(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    with pytest.raises(InputError, match="train-images-idx3-ubyte: not a file"):
        Mnist(root=str(tmp_path)).load()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_truncated_anywhere_is_an_input_error(tmp_path, pack):
    content = pack(WHOLE)
    for end in range(len(content)):
        path = put(tmp_path, "images", content[:end])
        with pytest.raises(InputError, match="train-images-idx3-ubyte: "):
            idx.read_idx(path, "images")


@given(data=st.data(), pack=st.sampled_from([bytes, gzip.compress]))
@settings(parent=one_folder, max_examples=100)
def test_idx_with_a_wrong_byte_is_read_or_an_input_error(tmp_path, data, pack):
    content = bytearray(pack(WHOLE))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path = put(tmp_path, "images", bytes(content))
    assert attempt(lambda: idx.read_idx(path, "images").numel() == 60, path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_of_terabytes_takes_no_memory(tmp_path, pack):
    content = struct.pack(">4I", 0x803, 2**32 - 1, 2**16, 2**16) + bytes(100)
    path = put(tmp_path, "images", pack(content))
    tracemalloc.start()
    try:
        with pytest.raises(
            InputError, match=f"{(2**32 - 1) * 2**32} bytes .* expected, 100 found"
        ):
            idx.read_idx(path, "images")
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


def test_a_gzip_is_not_unpacked_beyond_its_header(tmp_path):
    bomb = gzip.compress(WHOLE + bytes(2**26), compresslevel=1)
    path = put(tmp_path, "images", bomb)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="goes on after the 60 bytes"):
            idx.read_idx(path, "images")
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


@needs_fashion
@pytest.mark.parametrize(("split", "each"), [("train", 6_000), ("test", 1_000)])
def test_fashion_mnist_has_its_known_content(monkeypatch, split, each):
    monkeypatch.setattr(idx, "SYSTEM", SYSTEM)
    data = FashionMnist(split=split).load()
    assert data.x.shape == (10 * each, 1, 28, 28)
    assert data.x.dtype == torch.uint8
    assert data.y.bincount().tolist() == [each] * 10
    assert data.labels[data.y[0]] == "Ankle boot"
    assert (int(data.x.min()), int(data.x.max())) == (0, 255)
    if split == "train":
        assert data.y[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
        # The mean pixel of the training images, widely used to standardise them.
        assert data.x.double().mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    batch = data.take(torch.tensor([[0, 1], [2, 3]]))
    assert batch.shape == (2, 2, 1, 28, 28)
    assert (float(batch.min()), float(batch.max())) == (-1.0, 1.0)


# Registry


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("ring", Ring()),
        ("grid", Grid()),
        ("mnist", Mnist()),
        ("mnist-5k", Mnist5k()),
        ("fashion-mnist", FashionMnist()),
    ],
)
def test_a_name_gives_its_source_with_defaults(text, source):
    assert source_from(text) == source


@pytest.mark.parametrize(("name", "content"), [("x.npy", np.ones((2, 3))), ("X.CSV", "1,2")])
def test_a_path_gives_an_array(tmp_path, name, content):
    path = written(tmp_path, name, content)
    assert source_from(str(path)) == array(path)
    with pytest.raises(InputError, match=r"y\.csv: cannot be read"):
        source_from(str(tmp_path / "y.csv"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rng", "source: unknown 'rng'; did you mean 'ring'"),
        ("fashion_mnist", "did you mean 'fashion-mnist'"),
        ("", "source: unknown ''; known: afhq-cat, .*fashion-mnist, grid, .*mnist-5k, ring"),
        ("array", r"source: 'array' needs a file; give its path instead \(\.npy, \.csv\)"),
        ("prepared", "source: 'prepared' needs a set; give its name instead"),
        ("x.txt", r"source: 'x\.txt' is no source; a path has to end in one of \.npy, \.csv"),
        ("some/folder", r"'some/folder' is no source; a path has to end"),
    ],
)
def test_other_texts_give_no_source(text, message):
    with pytest.raises(InputError, match=message):
        source_from(text)


@pytest.mark.parametrize("kind", SOURCES.values(), ids=SOURCES)
def test_sources_are_frozen_keyword_only_dataclasses(kind):
    assert issubclass(kind, Source)
    assert kind.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(kind))
    assert kind.__dict__["__doc__"]


def test_only_places_are_no_part_of_the_identity():
    places = {
        (name, field.name)
        for name, kind in SOURCES.items()
        for field in dataclasses.fields(kind)
        if field.metadata.get("path")
    }
    stacked = ("stacked-mnist", "stacked-fashion")
    named = ("mnist", "mnist-5k", "fashion-mnist", "prepared", *stacked)
    assert places == {("array", "path"), *((name, "root") for name in named)}
