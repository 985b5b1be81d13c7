"""Widths of terminals, and tables where they show ASCII alone."""

import io
import sys

import pytest

from iidgan.cli import main
from iidgan.cli.console import MIN_WIDTH, create_console


@pytest.mark.parametrize(("columns", "width"), [("1", MIN_WIDTH), ("39", MIN_WIDTH), ("90", 90)])
def test_create_console_is_wide_enough(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    assert create_console().width == width


def run_in_ascii(monkeypatch, *arguments):
    """Run a command whose standard output can encode ASCII alone, and return what it prints."""
    with monkeypatch.context() as patch:
        output = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
        patch.setattr(sys, "stdout", output)
        assert main(arguments) == 0
    return output.buffer.getvalue().decode("ascii")


@pytest.mark.parametrize("format", ["rich", "md", "csv"])
def test_table_in_ascii(monkeypatch, format):
    text = run_in_ascii(monkeypatch, "table", "ring", "--no-train", "--format", format)
    assert " +- " in text


def test_summary_in_ascii(trained_run, monkeypatch):
    lines = run_in_ascii(monkeypatch, "evaluate", "run", "-n", "50").splitlines()
    assert "mean +- std" in "".join(lines)
    assert len({len(line) for line in lines if line.startswith("|")}) == 1


@pytest.mark.parametrize("columns", ["1", "20"])
def test_commands_on_narrow_terminal(trained_run, monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", columns)
    capsys.readouterr()
    assert main(["evaluate", "run", "-n", "50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= MIN_WIDTH
    names = "".join(line.split("│")[1].strip() for line in lines if line.startswith("│"))
    assert "shapiro_wilk_1" in names
