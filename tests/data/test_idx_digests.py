"""Digests of the files of MNIST and its kin."""

import gzip
import hashlib
import logging

import numpy as np
import pytest

from iidgan.data import FashionMnist, Mnist, idx_digests
from tests.helpers.data import encode_idx
from tests.helpers.errors import raises_input_error
from tests.helpers.images import write_files

IMAGES, LABELS = (encode_idx(np.zeros(shape, np.uint8)) for shape in ((3, 4, 5), (3,)))


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def digits(tmp_path):
    """A folder with files of MNIST's names."""
    files = {
        "train-images-idx3-ubyte.gz": gzip.compress(IMAGES),
        "train-labels-idx1-ubyte": LABELS,
    }
    return write_files(tmp_path / "digits", files)


@pytest.fixture
def published(monkeypatch):
    """As if these files were published as the ones of MNIST."""
    contents = {sha256(IMAGES): "mnist train images", sha256(LABELS): "mnist train labels"}
    monkeypatch.setattr(idx_digests, "_CONTENTS", contents)


def test_load_accepts_published_files(digits, published, caplog):
    assert len(Mnist(root=str(digits)).load()) == 3
    assert caplog.records == []


def test_load_refuses_files_of_other_set(digits, published):
    with raises_input_error(
        str(digits / "train-images-idx3-ubyte.gz"),
        "expected the fashion-mnist train images, got the mnist train images",
        sha256(IMAGES),
    ):
        FashionMnist(root=str(digits)).load()


def test_load_refuses_labels_of_other_set(digits, published, monkeypatch):
    contents = {sha256(LABELS): "fashion-mnist train labels"}
    monkeypatch.setattr(idx_digests, "_CONTENTS", contents)
    with raises_input_error(str(digits / "train-labels-idx1-ubyte"), "fashion-mnist train labels"):
        Mnist(root=str(digits)).load()


def test_load_refuses_other_split(digits, published):
    for path in digits.iterdir():
        path.rename(digits / path.name.replace("train", "t10k"))
    with raises_input_error(None, "expected the mnist test images, got the mnist train images"):
        Mnist(root=str(digits), split="test").load()


def test_load_refuses_packed_file_of_other_set(digits, monkeypatch):
    file_digest = sha256((digits / "train-images-idx3-ubyte.gz").read_bytes())
    monkeypatch.setattr(idx_digests, "_PACKED_FILES", {file_digest: "kmnist train images"})
    with raises_input_error(None, "got the kmnist train images"):
        Mnist(root=str(digits)).load()


def test_load_warns_once_of_unknown_files(digits, caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert len(Mnist(root=str(digits)).load()) == 3
    (message,) = caplog.messages
    assert message.endswith(
        f"loaded, but not the published mnist train images (sha256 {sha256(IMAGES)})"
    )
    assert "\n" not in message


def test_load_warns_of_unknown_labels(digits, published, caplog, monkeypatch):
    contents = {sha256(IMAGES): "mnist train images"}
    monkeypatch.setattr(idx_digests, "_CONTENTS", contents)
    Mnist(root=str(digits)).load()
    assert ["mnist train labels" in message for message in caplog.messages] == [True]
