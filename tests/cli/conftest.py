"""Working directories of commands."""

import numpy as np
import pytest

from iidgan.cli import main


@pytest.fixture
def work_dir(tmp_path, monkeypatch):
    """A working directory with points.npy, 300 points in the plane."""
    monkeypatch.chdir(tmp_path)
    points = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    np.save("points.npy", points)
    return tmp_path


@pytest.fixture
def trained_run(work_dir):
    """A short run of two seeds on points.npy."""
    command = ["train", "points.npy", "--steps", "8", "--seeds", "2", "--arch.hidden", "8"]
    assert main([*command, "--batch", "16", "--checkpoint-every", "4", "--out", "run"]) == 0
    return work_dir / "run"


@pytest.fixture
def plugin_module(work_dir, monkeypatch):
    """A function that writes a module into the working directory, and returns its name."""

    def write_module(name, text):
        (work_dir / f"{name}.py").write_text(text)
        return name

    monkeypatch.syspath_prepend(work_dir)
    return write_module
