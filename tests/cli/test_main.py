"""`iidgan`: help, errors and exit codes of all commands."""

import os
import subprocess
import sys

import pytest

from iidgan.cli import COMMANDS, main
from tests.helpers.cli import fail_command, print_help


def test_help_imports_no_torch():
    script = (
        "import sys; from iidgan.cli import main; main(['--help']); "
        "assert not {'torch', 'numpy', 'tyro', 'matplotlib'} & set(sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert all(name in answer.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(command, capsys):
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0
    assert "usage: iidgan" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], ["command", "'trian'", "'train'"]),
        (["train", "rin"], ["source", "'rin'", "'ring'"]),
        (["train", "--seeds", "2"], ["source", "missing"]),
        (["train", "none.npy"], ["none.npy", "No such file"]),
        (["train", "ring", "--method", "idi-gan"], ["method", "'idi-gan'", "'iid-gan'"]),
        (["train", "ring", "--method", "os:path"], ["method", "'os:path'"]),
        (["train", "ring", "--method", "no_such_module:X"], ["no_such_module"]),
        (["train", "ring", "--method"], ["--method", "name"]),
        (["train", "ring", "--method", "gan", "--method=wgan"], ["--method", "once", "2"]),
        (["train", "ring", "--term", "gausian"], ["term", "'gausian'", "'gaussian'"]),
        (["train", "ring", "--term", "gaussian"], ["term", "'gaussian'", "--gaussian."]),
        (["train", "ring", "--metric", "coverag"], ["metric", "'coverag'", "'coverage'"]),
        (["train", "ring", "--metric", "ks", "--metric"], ["--metric", "name"]),
        (["train", "os:path"], ["source", "'os:path'"]),
        (["train", "no_such_module:X"], ["source", "no_such_module"]),
        (["train", "ring", "--arch", "dcgan"], ["arch", "dcgan", "mlp"]),
        (["train", "ring", "--stepz", "3"], ["--stepz", "--steps"]),
        (["train", "ring", "--steps", "x"], ["--steps: ", "whole number", "'x'"]),
        (["train", "ring", "--lr", "high"], ["lr: ", "number", "'high'"]),
        (["train", "ring", "--workers", "many"], ["--workers: ", "auto", "'many'"]),
        (["table", "ring", "--seeds", "x"], ["--seeds: ", "whole number", "'x'"]),
        (["train", "ring", "--steps", "0"], ["steps", "0", "1"]),
        (["train", "ring", "--seeds", "0"], ["seeds: ", "0", "1"]),
        (["train", "ring", "--batch", "200000"], ["batch", "200000", "100000"]),
        (["train", "ring", "--lr", "-1"], ["lr", "-1"]),
        (["train", "ring", "--lr", "nan"], ["lr", "nan"]),
        (["train", "ring", "--ema", "1"], ["ema", "1"]),
        (["train", "ring", "--source.modes", "0"], ["modes", "0"]),
        (["train", "ring", "--gaussian.distance", "w3"], ["--gaussian.distance", "w2", "'w3'"]),
        (["train", "ring", "--optimiser.betas", "1"], ["--optimiser.betas", "2"]),
        (["train", "ring", "--device", "tpu9"], ["device", "'tpu9'", "cpu"]),
        (["train", "fashion-mnist", "--root", "."], ["fashion-mnist"]),
        (["evaluate", "none"], ["none", "does not exist", "run"]),
        (["sample", "none"], ["none"]),
        (["figure", "none"], ["none"]),
        (["table", "rang"], ["table", "'rang'", "'ring'"]),
        (["list", "method"], ["method"]),
        (["cite", "ring"], ["ring"]),
        (["cite", "iid"], ["'iid'", "iid-gan"]),
        (["table", "ring", "--no-trian"], ["--no-trian", "did you mean --no-train?"]),
        (["table", "ring", "extra"], ["'extra'"]),
        (["invert", "run"], ["missing --input", "iidgan invert --help"]),
    ],
)
def test_main_refuses_bad_input(work_dir, capsys, arguments, words):
    files_before = sorted(os.listdir())
    error = fail_command(capsys, *arguments)
    assert error.startswith("iidgan: ")
    assert all(word in error for word in words), error
    assert sorted(os.listdir()) == files_before


@pytest.mark.slow
def test_errors_in_ascii_terminals():
    answer = subprocess.run(
        [sys.executable, "-m", "iidgan", "table", "ring", "--seeds", "x"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert answer.returncode == 2
    assert answer.stderr.startswith("iidgan: --seeds: ")
    assert answer.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", [["--help"], ["list"], ["cite", "gan"]])
def test_main_full_output(command):
    with open("/dev/full", "w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "iidgan", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert "No space left" in answer.stderr


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't allocate memory: 8 bytes")])
def test_main_out_of_memory(monkeypatch, capsys, error):
    def fail(words):
        raise error

    monkeypatch.setattr("iidgan.cli.run_command", fail)
    assert main(["list"]) == 2
    assert "memory" in capsys.readouterr().err


def test_main_keeps_unexpected_errors(monkeypatch):
    def fail(words):
        raise RuntimeError("a bug")

    monkeypatch.setattr("iidgan.cli.run_command", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["list"])


def test_main_version(capsys):
    import iidgan

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{iidgan.__version__}\n"


def test_help_shows_plain_options(capsys):
    assert "--strict" in print_help(capsys, "prepare")
    assert "--no-train" in print_help(capsys, "table")
