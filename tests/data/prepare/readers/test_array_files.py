"""Images in NumPy's files."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from iidgan.data.prepare import prepare
from iidgan.data.prepare.readers.array_files import (
    find_channel_axis,
    open_stored_array,
    read_array_shape,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.images import load_arrays, random_images, write_zip

COLOURS = random_images(6)
GREY = random_images(6, channels=1)[..., 0]
CHANNELS = COLOURS.transpose(0, 3, 1, 2)


def save(path, arrays):
    if isinstance(arrays, dict):
        np.savez_compressed(path, **arrays)
    else:
        np.save(path, arrays)
    return str(path)


LAYOUTS = {
    "MedMNIST": {
        "train_images": COLOURS[:3],
        "train_labels": np.array([[2], [0], [2]], np.uint8),
        "val_images": COLOURS[3:4],
        "val_labels": np.array([[1]], np.uint8),
        "test_images": COLOURS[4:],
        "test_labels": np.array([[1], [0]], np.uint8),
    },
    "Keras": {
        "x_train": COLOURS[:3],
        "y_train": np.array([2, 0, 2]),
        "x_test": COLOURS[4:],
        "y_test": np.array([1, 0]),
    },
}


@pytest.mark.parametrize("arrays", LAYOUTS.values(), ids=LAYOUTS)
def test_arrays_of_splits(tmp_path, arrays):
    origin = save(tmp_path / "x.npz", arrays)
    result = prepare("x", origin=origin, size=8)
    assert np.array_equal(load_arrays(result)[0], CHANNELS[:3])
    assert (result.manifest.labels, load_arrays(result)[1].tolist()) == (("0", "2"), [1, 0, 1])
    test = prepare("x", origin=origin, size=8, split="test")
    assert test.folder.name == "x-test"
    assert np.array_equal(load_arrays(test)[0], CHANNELS[4:])
    unlabelled = prepare("y", origin=origin, labels="none")
    assert (unlabelled.manifest.count, unlabelled.manifest.labels) == (3, ())
    with raises_input_error("split", "unknown 'dev'", "test, train"):
        prepare("x", origin=origin, split="dev")
    with raises_input_error("labels", "'folders'", "come with labels"):
        prepare("z", origin=origin, labels="folders")


SINGLE = {
    "grey": (GREY, GREY[:, None]),
    "grey, channel last": (GREY[..., None], GREY[:, None]),
    "grey, channel first": (GREY[:, None], GREY[:, None]),
    "colours, channel last": (COLOURS, CHANNELS),
    "colours, channel first": (np.ascontiguousarray(CHANNELS), CHANNELS),
    "integers of 64 bits": (COLOURS.astype(np.int64), CHANNELS),
    "big-endian": (GREY.astype(">u2") << 4, GREY[:, None]),
    "truths": (GREY > 127, 255 * (GREY[:, None] > 127)),
}


@pytest.mark.parametrize(("array", "expected"), SINGLE.values(), ids=SINGLE)
@pytest.mark.parametrize("name", ["x.npy", "x.NPZ"])
def test_arrays_of_images(tmp_path, array, expected, name):
    path = tmp_path / name
    with path.open("wb") as file:
        np.save(file, array) if name == "x.npy" else np.savez(file, array)
    result = prepare("x", origin=str(path), size=8)
    assert np.array_equal(load_arrays(result)[0], expected)
    assert load_arrays(result)[1] is None


def test_arrays_of_fractions(tmp_path):
    result = prepare("x", origin=save(tmp_path / "x.npy", GREY / 255), size=8, value_range=(0, 1))
    assert np.array_equal(load_arrays(result)[0], GREY[:, None])
    assert "values from 0 to 1 scaled to 8 bits" in result.manifest.rule


def test_arrays_by_position_and_name(tmp_path):
    words = np.array(["cat", "dog", "", "cat", "dog", "cat"])
    for i, arrays in enumerate(
        ({"arr_0": GREY, "arr_1": words}, {"Images": GREY, "labels": words})
    ):
        result = prepare(f"x{i}", origin=save(tmp_path / f"{i}.npz", arrays))
        assert (result.manifest.labels, result.manifest.label_counts) == (("cat", "dog"), (3, 2))
        assert [str(image) for image in result.skipped] == ["image 2: has no label"]


def test_arrays_of_known_set(tmp_path):
    images = random_images(4, 28, 1)[..., 0]
    arrays = {"x_train": images[:2], "y_train": [3, 1], "x_test": images[2:], "y_test": [0, 9]}
    origin = save(tmp_path / "mnist.npz", arrays)
    assert np.array_equal(load_arrays(prepare("mnist", origin=origin))[0], images[:2, None])
    test = prepare("mnist", origin=origin, split="test")
    assert (test.folder.name, test.manifest.labels) == ("mnist-test", ("0", "9"))


INVALID = {
    "points": (np.zeros((4, 784)), ["(N, H, W)", "(4, 784)"]),
    "volumes": (np.zeros((4, 28, 28, 28), np.uint8), ["(4, 28, 28, 28)"]),
    "none": (np.zeros((0, 8, 8), np.uint8), ["(0, 8, 8)"]),
    "words": (np.full((4, 8, 8), "x"), ["expected numbers", "<U1"]),
    "complex": (np.zeros((4, 8, 8), complex), ["expected numbers", "complex128"]),
    "Fortran order": (np.asfortranarray(GREY), ["Fortran order", "ascontiguousarray"]),
    "several labels": (
        {"train_images": GREY, "train_labels": np.zeros((6, 14), int)},
        ["train_labels", "one integer or word per image", "(6, 14)", "--labels none"],
    ),
    "labels of fractions": (
        {"x_train": GREY, "y_train": np.zeros(6)},
        ["y_train", "one integer or word per image", "float64"],
    ),
    "too few labels": ({"x_train": GREY, "y_train": np.zeros(5, int)}, ["6 images", "got 5"]),
    "unknown names": ({"a": GREY, "b": GREY}, ["train_images", "x_train", "got a, b"]),
}


@pytest.mark.parametrize(("arrays", "values"), INVALID.values(), ids=INVALID)
def test_arrays_refuse_invalid(tmp_path, arrays, values):
    origin = save(tmp_path / ("x.npz" if isinstance(arrays, dict) else "x.npy"), arrays)
    with raises_input_error(None, origin, *values):
        prepare("x", origin=origin)
    assert list((tmp_path / "home").iterdir()) == []


def encode_npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=array.dtype.hasobject)
    return file.getvalue()


CONTENT = encode_npy(GREY)


def encode_header(shape, code="|u1"):
    text = f"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


DAMAGED = {
    "empty": b"",
    "text": b"hello",
    "half": CONTENT[:-100],
    "half a header": CONTENT[:40],
    "tail": CONTENT + b"x",
    "header of noise": CONTENT[:10] + b"(" * 118 + CONTENT[128:],
    "objects": encode_npy(np.array([None] * 4)),
    "huge": encode_header((1 << 40, 1 << 10, 1 << 10)),
    "negative": encode_header((-4, -8, 8)) + bytes(256),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_arrays_refuse_damaged(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content) if name == "x.npy" else write_zip(path, {"images.npy": content})
    tracemalloc.start()
    try:
        with raises_input_error(None, str(path)):
            prepare("x", origin=str(path))
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


def test_arrays_refuse_labels_without_bytes(tmp_path):
    arrays = {"x_train.npy": CONTENT, "y_train.npy": encode_header((6,), "<U0")}
    path = write_zip(tmp_path / "x.npz", arrays)
    with raises_input_error("labels", "y_train", "one integer or word per image"):
        prepare("x", origin=str(path))


def test_arrays_refuse_other_files(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(CONTENT)
    with raises_input_error(str(path), "ZIP"):
        prepare("x", origin=str(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", CONTENT)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # caught by the check sum
    path.write_bytes(content)
    with raises_input_error(str(path), "damaged file (Bad CRC"):
        prepare("x", origin=str(path))
    with raises_input_error("split", "no splits", "'test'"):
        prepare("x", origin=save(tmp_path / "x.npy", GREY), split="test")
    with raises_input_error("from", "does not exist"):
        prepare("x", origin=str(tmp_path / "y.npz"))


STORED = {
    "x.npy": COLOURS,
    "x.npz": {"images": GREY, "x": COLOURS},
    "y.npz": {"x_train": COLOURS, "y_train": np.zeros(6, int)},
}


@pytest.mark.parametrize(("name", "arrays"), STORED.items(), ids=STORED)
def test_stored_array_has_random_access(tmp_path, name, arrays):
    path = tmp_path / name
    save(path, arrays)
    assert read_array_shape(path) == COLOURS.shape
    with open_stored_array(path) as stored:
        assert (stored.shape, stored.dtype) == (COLOURS.shape, np.uint8)
        for indices in ([1, 4, 5], [0, 3], range(6), None):
            items = list(stored.read_items(indices))
            assert np.array_equal(items, COLOURS if indices is None else COLOURS[list(indices)])


def test_shape_of_an_array_in_fortran_order(tmp_path):
    path = tmp_path / "x.npy"
    save(path, np.asfortranarray(np.zeros((4, 2))))
    assert read_array_shape(path) == (4, 2)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((5, 8, 8), None),
        ((5, 8, 8, 1), 3),
        ((5, 3, 8, 8), 1),
        ((5, 3, 8, 3), 3),
        ((5, 1, 1, 1), 3),
    ],
)
def test_channel_axis(shape, axis):
    assert find_channel_axis("x", shape) == axis


@pytest.mark.parametrize("shape", [(5,), (5, 8), (5, 8, 8, 4), (5, 8, 8, 8, 3), (0, 8, 8), ()])
def test_channel_axis_of_other_arrays(shape):
    with raises_input_error("x", "(N, H, W)", shape):
        find_channel_axis("x", shape)
