"""Stacked images: three images of a base as channels, labelled by all three, never copied."""

import gzip

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

import iidgan
from iidgan.config.run import Run
from iidgan.data import SOURCES, FashionMnist, Mnist, StackedFashion, StackedMnist
from iidgan.engine.sampling import DatasetStream
from iidgan.methods import iid_gan
from iidgan.nn import DCGAN
from iidgan.training.context import TrainContext
from tests.helpers.data import encode_idx
from tests.helpers.errors import raises_input_error

IMAGES_PER_CLASS = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small MNIST: distinct images of noise, with labels in turn."""
    folder = tmp_path_factory.mktemp("idx")
    pixels = np.random.default_rng(0).integers(0, 256, (10 * IMAGES_PER_CLASS, 28, 28), np.uint8)
    labels = (np.arange(10 * IMAGES_PER_CLASS) % 10).astype(np.uint8)
    write_idx(folder / "train-images-idx3-ubyte.gz", pixels)
    write_idx(folder / "train-labels-idx1-ubyte.gz", labels)
    return folder


def write_idx(path, values):
    path.write_bytes(gzip.compress(encode_idx(values), 1))


def make_source(folder, source_class=StackedMnist, **options):
    return source_class(root=str(folder), **options)


@pytest.mark.parametrize(
    ("source_class", "base_class"), [(StackedMnist, Mnist), (StackedFashion, FashionMnist)]
)
def test_load_stacks_three_base_images(folder, source_class, base_class):
    data = make_source(folder, source_class, pixels=28, size=500).load()
    base = base_class(root=str(folder)).load()
    label_by_image = {image.numpy().tobytes(): int(y) for image, y in zip(base.x, base.y)}
    samples = ((data.take_samples(torch.arange(500)) + 1) * 127.5).round().byte()
    triples = [[label_by_image[channel.numpy().tobytes()] for channel in x] for x in samples]
    assert [100 * r + 10 * g + b for r, g, b in triples] == data.y.tolist()
    names = [", ".join(base.labels[label] for label in triple) for triple in triples]
    assert names == [data.labels[y] for y in data.y]


def test_load_copies_no_images(folder):
    base = Mnist(root=str(folder)).load().x
    data = make_source(folder, size=100_000).load()
    assert data.x.shape == base.shape
    stored = [data.x, data.y, *data.view.key_tensors()]
    composed_bytes = len(data) * 3 * 32 * 32
    assert sum(part.numel() * part.element_size() for part in stored) < composed_bytes / 50
    assert data.x.untyped_storage().nbytes() == base.numel()


def test_load_covers_all_modes(folder):
    data = make_source(folder, size=128_000).load()
    counts = data.y.bincount(minlength=1000)
    assert len(counts) == len(data.labels) == 1000
    # Poisson of mean 128: five deviations hold all thousand counts.
    assert (counts - 128).abs().max() < 5 * 128**0.5
    shares = counts / counts.sum()
    assert (shares * (1000 * shares).log()).sum() < 2 * 999 / (2 * 128_000)


def test_load_depends_on_fields_only(folder):
    first = make_source(folder, size=500).load()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert make_source(folder, size=500).load().compute_sha256() == first.compute_sha256()
    assert torch.equal(before, torch.get_rng_state())
    for change in ({"seed": 1}, {"size": 501}, {"pixels": 28}):
        other = make_source(folder, **{"size": 500, **change}).load()
        assert other.compute_sha256() != first.compute_sha256(), change


def test_load_larger_size_extends_smaller(folder):
    short, long = (make_source(folder, size=size).load() for size in (100, 200))
    assert torch.equal(short.y, long.y[:100])


@pytest.mark.parametrize("pixels", [28, 32, 64])
@pytest.mark.parametrize("index", [torch.tensor(3), torch.arange(4), torch.arange(6).view(2, 3)])
def test_take_samples_shape_and_range(folder, pixels, index):
    data = make_source(folder, pixels=pixels, size=10).load()
    assert data.is_image
    assert len(data) == 10
    assert data.shape == (3, pixels, pixels)
    x = data.take_samples(index)
    assert x.shape == (*index.shape, 3, pixels, pixels)
    assert x.dtype == torch.float32
    assert data.view.take_samples(data.x, index).dtype == data.x.dtype
    assert -1 <= x.min() < -0.9 < 0.9 < x.max() <= 1
    single_samples = [data.take_samples(i) for i in index.flatten()]
    assert torch.equal(torch.stack(single_samples).reshape(x.shape), x)


def test_pixels_32_pads_with_black(folder):
    index = torch.arange(20)
    plain, padded = (
        make_source(folder, pixels=p, size=20).load().take_samples(index) for p in (28, 32)
    )
    assert torch.equal(padded[..., 2:30, 2:30], plain)
    padded[..., 2:30, 2:30] = -1
    assert (padded == -1).all()


def test_pixels_64_resizes_bilinearly(folder):
    index = torch.arange(20)
    plain, larger = (
        (make_source(folder, pixels=p, size=20).load().take_samples(index) + 1) * 127.5
        for p in (28, 64)
    )
    expected = interpolate(plain, size=(64, 64), mode="bilinear")
    assert (larger - larger.round()).abs().max() < 1e-4
    assert (larger - expected).abs().max() < 0.501


def test_to_moves_all_tensors(folder):
    data = make_source(folder, size=10).load().to("meta")
    assert {part.device.type for part in (data.x, data.y, data.view.triples)} == {"meta"}
    assert data.take_samples(torch.arange(3, device="meta")).shape == (3, 3, 32, 32)


def test_batches_keep_samples_with_labels(folder):
    data = make_source(folder, size=64).load()
    (batch,) = DatasetStream(data, (0, 1), batch_size=8, latent_dim=4).batches_at(70)
    samples = data.take_samples(torch.arange(64))
    for x, y in zip(batch.x.flatten(0, 1), batch.y.flatten()):
        equal_samples = (samples == x).flatten(1).all(1).nonzero().flatten()
        assert y in data.y[equal_samples]


def test_base_mnist_5k():
    data = StackedMnist(base="mnist-5k", size=50).load()
    assert (len(data), data.x.shape[1:]) == (50, (1, 28, 28))
    assert data.labels[721] == "7, 2, 1"


def test_method_trains_on_stacked(folder):
    source = make_source(folder, size=64)
    run = Run(source=source, method=iid_gan(), arch=DCGAN(width=4, latent=6), batch=8, steps=2)
    assert Run.from_dict(run.to_dict()) == run
    context = TrainContext.create(run, (0, 1), source.load(), torch.device("cpu"))
    before = [parameter.clone() for parameter in context.state.nets.parameters()]
    for step in range(2):
        context.train_step(context.batches.batches_at(step))
    moved = context.state.nets.parameters()
    assert all(not torch.equal(old, new) for old, new in zip(before, moved))
    assert (context.state.diverged == -1).all()


@pytest.mark.parametrize(
    ("source_class", "options", "values"),
    [
        (StackedMnist, {"base": "mnist5k"}, ["'mnist5k'", "mnist-5k"]),
        (StackedFashion, {"pixels": 48}, ["28, 32, 64", "got 48"]),
        (StackedFashion, {"size": 0}, [">= 1", "got 0"]),
        (StackedFashion, {"seed": -1}, [2**63 - 1, "got -1"]),
        (StackedFashion, {"split": "val"}, ["'val'"]),
    ],
)
def test_stacked_refuses_invalid_field(source_class, options, values):
    (field,) = options
    with raises_input_error(field, *values):
        source_class(**options)


def test_load_refuses_unsuitable_base(tmp_path):
    write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((3, 28, 28), np.uint8))
    with raises_input_error("base", "labels"):
        make_source(tmp_path).load()
    write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((3, 20, 20), np.uint8))
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(3, np.uint8))
    with raises_input_error("base", "(1, 28, 28)", "(1, 20, 20)"):
        make_source(tmp_path).load()


def test_defaults_match_papers():
    assert {SOURCES[f"stacked-{name}"].num_evaluated for name in ("mnist", "fashion")} == {26_000}
    for kind in (StackedMnist, StackedFashion):
        assert (kind().pixels, kind().size) == (32, 128_000)


def test_load_falls_back_to_prepared_base(tmp_path, monkeypatch):
    """Both have the same digits, and therefore the same samples; the files come first."""
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("iidgan.data.idx.SYSTEM_DATASETS", tmp_path / "nowhere")
    files = tmp_path / "files"
    files.mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (50, 28, 28), np.uint8)
    (files / "train-images-idx3-ubyte").write_bytes(encode_idx(pixels))
    labels = (np.arange(50) % 10).astype(np.uint8)
    (files / "train-labels-idx1-ubyte").write_bytes(encode_idx(labels))
    with raises_input_error("mnist", "no train-images"):
        StackedMnist(size=20).load()
    iidgan.prepare("mnist", origin=str(files))
    from_prepared = StackedMnist(size=20).load()
    from_files = StackedMnist(size=20, root=str(files)).load()
    index = torch.arange(20)
    assert torch.equal(from_prepared.take_samples(index), from_files.take_samples(index))
    assert torch.equal(from_prepared.y, from_files.y)
    for name in ("images-idx3", "labels-idx1"):  # damaged files are not missing ones
        (tmp_path / "data" / f"train-{name}-ubyte").write_bytes(b"junk")
    damaged_file = tmp_path / "data" / "train-images-idx3-ubyte"
    with raises_input_error(str(damaged_file), "expected an IDX file"):
        StackedMnist(size=20, root=str(tmp_path / "data")).load()
