"""The reader of arrays: every kind of file, what it converts, and what it refuses in one line."""

import os
import random
import zipfile

import numpy as np
import pytest

from iidgan.data.array_files import ArrayBlocks, SampleArray, read_samples, write_npz
from tests.helpers.data import holds_or_refuses, write_array
from tests.helpers.errors import raises_input_error

VALUES = np.arange(6.0).reshape(3, 2) / 4


def write_npz_file(folder, **arrays):
    path = folder / "x.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("dtype", [">f8", "<f4", ">f4", "f2", "longdouble", ">i2", "u1", ">u8"])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_read_samples_converts(tmp_path, dtype, suffix):
    values = (VALUES * 4).astype(dtype)
    is_archive = suffix == ".npz"
    path = (
        write_npz_file(tmp_path, x=values)
        if is_archive
        else write_array(tmp_path, "x.npy", values)
    )
    samples = read_samples(path).values
    assert samples.dtype.isnative
    assert samples.dtype.itemsize <= 8
    assert samples.dtype.kind == values.dtype.kind
    np.testing.assert_array_equal(samples, VALUES * 4)


def test_read_samples_keeps_shape(tmp_path):
    images = np.zeros((4, 1, 8, 8), np.uint8)
    samples = read_samples(write_npz_file(tmp_path, x=images, z=VALUES))
    assert (samples.values.dtype, samples.values.shape) == (np.uint8, (4, 1, 8, 8))


def test_read_samples_of_archive(tmp_path):
    assert read_samples(write_npz_file(tmp_path, data=VALUES)).values.tolist() == VALUES.tolist()
    path = write_npz_file(tmp_path, a=VALUES, b=VALUES)
    with raises_input_error(str(path), "a, b", "named x"):
        read_samples(path)
    path = write_npz_file(tmp_path)
    with raises_input_error(str(path), "none"):
        read_samples(path)


BAD_VALUES = {
    "beyond float32": (np.array([[0, 1], [2, -1e300]]), ["row 1, column 1", "-1e+300", "float32"]),
    "beyond float64": (np.array([[np.longdouble("1e4000")]]), ["row 0, column 0", "float32"]),
    "nan in an image": (np.full((1, 1, 2, 2), np.nan), ["row 0, column (0, 0, 0)", "nan"]),
    "nan in a line": (np.array([0, np.nan]), ["row 1", "nan"]),
    "no samples": (np.zeros((0, 1, 8, 8)), ["no samples", "(0, 1, 8, 8)"]),
    "objects": (np.array([[None]]), ["Python objects", "astype"]),
    "text": (np.array([["a"]]), ["<U1", "floats"]),
    "scalar": (np.array(1.0), ["(N, d)", "()"]),
}


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize(("values", "words"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_read_samples_names_bad_value(tmp_path, values, words, suffix):
    is_archive = suffix == ".npz"
    path = (
        write_npz_file(tmp_path, x=values)
        if is_archive
        else write_array(tmp_path, "x.npy", values)
    )
    with raises_input_error(str(path), *words):
        read_samples(path)


def test_read_samples_refuses_trailing_bytes(tmp_path):
    path = write_array(tmp_path, "x.npy", VALUES)
    path.write_bytes(path.read_bytes() + b"\0")
    with raises_input_error(str(path), "1 bytes follow"):
        read_samples(path)


def set_member_field(path, offset_local, offset_central, value):
    """Overwrite a two-byte field in both headers of an archive's only member."""
    content = bytearray(path.read_bytes())
    central = content.rindex(b"PK\1\2")
    content[offset_local : offset_local + 2] = value
    content[central + offset_central : central + offset_central + 2] = value
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("offsets", "value", "word"),
    [((6, 8), b"\x01\x00", "encrypted"), ((8, 10), b"\x63\x00", "compression")],
)
def test_read_samples_refuses_odd_archive(tmp_path, offsets, value, word):
    path = write_npz_file(tmp_path, x=VALUES)
    set_member_field(path, *offsets, value)
    with raises_input_error(str(path), word):
        read_samples(path)


def test_read_samples_checks_sum_of_member(tmp_path):
    path = write_npz_file(tmp_path, x=VALUES)
    content = bytearray(path.read_bytes())
    content[content.index(VALUES.tobytes()) + 7] ^= 1
    path.write_bytes(content)
    with raises_input_error(str(path), "CRC"):
        read_samples(path)


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.csv"])
def test_read_samples_refuses_pipe(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with raises_input_error(str(tmp_path / name), "regular file"):
        read_samples(tmp_path / name)


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.csv"])
def test_read_samples_without_permission(tmp_path, name, monkeypatch):
    path = write_array(tmp_path, name, "1,2\n")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    for opener in ("builtins.open", "io.open", "numpy.lib.format.open_memmap"):
        monkeypatch.setattr(opener, refuse)
    with raises_input_error(str(path), "Permission denied") as caught:
        read_samples(path)
    assert "not a" not in str(caught.value)


def damage(content, generator):
    """Cut, flip, repeat or insert bytes."""
    position = generator.randrange(len(content) + 1)
    length = generator.choice([1, 1, 2, 8, 64])
    inserted = bytes(generator.randrange(256) for _ in range(length))
    rest_start = generator.choice([position, position + length, position + length, len(content)])
    return content[:position] + inserted[: generator.choice([0, length])] + content[rest_start:]


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
def test_read_samples_of_damaged_file(tmp_path, suffix):
    """Any bytes are samples, or one line of error."""
    if suffix == ".npz":
        path = tmp_path / "x.npz"
        np.savez_compressed(path, x=VALUES, z=VALUES)
    else:
        path = write_array(
            tmp_path, f"x{suffix}", VALUES if suffix == ".npy" else ",x\n0,1.5\n1,2\n"
        )
    whole, generator = path.read_bytes(), random.Random(0)
    for _ in range(400):
        content = whole
        for _ in range(generator.choice([1, 1, 2, 5])):
            content = damage(content, generator)
        path.write_bytes(content)
        assert holds_or_refuses(lambda: np.isfinite(read_samples(path).values).all(), path)


@pytest.mark.parametrize(
    ("shape", "columns", "text"),
    [
        ((300, 2), ("x", "y"), "300 samples of 2 numbers: x, y"),
        ((1, 1), (), "1 sample of 1 number"),
        ((2000, 9), tuple("abcdefghi"), "2,000 samples of 9 numbers: a, b, c, d, e, f, g, h, ..."),
    ],
)
def test_sample_array_describes_itself(shape, columns, text):
    assert SampleArray(np.zeros(shape), columns).describe() == text


def test_write_npz_of_blocks(tmp_path):
    blocks = [np.full((2, 3), i, np.float32) for i in range(4)]
    path = tmp_path / "x.npz"
    write_npz(path, {"x": ArrayBlocks((8, 3), iter(blocks)), "z": ArrayBlocks((0, 1), ())})
    with np.load(path) as archive:
        np.testing.assert_array_equal(archive["x"], np.concatenate(blocks))
        assert archive["z"].shape == (0, 1)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
