"""Commands as a user runs them."""

import pytest

from iidgan.cli import main

TINY = ("--arch.hidden", "8", "--source.size", "400", "--batch", "16", "--checkpoint-every", "4")
"""Options of a training on a mixture that takes a moment."""
TRAIN_ON_POINTS = (
    *("train", "points.npy", "--steps", "8", "--seeds", "2", "--arch.hidden", "8"),
    *("--batch", "16", "--checkpoint-every", "4", "--out", "run"),
)
"""A training of two seeds on the points of `work_dir` that takes a moment."""


def fail_command(capsys, *arguments, code=2):
    """Runs a command that fails, and returns its one line of standard error."""
    capsys.readouterr()
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert error.count("\n") == 1
    return error


def print_help(capsys, *arguments):
    """Runs a command with `--help`, and returns what it prints."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ending:
        main([*arguments, "--help"])
    assert ending.value.code == 0
    return capsys.readouterr().out


def run_main(capsys, *arguments, code=0):
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return captured.err if code else captured.out
