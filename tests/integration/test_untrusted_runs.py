"""Run directories from strangers: no command and no function imports what their files name."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import iidgan
from iidgan.cli import main
from iidgan.config.run import Run
from iidgan.errors import UnnamedPluginError
from iidgan.evaluation.classifier.prepare import accuracy_warning
from iidgan.figures.comparison import plot_training
from iidgan.figures.run import draw_figures
from iidgan.methods import GAN
from iidgan.training.export import load_networks
from iidgan.training.migration import read_facts
from iidgan.training.replay import sample_checkpoint
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import DIGESTS_FILE, file_sha256
from tests.helpers.cli import fail_command
from tests.helpers.errors import raises_input_error
from tests.helpers.training import stop_at, tiny_run, train_tiny
from tests.helpers.untrusted import (
    MODULE,
    load_plugin_run,
    plugin_name,
    unload_plugin,
    write_plugin,
)

pytestmark = pytest.mark.usefixtures("fast_evaluation")

FIXTURES = Path(__file__).parents[1] / "fixtures"
NAMES = [plugin_name("StrangeRing"), plugin_name("StrangeGAN")]
OPTIONS = [word for name in NAMES for word in ("--plugin", name)]
SMALL = {"arch": tiny_run().arch, "steps": 8, "batch": 16}


@pytest.fixture(scope="module")
def plugin_run(tmp_path_factory):
    """A run directory `run` beside the module that its files name."""
    folder = tmp_path_factory.mktemp("stranger")
    write_plugin(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setattr(iidgan.Ring, "num_evaluated", 150)
        patch.setattr("iidgan.utils.provenance.git_commit", lambda: "some-commit")
        train_tiny(load_plugin_run(**SMALL), folder / "run")
    unload_plugin()
    return folder


@pytest.fixture
def stranger(plugin_run, tmp_path, monkeypatch):
    """A copy of it as working directory, in a process that has not imported the module.

    Returns the file that importing the module creates.
    """
    shutil.copytree(plugin_run, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    trace = write_plugin(tmp_path)
    trace.unlink(missing_ok=True)
    np.save("x.npy", np.zeros((3, 2), np.float32))
    yield trace
    unload_plugin()


COMMANDS = [
    ["evaluate", "run", "-n", "50"],
    ["evaluate", "run/generator", "-n", "50"],
    ["sample", "run", "-n", "5"],
    ["sample", "run/generator", "-n", "5", "--out", "x.png"],
    ["traverse", "run"],
    ["interpolate", "run", "-n", "2"],
    ["directions", "run", "--num", "1"],
    ["figure", "run"],
]


@pytest.mark.parametrize("command", [*COMMANDS, ["invert", "run", "--input", "x.npy"]])
def test_commands_import_nothing(stranger, capsys, command):
    path_before = list(sys.path)
    error = fail_command(capsys, *command)
    assert all(repr(name) in error for name in NAMES)
    assert " ".join(OPTIONS) in error
    assert f"plugins={NAMES}" in error
    file = "run.json" if command[0] == "figure" else "generator/config.json"
    assert error.startswith(f"iidgan: run/{file}: ")
    assert not stranger.exists()
    assert MODULE not in sys.modules
    assert sys.path == path_before


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_load_named_plugins(stranger, capsys, command):
    assert main([*command, *OPTIONS]) == 0
    assert stranger.exists()
    assert os.getcwd() in sys.path


def test_invert_loads_named_plugins(stranger, capsys):
    error = fail_command(capsys, "invert", "run", "--input", "x.npy", *OPTIONS)
    assert error.startswith("iidgan: invert: ")  # a GAN trains no inverse
    assert stranger.exists()


def test_command_needs_every_name(stranger, capsys):
    error = fail_command(capsys, "sample", "run", f"--plugin={NAMES[0]}")
    assert repr(NAMES[1]) in error
    assert repr(NAMES[0]) not in error


def test_command_refuses_other_plugin(stranger, capsys):
    error = fail_command(capsys, "sample", "run", "--plugin", plugin_name("Absent"))
    assert error.startswith("iidgan: plugin: ")
    assert "Absent" in error
    error = fail_command(capsys, "figure", "latents-ring", "--plugin", NAMES[0])
    assert error.startswith("iidgan: plugin: ")


def test_train_imports_nothing_of_other_run(stranger, capsys):
    before = (stranger.parent / "run" / "run.json").read_bytes()
    error = fail_command(capsys, "train", "ring", "--method", "gan", "--out", "run")
    assert error.startswith("iidgan: out: run holds a different run")
    assert all(repr(name) in error for name in NAMES)
    assert not stranger.exists()
    assert (stranger.parent / "run" / "run.json").read_bytes() == before


def test_train_names_plugins_itself(stranger, capsys):
    """The names on the command line that created the run suffice to resume it."""
    command = ["train", NAMES[0], "--source.size", "200", "--method", plugin_name("make_gan")]
    command += ["--arch.hidden", "8", "--batch", "16", "--out", "own", "--steps", "4"]
    assert main([*command, "--checkpoint-every", "2"]) == 0
    times_before = (stranger.parent / "own" / "run.json").stat().st_mtime_ns
    unload_plugin()
    assert main([*command, "--checkpoint-every", "2"]) == 0
    assert (stranger.parent / "own" / "run.json").stat().st_mtime_ns == times_before


READERS = {
    "load": lambda plugins: iidgan.load("run", plugins=plugins),
    "load a generator": lambda plugins: iidgan.load("run/generator", 0, plugins=plugins),
    "load_networks": lambda plugins: load_networks("run", plugins=plugins),
    "read_run": lambda plugins: RunDir(Path("run"), plugins).read_run(),
    "sample_checkpoint": lambda plugins: sample_checkpoint(RunDir(Path("run"), plugins), 8),
    "draw_figures": lambda plugins: next(draw_figures(RunDir(Path("run"), plugins), Path("f"))),
    "plot_training": lambda plugins: plot_training({"GAN": RunDir(Path("run"), plugins)}),
    "from_dict": lambda plugins: Run.from_dict(read_facts(Path("run/run.json"))["run"], plugins),
}
"""Calls that read a run, given the plug-ins that the caller names."""


@pytest.mark.parametrize("reader", READERS)
def test_functions_import_nothing(stranger, reader):
    for plugins in ((), [GAN]):
        with pytest.raises(UnnamedPluginError) as caught:
            READERS[reader](plugins)
        assert set(caught.value.names) == set(NAMES)
    assert not stranger.exists()


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_functions_load_named_plugins(stranger, reader):
    READERS[reader](NAMES)
    assert stranger.exists()
    module = sys.modules[MODULE]
    READERS[reader]([module.StrangeGAN, module.StrangeRing])


def test_train_resumes_without_names(stranger, monkeypatch):
    """The classes of the run that the caller built are in use already."""
    monkeypatch.syspath_prepend(stranger.parent)
    run = load_plugin_run(**SMALL)
    assert train_tiny(run, stranger.parent / "new", **stop_at(4)).outcome == "stopped"
    result = train_tiny(run, stranger.parent / "new")
    assert result.outcome == "finished"
    assert result.model().sample(3).shape == (3, 2)
    assert result.run.id == run.id


@pytest.mark.slow
def test_train_in_workers_without_names(stranger, monkeypatch):
    """A worker receives the run from its parent, and not from a file."""
    monkeypatch.syspath_prepend(stranger.parent)
    run = load_plugin_run(**SMALL)
    result = train_tiny(run, stranger.parent / "new", seeds=2, workers=2, executor="eager")
    assert result.outcome == "finished"
    assert result.model(1).sample(3).shape == (3, 2)


def test_train_ignores_foreign_generator(stranger, tmp_path):
    """A generator that another run left is replaced, and not imported."""
    run = tiny_run(steps=8)
    train_tiny(run, tmp_path / "own")
    shutil.rmtree(tmp_path / "own" / "generator")
    shutil.copytree(tmp_path / "run" / "generator", tmp_path / "own" / "generator")
    assert train_tiny(run, tmp_path / "own").outcome == "finished"
    assert not stranger.exists()
    assert iidgan.load(tmp_path / "own").point.run == run


def test_train_class_of_main_script(tmp_path, monkeypatch):
    class MyGAN(GAN):
        pass

    MyGAN.__module__, MyGAN.__qualname__ = "__main__", "MyGAN"
    monkeypatch.setattr(sys.modules["__main__"], "MyGAN", MyGAN, raising=False)
    run, messages = tiny_run(MyGAN()), []
    result = train_tiny(run, tmp_path, on_progress=lambda text, record: messages.append(text))
    assert any("plugins=[MyGAN]" in message for message in messages)
    assert result.model().point.run == iidgan.load(tmp_path, plugins=[MyGAN]).point.run == run
    with raises_input_error(None, "'__main__:MyGAN'"):
        iidgan.load(tmp_path)


def test_load_refuses_name_in_listed_run(tmp_path):
    """A name that is hidden deep in an ordinary run is noticed as well."""
    generator = shutil.copytree(FIXTURES / "run-v1" / "generator", tmp_path / "generator")
    config_file, digests_file = generator / "config.json", generator / DIGESTS_FILE
    config = json.loads(config_file.read_text())
    config["run"]["method"]["terms"][0]["weight"] = [{"type": plugin_name()}]
    config_file.write_text(json.dumps(config))
    digests = json.loads(digests_file.read_text()) | {"config.json": file_sha256(config_file)}
    digests_file.write_text(json.dumps(digests))
    with raises_input_error(str(config_file), repr(plugin_name())):
        iidgan.load(generator)


def test_accuracy_warning_imports_nothing(stranger):
    source = {"type": plugin_name("StrangeRing")}
    manifest = {"name": "strange", "accuracy": 1.0, "source": source}
    assert accuracy_warning(manifest) == ""
    assert "50 %" in accuracy_warning(manifest | {"expected_accuracy": 50.0})
    assert not stranger.exists()
