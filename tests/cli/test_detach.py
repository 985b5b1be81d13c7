"""`--detach`: tables, figures and sweeps that train in the background."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from iidgan.cli import main
from tests.helpers.cli import fail_command


@pytest.fixture
def started(monkeypatch):
    """What is started instead of real processes."""
    calls = []

    def start(words, **options):
        options["stdout"].write("progress\n")
        calls.append((words, options))
        return SimpleNamespace(pid=123)

    monkeypatch.setattr(subprocess, "Popen", start)
    return calls


@pytest.mark.parametrize(
    "words",
    [
        ["table", "ring", "--quick", "--rows", "GAN"],
        ["figure", "qq", "--quick"],
        ["sweep", "--max-time", "1h"],
    ],
    ids=lambda words: words[0],
)
def test_detached_command_starts_again_in_the_background(started, tmp_path, capsys, words):
    words = [*words, "--runs", str(tmp_path / "runs of mine")]
    assert main([*words, "--detach"]) == 0
    ((command, options),) = started
    assert command == [sys.executable, "-m", "iidgan", *words]
    assert options["start_new_session"]
    (log_file,) = (tmp_path / "runs of mine").iterdir()
    assert log_file.read_text() == "progress\n"
    output = capsys.readouterr().out
    assert f"'{log_file}'" in output
    assert "kill -INT 123" in output


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["table", "ring", "--no-train"], "detach"),
        (["table", "ring", "--rows", "GANN"], "rows"),
        (["table", "ring", "--max-time", "soon"], "max-time"),
        (["table", "ring", "--workers", "0"], "workers"),
        (["figure", "qq", "--seed", "1"], "seed"),
        (["figure", "runs/ring"], "detach"),
        (["sweep", "--rows", "GANN"], "rows"),
    ],
)
def test_detached_command_checks_its_options_first(started, capsys, words, field):
    assert f"{field}: " in fail_command(capsys, *words, "--detach")
    assert not started
