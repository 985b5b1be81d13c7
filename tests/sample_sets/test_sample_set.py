"""The contract of sample sets, of every kind."""

import numpy as np
import pytest
import torch

from iidgan.core import Dataset
from iidgan.sample_sets import blocks, generated, open_samples
from tests.helpers.errors import raises_input_error
from tests.helpers.images import random_images, write_files, write_zip
from tests.helpers.sample_sets import (
    channels_first,
    make_model,
    name_images,
    read_all,
    write_tar,
)

NUM = 11
IMAGES = random_images(NUM)
POINTS = np.random.default_rng(0).normal(size=(NUM, 3))


def save(path, array):
    np.save(path, array) if path.suffix == ".npy" else np.savez(path, array)
    return path


KINDS = {
    "folder": lambda path: write_files(path, name_images(IMAGES)),
    "ZIP": lambda path: write_zip(path / "x.zip", name_images(IMAGES)),
    "TAR": lambda path: write_tar(path / "x.tar", name_images(IMAGES)),
    "array": lambda path: IMAGES,
    "floats": lambda path: torch.tensor(IMAGES / 255),
    ".npy": lambda path: save(path / "x.npy", IMAGES),
    ".npz": lambda path: save(path / "x.npz", IMAGES / 255),
    "data set": lambda path: Dataset(channels_first(IMAGES)),
    "points": lambda path: POINTS,
    ".npy of points": lambda path: save(path / "x.npy", POINTS),
    "data set of points": lambda path: Dataset(torch.from_numpy(POINTS).float()),
    "model": lambda path: make_model(),
    "model of points": lambda path: make_model((2,)),
}


CASES = {
    f"{kind}, {size or 'own'} pixels": (write, size)
    for kind, write in KINDS.items()
    for size in ([None] if "points" in kind else [None, 4])
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def open_set(request, tmp_path):
    """Opens the same samples, again and again."""
    write, size = request.param
    samples = write(tmp_path)
    return lambda: open_samples(samples, size=size, num=NUM)


@pytest.fixture(params=[1, 700, 1 << 22])
def _block_sizes(request, monkeypatch):
    monkeypatch.setattr(blocks, "MAX_BLOCK_VALUES", request.param)
    monkeypatch.setattr(generated, "CHUNK_SIZE", 4)


@pytest.mark.usefixtures("_block_sizes")
def test_contract(open_set):
    samples = open_set()
    everything = read_all(samples)
    assert everything.shape == (NUM, *samples.shape)
    assert everything.dtype == (torch.uint8 if samples.is_image else torch.float32)
    assert samples.num_samples == NUM
    assert samples.take(range(NUM)).equal(everything)
    for indices in ([0], [10], [2, 3, 7], [0, 10]):
        assert torch.cat(list(samples.iterate(indices))).equal(everything[indices])
    assert samples.take([7, 2, 7]).equal(everything[[7, 2, 7]])
    assert read_all(open_set()).equal(everything)


def test_contract_of_digests(open_set, monkeypatch):
    samples = open_set()
    choices = [range(NUM), range(NUM - 1), [0], [1], [0, 1]]
    digests = [samples.compute_sha256(indices) for indices in choices]
    assert len(set(digests)) == len(choices)
    monkeypatch.setattr(blocks, "MAX_BLOCK_VALUES", 1)
    assert [open_set().compute_sha256(list(indices)) for indices in choices] == digests


def test_take_nothing():
    nothing = open_samples(IMAGES).take([])
    assert (nothing.shape, nothing.dtype) == ((0, 3, 8, 8), torch.uint8)
    nothing = open_samples(POINTS).take([])
    assert (nothing.shape, nothing.dtype) == ((0, 3), torch.float32)


def test_error_names_the_set():
    with raises_input_error("samples", "expected images"):
        open_samples(IMAGES[..., :2])
