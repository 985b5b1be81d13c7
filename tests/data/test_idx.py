"""IDX files: where they are searched, what they contain, and every malformed file."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from iidgan.data import FashionMnist, Mnist, idx
from tests.helpers.data import encode_idx, holds_or_refuses, write_array
from tests.helpers.errors import raises_input_error

SYSTEM_DATASETS = idx.SYSTEM_DATASETS
needs_fashion = pytest.mark.skipif(
    not (SYSTEM_DATASETS / "fashion-mnist" / "train-images-idx3-ubyte.gz").exists(),
    reason="Debian's package dataset-fashion-mnist is not installed",
)
SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([9, 0, 4], dtype=np.uint8)
FILE_NAME = "train-{}-idx{}-ubyte"


@pytest.fixture(autouse=True)
def _no_data_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.delenv("IIDGAN_DATA", raising=False)
    monkeypatch.setattr(idx, "SYSTEM_DATASETS", tmp_path / "system")


def write_idx(folder, kind, content, file_name=FILE_NAME):
    folder.mkdir(parents=True, exist_ok=True)
    return write_array(folder, file_name.format(kind, {"images": 3, "labels": 1}[kind]), content)


def write_both(folder, images=IMAGES):
    write_idx(folder, "images", encode_idx(images))
    write_idx(folder, "labels", encode_idx(LABELS))


@pytest.mark.parametrize("name", ["{}-{{}}-idx{{}}-ubyte", "{}-{{}}.idx{{}}-ubyte"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(("split", "stem"), [("train", "train"), ("test", "t10k")])
def test_load_keeps_images_and_labels(tmp_path, name, compress, suffix, split, stem):
    """Gzipped files are recognised by their content, so a wrong suffix does no harm."""
    write_idx(tmp_path, "images", compress(encode_idx(IMAGES)), name.format(stem) + suffix)
    write_idx(tmp_path, "labels", compress(encode_idx(LABELS)), name.format(stem) + suffix)
    dataset = Mnist(root=str(tmp_path), split=split).load()
    assert (dataset.x.dtype, dataset.y.dtype) == (torch.uint8, torch.int64)
    assert np.array_equal(dataset.x.numpy(), IMAGES[:, None])
    assert dataset.y.tolist() == [9, 0, 4]
    assert dataset.is_image
    assert dataset.labels == tuple("0123456789")
    assert torch.equal(dataset.x, Mnist(root=str(tmp_path), split=split).load().x)


@given(
    images=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=9)),
    compress=st.sampled_from([bytes, gzip.compress]),
)
@SETTINGS
def test_read_idx_keeps_every_byte(tmp_path, images, compress):
    path = write_idx(tmp_path, "images", compress(encode_idx(images)))
    assert np.array_equal(idx.read_idx(path, "images").values.numpy(), images)


@given(data=st.data())
@SETTINGS
def test_read_idx_of_damaged_gzip_is_whole_or_refused(tmp_path, data):
    content = bytearray(gzip.compress(encode_idx(IMAGES), mtime=0))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = write_idx(tmp_path, "images", bytes(content[: data.draw(st.integers(1, len(content)))]))
    assert holds_or_refuses(
        lambda: np.array_equal(idx.read_idx(path, "images").values.numpy(), IMAGES), path
    )


def test_load_without_labels(tmp_path):
    write_idx(tmp_path, "images", encode_idx(IMAGES))
    dataset = FashionMnist(root=str(tmp_path)).load()
    assert (len(dataset), dataset.y, dataset.labels) == (3, None, ())


def test_load_searches_root_only(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "env"))
    write_both(tmp_path / "env")
    root = tmp_path / "root"
    with raises_input_error("mnist", "no train-images", root):
        Mnist(root=str(root)).load()
    write_both(root / "mnist", IMAGES + 1)
    assert Mnist(root=str(root)).load().x[0, 0, 0, 0] == 1
    write_both(root, IMAGES + 2)
    assert Mnist(root=str(root)).load().x[0, 0, 0, 0] == 2


def test_load_searches_environment_before_system(tmp_path, monkeypatch):
    write_both(tmp_path / "system" / "mnist", IMAGES + 1)
    assert Mnist().load().x[0, 0, 0, 0] == 1
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "env"))
    assert Mnist().load().x[0, 0, 0, 0] == 1
    write_both(tmp_path / "env", IMAGES + 2)
    assert Mnist().load().x[0, 0, 0, 0] == 2
    write_both(tmp_path / "env" / "mnist", IMAGES + 3)
    assert Mnist().load().x[0, 0, 0, 0] == 3


@pytest.mark.parametrize(
    ("source", "folder"), [(Mnist, "MNIST/raw"), (FashionMnist, "FashionMNIST/raw")]
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_load_searches_folders_of_torchvision(tmp_path, monkeypatch, source, folder, suffix):
    for kind, values in (("images", IMAGES), ("labels", LABELS)):
        content = gzip.compress(encode_idx(values)) if suffix else encode_idx(values)
        write_idx(tmp_path / folder, kind, content, FILE_NAME + suffix)
    for root in (tmp_path, tmp_path / folder, (tmp_path / folder).parent):
        assert source(root=str(root)).load().y.tolist() == [9, 0, 4]
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path))
    assert source().load().y.tolist() == [9, 0, 4]


def test_load_searches_folders_named_like_files(tmp_path):
    """Some archives have the file in a folder of the same name."""
    for kind, values in (("images", IMAGES), ("labels", LABELS)):
        name = FILE_NAME.format(kind, {"images": 3, "labels": 1}[kind])
        write_idx(tmp_path / name, kind, encode_idx(values))
    assert Mnist(root=str(tmp_path)).load().y.tolist() == [9, 0, 4]


def test_load_reads_labels_beside_images(tmp_path):
    write_idx(tmp_path, "images", encode_idx(IMAGES))
    write_idx(tmp_path / "mnist", "labels", encode_idx(LABELS))
    assert Mnist(root=str(tmp_path)).load().y is None


def test_load_names_searched_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "env"))
    folders = [tmp_path / name for name in ("env/fashion-mnist", "env", "system/fashion-mnist")]
    with raises_input_error(
        "fashion-mnist",
        "no t10k-images-idx3-ubyte[.gz] in ",
        *folders,
        "apt-get install dataset-fashion-mnist",
        "`iidgan prepare fashion-mnist --from hub`",
    ):
        FashionMnist(split="test").load()


@pytest.mark.parametrize("source_class", [Mnist, FashionMnist])
def test_split_refuses_unknown(source_class):
    with raises_input_error("split", "unknown 'tests'", "did you mean 'test'"):
        source_class(split="tests")


WHOLE = encode_idx(IMAGES)
IMAGE_ERRORS = {
    "labels for images": (encode_idx(LABELS), ["IDX file of images", "an IDX file of labels"]),
    "floats": (
        b"\0\0\x0d\3" + bytes(72),
        ["IDX file of images", "an IDX file of another type or rank", "0x00000d03"],
    ),
    "png": (b"\x89PNG\r\n\x1a\n", ["a PNG image"]),
    "jpeg": (b"\xff\xd8\xff\xe0abc", ["a JPEG image"]),
    "npy": (b"\x93NUMPY\1\0", ["a NumPy array"]),
    "zip": (b"PK\3\4rest", ["a ZIP archive"]),
    "page": (b"<!doctype html>", ["a web page"]),
    "gzipped page": (gzip.compress(b"<html></html>"), ["a web page"]),
    "gzipped twice": (gzip.compress(gzip.compress(WHOLE)), ["a file gzipped twice"]),
    "unknown": (b"abcdef", ["something else", "0x61626364"]),
    "empty file": (b"", ["a file of 0 bytes"]),
    "empty gzip": (gzip.compress(b""), ["a file of 0 bytes"]),
    "half a header": (WHOLE[:10], ["truncated", "16 bytes", "got 10"]),
    "half the images": (WHOLE[:46], ["truncated", "60 bytes of images", "got 30"]),
    "one byte too few, zipped": (
        gzip.compress(WHOLE[:-1]),
        ["truncated", "60 bytes of images", "got 59"],
    ),
    "one byte too many": (WHOLE + b"x", ["continues after the 60 bytes"]),
    "one byte too many, zipped": (gzip.compress(WHOLE + b"x"), ["continues after the 60 bytes"]),
    "cut gzip": (gzip.compress(WHOLE)[:-12], ["truncated or damaged: "]),
    "gzip with a tail": (gzip.compress(WHOLE) + b"tail", ["truncated or damaged: "]),
    "wrong checksum": (gzip.compress(WHOLE)[:-8] + bytes(8), ["truncated or damaged: CRC"]),
    "no images": (struct.pack(">4I", 0x803, 0, 28, 28), ["no images", "(0, 28, 28)"]),
    "no pixels": (struct.pack(">4I", 0x803, 5, 28, 0), ["no images", "(5, 28, 0)"]),
}


@pytest.mark.parametrize(("content", "values"), IMAGE_ERRORS.values(), ids=IMAGE_ERRORS)
def test_load_refuses_malformed_images(tmp_path, content, values):
    path = write_idx(tmp_path, "images", content)
    with raises_input_error(str(path), *values):
        Mnist(root=str(tmp_path)).load()


LABEL_ERRORS = {
    "images for labels": (WHOLE, ["IDX file of labels", "an IDX file of images"]),
    "too few": (encode_idx(LABELS[:2]), ["3 labels", "train-images-idx3-ubyte", "got 2"]),
    "eleventh class": (encode_idx(LABELS + 1), ["between 0 and 9", "got 10"]),
    "none": (encode_idx(LABELS[:0]), ["no labels"]),
    "cut": (encode_idx(LABELS)[:-1], ["3 bytes of labels", "got 2"]),
}


@pytest.mark.parametrize(("content", "values"), LABEL_ERRORS.values(), ids=LABEL_ERRORS)
def test_load_refuses_malformed_labels(tmp_path, content, values):
    write_idx(tmp_path, "images", WHOLE)
    path = write_idx(tmp_path, "labels", content)
    with raises_input_error(str(path), *values):
        Mnist(root=str(tmp_path)).load()


def test_load_refuses_empty_folder(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    with raises_input_error("mnist", "no train-images-idx3-ubyte"):
        Mnist(root=str(tmp_path)).load()


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_read_idx_truncated_anywhere(tmp_path, compress):
    content = compress(WHOLE)
    for end in range(len(content)):
        path = write_idx(tmp_path, "images", content[:end])
        with raises_input_error(str(path)):
            idx.read_idx(path, "images")


@given(data=st.data(), compress=st.sampled_from([bytes, gzip.compress]))
@settings(parent=SETTINGS, max_examples=100)
def test_read_idx_with_wrong_byte(tmp_path, data, compress):
    content = bytearray(compress(WHOLE))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    path = write_idx(tmp_path, "images", bytes(content))
    assert holds_or_refuses(lambda: idx.read_idx(path, "images").values.numel() == 60, path)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_read_idx_huge_header_takes_no_memory(tmp_path, compress):
    content = struct.pack(">4I", 0x803, 2**32 - 1, 2**16, 2**16) + bytes(100)
    path = write_idx(tmp_path, "images", compress(content))
    tracemalloc.start()
    try:
        with raises_input_error(str(path), f"{(2**32 - 1) * 2**32} bytes", "got 100"):
            idx.read_idx(path, "images")
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


def test_read_idx_stops_after_stated_size(tmp_path):
    bomb = gzip.compress(WHOLE + bytes(2**26), compresslevel=1)
    path = write_idx(tmp_path, "images", bomb)
    tracemalloc.start()
    try:
        with raises_input_error(str(path), "continues after the 60 bytes"):
            idx.read_idx(path, "images")
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


@needs_fashion
@pytest.mark.parametrize(("split", "images_per_class"), [("train", 6_000), ("test", 1_000)])
def test_fashion_mnist_content(monkeypatch, caplog, split, images_per_class):
    monkeypatch.setattr(idx, "SYSTEM_DATASETS", SYSTEM_DATASETS)
    dataset = FashionMnist(split=split).load()
    assert caplog.records == []  # Debian repacks the published content
    with raises_input_error(None, f"got the fashion-mnist {split} images"):
        Mnist(root=str(SYSTEM_DATASETS / "fashion-mnist"), split=split).load()
    assert dataset.x.shape == (10 * images_per_class, 1, 28, 28)
    assert dataset.x.dtype == torch.uint8
    assert dataset.y.bincount().tolist() == [images_per_class] * 10
    assert dataset.labels[dataset.y[0]] == "Ankle boot"
    assert (int(dataset.x.min()), int(dataset.x.max())) == (0, 255)
    if split == "train":
        assert dataset.y[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
        # The mean pixel of the training images, widely used to standardise them.
        assert dataset.x.double().mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    batch = dataset.take_samples(torch.tensor([[0, 1], [2, 3]]))
    assert batch.shape == (2, 2, 1, 28, 28)
    assert (float(batch.min()), float(batch.max())) == (-1.0, 1.0)
