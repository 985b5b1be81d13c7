"""Working directories of commands."""

import shutil

import numpy as np
import pytest

from iidgan.cli import main
from tests.helpers.cli import TRAIN_ON_POINTS


@pytest.fixture
def work_dir(tmp_path, monkeypatch):
    """A working directory with points.npy, 300 points in the plane."""
    monkeypatch.chdir(tmp_path)
    save_points()
    return tmp_path


def save_points():
    points = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    np.save("points.npy", points)


@pytest.fixture(scope="session")
def run_template(tmp_path_factory):
    """The directory of a short run of two seeds on points beside it, which no test changes."""
    folder = tmp_path_factory.mktemp("run_template")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        save_points()
        assert main(TRAIN_ON_POINTS) == 0
    return folder / "run"


@pytest.fixture
def trained_run(work_dir, run_template):
    """A copy of `run_template`, which a test may change."""
    return shutil.copytree(run_template, work_dir / "run")


@pytest.fixture
def plugin_module(work_dir, monkeypatch):
    """A function that writes a module into the working directory, and returns its name."""

    def write_module(name, text):
        (work_dir / f"{name}.py").write_text(text)
        return name

    monkeypatch.syspath_prepend(work_dir)
    return write_module
