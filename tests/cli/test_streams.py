"""Standard error whose reader is gone ends no command."""

import io
import os
import subprocess
import sys

import pytest

from iidgan.cli import main
from iidgan.cli.streams import LossyStream, lossy_stderr, reserve_standard_descriptors
from tests.helpers.cli import TINY

TRAIN = ("train", "ring", "--method", "gan", *TINY, "--steps", "8", "--out", "run")


class BrokenStream(io.StringIO):
    """A stream that fails like a pipe without a reader, a lost terminal, or a closed file."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error

    def flush(self):
        raise self.error


ERRORS = BrokenPipeError(32, "Broken pipe"), OSError(5, "Input/output error"), ValueError("closed")


@pytest.mark.parametrize("error", ERRORS)
def test_train_goes_on_without_stderr(tmp_path, monkeypatch, capsys, error):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stderr", BrokenStream(error))
    assert main(TRAIN) == 0
    assert "run is done" in capsys.readouterr().out
    assert isinstance(sys.stderr, BrokenStream)


def test_train_goes_on_with_closed_stderr(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(TRAIN) == 0
    assert "of 8" not in capsys.readouterr().out  # what is for standard error goes nowhere else


def test_error_without_stderr_keeps_exit_code(monkeypatch):
    monkeypatch.setattr(sys, "stderr", BrokenStream(ERRORS[0]))
    assert main(["train", "no-such-source"]) == 2


def test_lossy_stream_passes_on(capsys):
    with lossy_stderr():
        assert sys.stderr.isatty() is False
        assert sys.stderr.write("text") == 4
    assert capsys.readouterr().err == "text"


def test_lossy_stream_discards_after_failure():
    """Nothing is left in a buffer that would fail again when the interpreter exits."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as pipe:
        stream = LossyStream(pipe)
        stream.write("text")
        stream.flush()
        pipe.write("more")
        pipe.flush()
        assert os.fstat(pipe.fileno()).st_rdev == os.stat(os.devnull).st_rdev


RESERVE = """
import os, sys
from iidgan.cli.streams import reserve_standard_descriptors
for descriptor in range(3):
    os.close(descriptor)
reserve_standard_descriptors()
with open(sys.argv[1], "wb") as file:
    file.write(b"%d" % file.fileno())
os.write(2, b"lost")
"""


def test_reserve_standard_descriptors(tmp_path):
    reserve_standard_descriptors()  # all are open: nothing changes
    command = [sys.executable, "-c", RESERVE, tmp_path / "file"]
    assert subprocess.run(command, check=False).returncode == 0
    assert int((tmp_path / "file").read_bytes()) > 2


@pytest.mark.slow
def test_train_command_after_reader_left(tmp_path):
    command = [sys.executable, "-m", "iidgan", *TRAIN]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as training:
        training.stderr.close()
        assert "run is done" in training.stdout.read()
    assert training.returncode == 0
