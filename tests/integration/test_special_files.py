"""A named pipe in place of any file that is read: refused at once, with the name of the file."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import iidgan
from iidgan.data import array, prepared
from iidgan.data.prepare import prepare
from iidgan.engine.checkpoint import find_latest, read_state_files
from iidgan.figures.run import draw_figures
from iidgan.records import read_records
from iidgan.training.run_dir import RunDir
from tests.helpers.cli import fail_command
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, random_images, write_files
from tests.helpers.time_limits import time_limit

FIXTURES = Path(__file__).parents[1] / "fixtures"
MINUTE = 60


@pytest.fixture(autouse=True)
def _in_time():
    with time_limit(MINUTE):
        yield


def replace_by_pipe(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


@pytest.fixture
def run_folder(tmp_path):
    return shutil.copytree(FIXTURES / "run-v1", tmp_path / "run")


@pytest.mark.parametrize(
    ("file_name", "use"),
    [
        ("run.json", lambda folder: RunDir(folder).read_run()),
        ("generator/MANIFEST.json", iidgan.load),
        ("generator/config.json", iidgan.load),
        ("generator/model.safetensors", iidgan.load),
        ("checkpoints/step-00000010/state.safetensors", lambda folder: read_checkpoint(folder)),
        ("arrays.npz", lambda folder: list(draw_figures(RunDir(folder), folder))),
        ("metrics.jsonl", lambda folder: read_records(folder / "metrics.jsonl")),
        ("log.jsonl", lambda folder: list(draw_figures(RunDir(folder), folder))),
    ],
)
def test_run_folder_with_pipe(run_folder, file_name, use):
    path = replace_by_pipe(run_folder / file_name)
    with raises_input_error(None, path.name, "named pipe"):
        use(run_folder)


def read_checkpoint(folder):
    read_state_files(folder / "checkpoints" / "step-00000010", RunDir(folder).read_identity())


@pytest.mark.parametrize("name", ["MANIFEST.json", "state.json", "state.safetensors"])
def test_find_latest_with_pipe(run_folder, name):
    replace_by_pipe(run_folder / "checkpoints" / "step-00000010" / name)
    latest = find_latest(run_folder / "checkpoints", RunDir(run_folder).read_identity())
    assert latest.files == {}
    assert ["named pipe" in reason for reason in latest.damaged.values()] == [True]


@pytest.mark.parametrize("name", ["manifest.json", "images.npy", "labels.npy"])
def test_prepared_set_with_pipe(tmp_path, name):
    folder = shutil.copytree(FIXTURES / "prepared-v1" / "faces", tmp_path / "faces")
    replace_by_pipe(folder / name)
    with raises_input_error(None, name):
        prepared("faces", str(tmp_path)).load()


@pytest.mark.parametrize("name", ["x.npy", "x.csv"])
def test_array_is_a_regular_file(tmp_path, name):
    with raises_input_error(str(replace_by_pipe(tmp_path / name)), "got a named pipe"):
        array(tmp_path / name)


def test_array_is_no_device(tmp_path):
    (tmp_path / "x.csv").symlink_to("/dev/zero")
    with raises_input_error(str(tmp_path / "x.csv"), "got a device"):
        array(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("name", "file_name"),
    [("x", "x"), ("x", "x.zip"), ("x", "x.parquet"), ("x", "x.mdb"), ("cifar10", "x.tar.gz")],
)
def test_prepare_from_pipe(tmp_path, name, file_name):
    path = replace_by_pipe(tmp_path / file_name)
    with raises_input_error(str(path), "got a named pipe"):
        prepare(name, origin=str(path), root=str(tmp_path / "home"))
    with raises_input_error("/dev/zero", "got a device"):
        prepare(name, origin="/dev/zero", root=str(tmp_path / "home"))


@pytest.mark.parametrize("name", ["mnist", "mnist-5k"])
def test_prepare_builtin_from_pipe(tmp_path, name):
    file_name = {"mnist": "train-images-idx3-ubyte", "mnist-5k": "mnist_5k.csv.gz"}[name]
    replace_by_pipe(tmp_path / file_name)
    with raises_input_error(None, file_name):
        prepare(name, origin=str(tmp_path), root=str(tmp_path / "home"))


def test_prepare_with_pipe_of_labels(tmp_path):
    folder = write_files(tmp_path / "x", {"1.png": encode_image(random_images(1)[0])})
    table = replace_by_pipe(tmp_path / "labels.csv")
    with raises_input_error("labels", table, "named pipe"):
        prepare("x", origin=str(folder), labels=str(table), root=str(tmp_path / "home"))


def test_invert_from_pipe(run_folder, tmp_path, capsys):
    out = str(tmp_path / "codes.npz")
    for path in (replace_by_pipe(tmp_path / "x.npy"), Path("/dev/zero")):
        error = fail_command(capsys, "invert", str(run_folder), "-i", str(path), "--out", out)
        assert str(path) in error
    np.save(tmp_path / "y.npy", np.zeros((2, 2), np.float32))
    replace_by_pipe(run_folder / "generator" / "model.safetensors")
    error = fail_command(
        capsys, "invert", str(run_folder), "-i", str(tmp_path / "y.npy"), "--out", out
    )
    assert "model.safetensors" in error
