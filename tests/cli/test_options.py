"""Options that commands share."""

import signal

import pytest

from iidgan.cli.options import TrainMissingOptions, parse_duration, report_outcomes
from iidgan.engine.loop import StopRequest
from iidgan.utils.processes import num_cores
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2h", 7200), ("90m", 5400), ("1h30m", 5400), ("45s", 45), ("1h1m1s", 3661), ("0h5s", 5)],
)
def test_parse_duration(text, seconds):
    assert parse_duration("max-time", text) == seconds


@pytest.mark.parametrize(
    ("outcomes", "max_seconds", "number", "code"),
    [
        (["finished", "diverged"], 3600, None, 0),
        (["finished", "diverged"], 0, None, 0),
        (["finished", "stopped"], 0, None, 124),
        (["finished", "not begun"], 3600, signal.SIGTERM, 143),
        (["finished", "failed: a reason"], 3600, None, 1),
        (["finished", "stopped"], 3600, None, 1),
    ],
)
def test_report_outcomes(capsys, outcomes, max_seconds, number, code):
    stop = StopRequest(max_seconds=max_seconds)
    stop.signal = number
    assert report_outcomes([(name, name) for name in outcomes], stop) == code
    lines = capsys.readouterr().err.splitlines()
    unfinished = [name for name in outcomes if name not in ("finished", "diverged")]
    assert lines[: len(unfinished)] == [f"{name}: {name}" for name in unfinished]
    assert (lines[-1:] == ["stopped; run the same command again to resume"]) == (code > 1)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"per_job": "cpus=2"}, "per-job"),
        ({"on": "ray", "per_job": "gpu=1"}, "per-job"),
        ({"on": "slurm"}, "on"),
        ({"on": "ray", "workers": num_cores() + 1}, "workers"),
    ],
)
def test_where_runs_are_trained_rejects(options, field):
    with raises_input_error(field):
        TrainMissingOptions(**options).create_workspace()


def test_ray_is_an_extra(monkeypatch):
    monkeypatch.setattr("iidgan.utils.extras.list_missing_modules", lambda modules: [*modules])
    with raises_input_error("on", "pip install 'iidgan[ray]'"):
        TrainMissingOptions(on="ray").create_workspace()
