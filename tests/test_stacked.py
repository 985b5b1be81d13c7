"""Stacked images: three of a base's at a time, labelled by all three, and never copied."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

import iidgan
from iidgan.config.run import Run
from iidgan.core import Dataset
from iidgan.data import SOURCES, StackedFashion, StackedMnist
from iidgan.engine.sampling import Batches
from iidgan.errors import InputError
from iidgan.methods import iid_gan
from iidgan.nn import DCGAN
from iidgan.training.context import Game

EACH = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """MNIST in small: images of noise, of which no two are alike, with labels in turn."""
    made = tmp_path_factory.mktemp("idx")
    pixels = np.random.default_rng(0).integers(0, 256, (10 * EACH, 28, 28), np.uint8)
    labels = (np.arange(10 * EACH) % 10).astype(np.uint8)
    write(made / "train-images-idx3-ubyte.gz", 3, pixels)
    write(made / "train-labels-idx1-ubyte.gz", 1, labels)
    return made


def write(path, rank, values):
    header = struct.pack(f">{rank + 1}I", 0x0800 + rank, *values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes(), 1))


def stacked(folder, kind=StackedMnist, **options):
    return kind(root=str(folder), **options)


def base_of(source) -> Dataset:
    return source._base().load()


@pytest.mark.parametrize("kind", [StackedMnist, StackedFashion])
def test_a_sample_is_three_images_of_the_base_and_its_label_their_three_labels(folder, kind):
    source = stacked(folder, kind, pixels=28, size=500)
    data, base = source.load(), base_of(source)
    names = {image.numpy().tobytes(): int(label) for image, label in zip(base.x, base.y)}
    samples = ((data.take(torch.arange(500)) + 1) * 127.5).round().byte()
    found = [[names[channel.numpy().tobytes()] for channel in sample] for sample in samples]
    assert [100 * r + 10 * g + b for r, g, b in found] == data.y.tolist()
    words = [", ".join(base.labels[label] for label in triple) for triple in found]
    assert words == [data.labels[y] for y in data.y]


def test_nothing_is_copied(folder):
    base = base_of(stacked(folder)).x
    data = stacked(folder, size=100_000).load()
    assert data.x.shape == base.shape
    stored = [data.x, data.y, *data.view.tensors()]
    made = len(data) * 3 * 32 * 32
    assert sum(part.numel() * part.element_size() for part in stored) < made / 50
    assert data.x.untyped_storage().nbytes() == base.numel()


def test_all_thousand_modes_are_there_about_as_often(folder):
    data = stacked(folder, size=128_000).load()
    counts = data.y.bincount(minlength=1000)
    assert len(counts) == len(data.labels) == 1000
    # Poisson of mean 128: five deviations hold all thousand counts.
    assert (counts - 128).abs().max() < 5 * 128**0.5
    shares = counts / counts.sum()
    assert (shares * (1000 * shares).log()).sum() < 2 * 999 / (2 * 128_000)


def test_is_the_same_at_every_load_and_another_for_another_seed(folder):
    first = stacked(folder, size=500).load()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert stacked(folder, size=500).load().digest() == first.digest()
    assert torch.equal(before, torch.get_rng_state())
    for change in ({"seed": 1}, {"size": 501}, {"pixels": 28}):
        other = stacked(folder, **{"size": 500, **change}).load()
        assert other.digest() != first.digest(), change


def test_a_longer_set_begins_as_a_shorter_one(folder):
    short, long = (stacked(folder, size=size).load() for size in (100, 200))
    assert torch.equal(short.y, long.y[:100])


@pytest.mark.parametrize("pixels", [28, 32, 64])
@pytest.mark.parametrize("index", [torch.tensor(3), torch.arange(4), torch.arange(6).view(2, 3)])
def test_samples_have_the_shape_of_their_index_and_the_scale_of_images(folder, pixels, index):
    data = stacked(folder, pixels=pixels, size=10).load()
    assert data.is_image
    assert len(data) == 10
    assert data.shape == (3, pixels, pixels)
    x = data.take(index)
    assert x.shape == (*index.shape, 3, pixels, pixels)
    assert x.dtype == torch.float32
    assert -1 <= x.min() < -0.9 < 0.9 < x.max() <= 1
    each = [data.take(i) for i in index.flatten()]
    assert torch.equal(torch.stack(each).reshape(x.shape), x)


def test_padding_is_black_and_leaves_the_middle_as_it_is(folder):
    index = torch.arange(20)
    plain, padded = (stacked(folder, pixels=p, size=20).load().take(index) for p in (28, 32))
    assert torch.equal(padded[..., 2:30, 2:30], plain)
    padded[..., 2:30, 2:30] = -1
    assert (padded == -1).all()


def test_resizing_is_bilinear_to_whole_levels(folder):
    index = torch.arange(20)
    plain, larger = (
        (stacked(folder, pixels=p, size=20).load().take(index) + 1) * 127.5 for p in (28, 64)
    )
    expected = interpolate(plain, size=(64, 64), mode="bilinear")
    assert (larger - larger.round()).abs().max() < 1e-4
    assert (larger - expected).abs().max() < 0.501


def test_goes_to_a_device_whole(folder):
    data = stacked(folder, size=10).load().to("meta")
    assert {part.device.type for part in (data.x, data.y, data.view.triples)} == {"meta"}
    assert data.take(torch.arange(3, device="meta")).shape == (3, 3, 32, 32)


def test_batches_carry_samples_with_their_labels(folder):
    data = stacked(folder, size=64).load()
    (batch,) = Batches(data, (0, 1), size=8, latent=4).at(70)
    every = data.take(torch.arange(64))
    for x, y in zip(batch.x.flatten(0, 1), batch.y.flatten()):
        same = (every == x).flatten(1).all(1).nonzero().flatten()
        assert y in data.y[same]


def test_mnist_5k_is_a_base():
    data = StackedMnist(base="mnist-5k", size=50).load()
    assert (len(data), data.x.shape[1:]) == (50, (1, 28, 28))
    assert data.labels[721] == "7, 2, 1"


def test_a_method_trains_on_it(folder):
    source = stacked(folder, size=64)
    run = Run(source=source, method=iid_gan(), arch=DCGAN(width=4, latent=6), batch=8, steps=2)
    assert Run.from_dict(run.to_dict()) == run
    game = Game.of(run, (0, 1), source.load(), torch.device("cpu"))
    before = [parameter.clone() for parameter in game.state.nets.parameters()]
    for step in range(2):
        game.move(game.batches.at(step))
    moved = game.state.nets.parameters()
    assert all(not torch.equal(old, new) for old, new in zip(before, moved))
    assert (game.state.diverged == -1).all()


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (StackedMnist, {"base": "mnist5k"}, "base: .* did you mean 'mnist-5k'|base: .*mnist-5k"),
        (StackedFashion, {"pixels": 48}, "pixels: 48 is no side .* 28, 32, 64"),
        (StackedFashion, {"size": 0}, "size: 0 is too small; at least 1"),
        (StackedFashion, {"seed": -1}, "seed: -1 is out of range"),
        (StackedFashion, {"split": "val"}, "split: .*val"),
    ],
)
def test_impossible_fields_are_refused(kind, options, message):
    with pytest.raises(InputError, match=message):
        kind(**options)


def test_a_base_without_labels_or_of_another_size_is_refused(tmp_path):
    write(tmp_path / "train-images-idx3-ubyte", 3, np.zeros((3, 28, 28), np.uint8))
    with pytest.raises(InputError, match="base: it has no labels"):
        stacked(tmp_path).load()
    write(tmp_path / "train-images-idx3-ubyte", 3, np.zeros((3, 20, 20), np.uint8))
    write(tmp_path / "train-labels-idx1-ubyte", 1, np.zeros(3, np.uint8))
    with pytest.raises(InputError, match=r"base: its images have shape \(1, 20, 20\)"):
        stacked(tmp_path).load()


def test_protocol_is_that_of_the_papers():
    assert {SOURCES[f"stacked-{name}"].num_evaluated for name in ("mnist", "fashion")} == {26_000}
    for kind in (StackedMnist, StackedFashion):
        assert (kind().pixels, kind().size) == (32, 128_000)


def test_a_prepared_base_takes_the_place_of_missing_files(tmp_path, monkeypatch):
    """The same digits from either, and so the same samples; the files come first."""
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("iidgan.data.idx.SYSTEM", tmp_path / "nowhere")
    pixels = torch.randint(0, 256, (50, 28, 28), dtype=torch.uint8)
    files = tmp_path / "files"
    files.mkdir()
    header = struct.pack(">4B3I", 0, 0, 8, 3, 50, 28, 28)
    (files / "train-images-idx3-ubyte").write_bytes(header + pixels.numpy().tobytes())
    labels = bytes(i % 10 for i in range(50))
    header = struct.pack(">4BI", 0, 0, 8, 1, 50)
    (files / "train-labels-idx1-ubyte").write_bytes(header + labels)
    with pytest.raises(InputError, match="mnist: no train-images"):
        StackedMnist(size=20).load()
    iidgan.prepare("mnist", origin=str(files))
    ours, theirs = StackedMnist(size=20).load(), StackedMnist(size=20, root=str(files)).load()
    index = torch.arange(20)
    assert torch.equal(ours.take(index), theirs.take(index))
    assert torch.equal(ours.y, theirs.y)
    for name in ("images-idx3", "labels-idx1"):  # damaged files are not missing ones
        (tmp_path / "data" / f"train-{name}-ubyte").write_bytes(b"junk")
    with pytest.raises(InputError, match="train-images-idx3-ubyte: not an IDX file"):
        StackedMnist(size=20, root=str(tmp_path / "data")).load()
