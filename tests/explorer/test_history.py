"""Curves of a run over training."""

import json
import math
import shutil

import pytest

from iidgan.explorer.history import MAX_POINTS, read_history
from iidgan.training.run_dir import RunDir
from tests.helpers.errors import raises_input_error

pytestmark = pytest.mark.slow


@pytest.fixture
def run_dir(point_run, tmp_path):
    """A copy of the run, whose files a test may change."""
    return RunDir(shutil.copytree(point_run, tmp_path / "run"))


def find_curve(history, name):
    (curve,) = [curve for curve in history["curves"] if curve["name"] == name]
    return curve


def write_log(run_dir, losses):
    lines = [{"step": step, "seed": 0, "D/loss": loss} for step, loss in enumerate(losses, 1)]
    run_dir.log_file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_curves_are_those_of_the_files(run_dir):
    history = read_history(run_dir)
    assert (history["step"], history["steps"]) == (12, 12)
    modes = find_curve(history, "modes_100")
    assert (modes["group"], modes["seeds"], modes["steps"]) == ("coverage", [0, 1], [4, 8, 12])
    expected = {
        (record.seed, record.step): record.value
        for record in run_dir.read_metric_records()
        if record.metric == "modes_100"
    }
    assert modes["values"] == [[expected[seed, step] for step in (4, 8, 12)] for seed in (0, 1)]


def test_losses_have_a_value_for_each_line(run_dir):
    write_log(run_dir, [1.0, 3.0])
    curve = find_curve(read_history(run_dir), "D/loss")
    assert (curve["group"], curve["steps"]) == ("losses", [1, 2])
    assert curve["values"] == [[1.0, 3.0], [None, None]]  # of seed 1 there are no lines


def test_values_that_are_not_finite_are_missing(run_dir):
    write_log(run_dir, [1.0, math.inf, math.nan])
    assert find_curve(read_history(run_dir), "D/loss")["values"][0] == [1.0, None, None]


def test_long_curves_lose_steps_but_not_the_last(run_dir):
    write_log(run_dir, [0.0] * (3 * MAX_POINTS + 1))
    steps = find_curve(read_history(run_dir), "D/loss")["steps"]
    assert len(steps) <= MAX_POINTS
    assert steps[-1] == 3 * MAX_POINTS + 1


def test_run_is_training_while_it_is_locked(run_dir):
    with run_dir.lock():
        assert read_history(run_dir)["isTraining"]
    assert not read_history(run_dir)["isTraining"]


def test_damaged_log_is_named(run_dir):
    run_dir.log_file.write_text("no JSON\n")
    with raises_input_error(None, run_dir.log_file):
        read_history(run_dir)
