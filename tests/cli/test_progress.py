"""What the command line shows of a training."""

import math

import pytest

from iidgan.cli.progress import ProgressMonitor, format_losses
from iidgan.engine.loop import LogRecord


@pytest.mark.parametrize(
    ("losses", "text"),
    [
        ({"D/adversarial": [1.0, 2.0], "G/adversarial": [3.0, 3.0]}, "D 1.500  G 3.000"),
        ({"D/penalty": [9.0], "D/adversarial": [1.0], "G/cycle": [8.0]}, "D 1.000  G 8.000"),
        ({"D/critic": [1.0], "D/penalty": [9.0]}, "D 1.000"),
        ({"D/adversarial": [1.0, math.nan]}, "D 1.000"),
        ({"D/adversarial": [math.nan], "D/penalty": [9.0]}, ""),
        ({}, ""),
    ],
)
def test_format_losses_shows_one_per_player(losses, text):
    record = LogRecord(step=3, losses=losses, seconds=1.0, diverged={})
    assert format_losses(record) == text


def test_progress_monitor_shows_coverage(capsys):
    with ProgressMonitor([100], ["run"]) as monitor:
        losses = {"D/adversarial": [1.0, 1.0]}
        for step, coverage in (
            (10, ()),
            (20, (math.nan,) * 2),
            (30, (0.8, 0.83)),
            (40, (0.5, math.nan)),
        ):
            record = LogRecord(step, losses, seconds=1.0, diverged={}, coverage=coverage)
            monitor.show(0, "", record)
    lines = capsys.readouterr().err.splitlines()
    texts = [line.partition("D 1.000")[2].strip() for line in lines]
    assert texts == ["", "", "coverage 0.81", "coverage 0.50"]


def test_progress_monitor_shows_slowest_process(capsys):
    """Each process of a run logs its own seeds."""
    with ProgressMonitor([100], ["run"]) as monitor:
        for step, seeds in ((10, (0, 1)), (10, (2,)), (90, (0, 1)), (50, (2,))):
            record = LogRecord(step=step, losses={}, seconds=1.0, diverged={}, seeds=seeds)
            monitor.show(0, "", record)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in lines] == ["10", "50"]
