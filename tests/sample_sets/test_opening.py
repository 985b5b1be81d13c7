"""Choice of the reader, runs, and data by name."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from iidgan.cli.latent.sample import sample_command
from iidgan.data import Mnist5k, Ring
from iidgan.data.prepare import prepare
from iidgan.errors import UnnamedPluginError
from iidgan.nn import DCGAN
from iidgan.sample_sets import open_data, open_run_data, open_samples
from tests.helpers.data import encode_idx
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, load_arrays, random_images, write_files
from tests.helpers.sample_sets import channels_first, make_model, name_images, read_all
from tests.helpers.training import RandomImages, tiny_run, train_tiny

FIXTURES = Path(__file__).parents[1] / "fixtures"
RUN = FIXTURES / "run-v1"
IMAGES = random_images(6)


@pytest.fixture(autouse=True)
def _data_home(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))


@pytest.fixture
def prepared_images(tmp_path):
    """Six images in two classes, prepared as `pets`."""
    files = {f"{name}/{i}.png": b"" for i, name in enumerate(["cat", "dog"] * 3)}
    files = dict(zip(files, name_images(IMAGES).values()))
    return prepare("pets", origin=str(write_files(tmp_path / "x", files)), size=8)


# Runs


@pytest.mark.parametrize("path", [RUN, str(RUN), RUN / "generator"])
def test_run_has_the_samples_of_the_command(tmp_path, path):
    sample_command([str(RUN), "--num", "70", "--out", str(tmp_path / "x.npz")])
    samples = open_samples(path, num=70)
    assert (samples.name, samples.num_samples) == (str(path), 70)
    assert read_all(samples).equal(read_all(open_samples(tmp_path / "x.npz")))
    assert open_samples(path).num_samples == 5000


@pytest.mark.slow
@pytest.mark.usefixtures("fast_evaluation")
def test_run_of_images(tmp_path):
    run = tiny_run(source=RandomImages(), arch=DCGAN(latent=3, width=2), batch=8)
    path = tmp_path / "run"
    train_tiny(run, path, seeds=(4, 6))
    with pytest.raises(UnnamedPluginError, match="RandomImages"):
        open_samples(path)
    with pytest.raises(UnnamedPluginError, match="RandomImages"):
        open_run_data(path)
    options = {"num": 9, "plugins": [RandomImages]}
    samples = open_samples(path, seed=6, **options)
    assert (samples.shape, samples.notes) == ((1, 8, 8), ("9 samples of seed 6 at step 12",))
    words = ["--seed", "6", "--num", "9", "--plugin", "tests.helpers.training:RandomImages"]
    sample_command([str(path), *words, "--out", str(tmp_path / "x.npz")])
    assert read_all(samples).equal(read_all(open_samples(tmp_path / "x.npz")))
    first = open_samples(path, **options)
    assert not read_all(first).equal(read_all(samples))
    assert first.compute_sha256(range(9)) != samples.compute_sha256(range(9))
    assert open_samples(path, size=4, **options).shape == (1, 4, 4)
    data = open_run_data(path, [RandomImages])
    assert read_all(data).equal(RandomImages().load().x)
    with raises_input_error("seed", "5 was not trained", "4, 6"):
        open_samples(path, seed=5, plugins=[RandomImages])


def test_data_of_a_run(tmp_path):
    data = open_run_data(RUN)
    expected = Ring(modes=8, radius=2.0, std=0.3, size=200).load()
    assert read_all(data).equal(expected.x)
    assert data.labels.equal(expected.y)
    assert data.name == f"data of {RUN}"
    assert read_all(open_run_data(RUN / "generator")).equal(expected.x)
    path = shutil.copytree(RUN, tmp_path / "run")
    content = (path / "run.json").read_text()
    (path / "run.json").write_text(content.replace('"data": "', '"data": "0'))
    with raises_input_error("source", "differ", path):
        open_run_data(path)
    with raises_input_error("run", "no generator", tmp_path):
        open_run_data(tmp_path)


@pytest.mark.parametrize(
    ("options", "field", "values"),
    [
        ({"num": 0}, "num", [">= 1", "0"]),
        ({"num": "5"}, "num", ["an int", "'5'"]),
        ({"seed": 7}, "seed", ["7 was not trained"]),
        ({"seed": 1.0}, "seed", ["an int", "1.0"]),
        ({"size": 8}, "size", ["has points", "leave it out"]),
        ({"size": "8"}, "size", ["an int", "'8'"]),
    ],
)
def test_options_of_runs_are_checked(options, field, values):
    with raises_input_error(field, *values):
        open_samples(RUN, **options)


def test_seed_is_for_runs():
    for samples in (IMAGES, make_model()):
        with raises_input_error("seed", "only runs have seeds", "leave it out"):
            open_samples(samples, seed=0)


def test_run_without_generator(tmp_path):
    path = shutil.copytree(RUN, tmp_path / "run")
    shutil.rmtree(path / "generator")
    with raises_input_error("run", path, "no generator"):
        open_samples(path)


# Data


def test_prepared_set(prepared_images):
    expected, labels = load_arrays(prepared_images)
    for data in (
        open_data("pets"),
        open_data("pets", root=str(prepared_images.folder.parent)),
        open_data(prepared_images.folder),
        open_samples(prepared_images.folder),
    ):
        assert np.array_equal(read_all(data), expected)
        assert (data.labels.tolist(), data.label_names) == (labels.tolist(), ("cat", "dog"))
        assert data.take([4, 1]).equal(torch.from_numpy(expected[[4, 1]]))
    indices = range(6)
    assert data.compute_sha256(indices) == open_data("pets").compute_sha256(indices)
    assert data.compute_sha256(indices) == open_samples(expected).compute_sha256(indices)
    assert open_data("pets", size=4).shape == (3, 4, 4)
    (prepared_images.folder / "images.npy").write_bytes(b"")
    with raises_input_error(None, "images.npy has changed", "iidgan prepare pets"):
        open_data("pets")


def test_source_with_files(tmp_path):
    images, labels = random_images(6, 28, 1)[..., 0], np.arange(6, dtype=np.uint8)
    files = {"images-idx3": images, "labels-idx1": labels}
    content = {f"train-{name}-ubyte": encode_idx(values) for name, values in files.items()}
    write_files(tmp_path / "idx", content)
    data = open_data("fashion-mnist", root=str(tmp_path / "idx"))
    assert read_all(data).equal(torch.from_numpy(images[:, None]))
    assert (data.name, data.labels.tolist()) == ("fashion-mnist", labels.tolist())
    assert data.label_names[0] == "T-shirt/top"


@pytest.mark.slow
def test_source_of_a_package():
    digits = open_data("mnist-5k")
    assert read_all(digits).equal(Mnist5k().load().x)
    assert digits.label_names == tuple("0123456789")


def test_source_of_points():
    ring = open_data("ring")
    assert read_all(ring).equal(Ring().load().x)
    assert (ring.name, ring.shape) == ("ring", (2,))


def test_data_in_files_and_memory(tmp_path):
    path = write_files(tmp_path / "images", name_images(IMAGES))
    expected = channels_first(IMAGES)
    for data in (path, str(path), IMAGES, torch.tensor(IMAGES), open_dataset_of(expected)):
        assert read_all(open_data(data)).equal(expected)
    assert open_data(IMAGES).name == "data"


def open_dataset_of(images):
    return replace(RandomImages().load(), x=images)


def test_name_comes_before_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path / "ring", name_images(IMAGES))
    assert open_data("ring").shape == (2,)
    assert open_data("./ring").shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("data", "root", "field", "values"),
    [
        ("rng", None, "data", ["unknown 'rng'", "did you mean 'ring'", "give a path"]),
        ("no/such.zip", None, "data", ["unknown 'no/such.zip'", "give a path"]),
        ("cifar10", None, "source", ["not prepared yet", "iidgan prepare cifar10"]),
        ("ring", "folder", "root", ["ring reads no files", "'folder'", "leave it out"]),
        ("x.npy", "folder", "root", ["x.npy", "folder", "leave it out"]),
        (IMAGES, "folder", "root", ["data", "folder", "leave it out"]),
        (str(RUN), None, "data", ["got the run", RUN]),
        (make_model(), None, "data", ["an array", "Model"]),
        (5, None, "data", ["a path, an array", "5"]),
        ([IMAGES], None, "data", ["a path, an array"]),
    ],
)
def test_other_data_are_refused(data, root, field, values):
    with raises_input_error(field, *values):
        open_data(data, root=root)


# Files


@pytest.mark.parametrize("name", ["x.zip", "x.npy", "x.npz", "x.csv", "x", "x.parquet"])
def test_missing_files(tmp_path, name):
    for options in ({}, {"seed": 3}):
        with raises_input_error(str(tmp_path / name), "does not exist", "ZIP"):
            open_samples(tmp_path / name, **options)


@pytest.mark.parametrize("name", ["x.zip", "x.npy", "x.npz", "x.csv", "x", "data.mdb"])
def test_named_pipe_is_refused(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with raises_input_error(None, "regular file", "named pipe", name):
        open_samples(tmp_path / name)


def test_folder_named_hub(tmp_path, monkeypatch):
    """The name means nothing else here, as it does for `iidgan prepare --from hub`."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path / "hub", {"1.png": encode_image(IMAGES[0])})
    assert open_samples("hub").num_samples == 1


@pytest.mark.parametrize("samples", [None, 5, [IMAGES], {"x": IMAGES}])
def test_other_objects_are_refused(samples):
    with raises_input_error("samples", "a path, an array, a data set or a model"):
        open_samples(samples)
