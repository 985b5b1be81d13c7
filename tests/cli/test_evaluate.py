"""`iidgan evaluate`: measurement of a trained run."""

import json
import os

import numpy as np
import pytest

from iidgan.cli import main
from iidgan.records import read_records
from tests.helpers.cli import TRAIN_ON_POINTS, fail_command, print_help

METRIC = '''
from dataclasses import dataclass

from iidgan.core import Metric


@dataclass(frozen=True, kw_only=True)
class MyMetric(Metric):
    """Mean power of the samples."""

    power: float = 2.0

    def missing(self, samples):
        return None

    def protocol(self, samples):
        return {"power": self.power}

    def __call__(self, samples):
        return {"my_size": (samples.generated.double().abs() ** self.power).flatten(1).mean(1)}
'''


def evaluate_json(capsys, *arguments):
    capsys.readouterr()
    assert main(["evaluate", "run", "-n", "200", "--json", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_evaluate_prints_json(trained_run, capsys):
    records = evaluate_json(capsys)
    assert {record["metric"] for record in records} >= {"shapiro_wilk", "ks", "x_error", "z_error"}
    assert {record["seed"] for record in records} == {0, 1}


def test_evaluate_own_metric(trained_run, plugin_module, capsys):
    module = plugin_module("own_metric", METRIC)
    records = evaluate_json(capsys, "--metric", f"{module}:MyMetric", "--mymetric.power=1")
    powers = [record["protocol"]["power"] for record in records if record["metric"] == "my_size"]
    assert powers == [1.0, 1.0]
    assert "shapiro_wilk" in {record["metric"] for record in records}
    stored = (trained_run / "evaluations.jsonl").read_text()
    assert stored.count('"my_size"') == 2
    assert "--mymetric.power" in print_help(capsys, "evaluate", "--metric", f"{module}:MyMetric")


def test_evaluate_own_metric_table(trained_run, plugin_module, capsys):
    module = plugin_module("other_metric", METRIC)
    capsys.readouterr()
    assert main(["evaluate", "run", "-n", "50", "--metric", f"{module}:MyMetric"]) == 0
    assert "my_size" in capsys.readouterr().out


def test_evaluate_metric_with_required_field(trained_run, plugin_module, capsys):
    text = METRIC.replace("power: float = 2.0", "power: float")
    name = f"{plugin_module('needy_metric', text)}:MyMetric"
    error = fail_command(capsys, "evaluate", "run", "--metric", name)
    assert "missing --mymetric.power" in error
    command = ["evaluate", "run", "--metric", name, "--mymetric.power", "-1", "-n", "50"]
    assert main(command) == 0
    assert "my_size" in capsys.readouterr().out


def test_figure_shows_own_metric(trained_run, plugin_module, work_dir):
    module = plugin_module("figure_metric", METRIC)
    command = ["train", "points.npy", "--steps", "8", "--arch.hidden", "8", "--batch", "16"]
    options = ["--checkpoint-every", "4", "--metric", f"{module}:MyMetric", "--out", "own"]
    assert main([*command, *options]) == 0
    from iidgan.figures.run import load_metric_series
    from iidgan.training.run_dir import RunDir

    assert "my_size" in load_metric_series(RunDir(work_dir / "own"), "run", [0])


@pytest.mark.usefixtures("work_dir")
def test_evaluate_after_data_moved(capsys):
    assert main(TRAIN_ON_POINTS) == 0
    os.rename("points.npy", "moved.npy")
    assert "points.npy" in fail_command(capsys, "evaluate", "run", "-n", "50")
    assert evaluate_json(capsys, "--source.path", "moved.npy")
    command = ["train", "moved.npy", "--steps", "8", "--seeds", "2", "--arch.hidden", "8"]
    assert main([*command, "--batch", "16", "--out", "run"]) == 0
    assert evaluate_json(capsys)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "run", "-n", "0"], ["num", "0"]),
        (["evaluate", "run", "--metric", "os:path"], ["metric", "'os:path'"]),
        (["evaluate", "run", "--source.path", "other.npy"], ["other.npy", "sha256"]),
        (["evaluate", "run", "--source.path", "none.npy"], ["none.npy", "No such file"]),
        (["evaluate", "run", "--root", "."], ["source.root", "--source.path"]),
        (["figure", "run", "--seed", "7"], ["seed", "7"]),
    ],
)
def test_commands_refuse_bad_input(trained_run, capsys, arguments, words):
    np.save("other.npy", np.zeros((4, 2)))
    error = fail_command(capsys, *arguments)
    assert all(word in error for word in words), error


@pytest.mark.slow
def test_figure_draws_run(trained_run, capsys):
    capsys.readouterr()
    assert main(["figure", "run"]) == 0
    figures = capsys.readouterr().out.split()
    assert {os.path.basename(path) for path in figures} == {
        "samples.png",
        "qq.png",
        "losses.png",
        "metrics.png",
    }
    assert all(os.path.getsize(path) > 1000 for path in figures)


def test_evaluate_leaves_metrics_alone(trained_run):
    """Numbers of fewer samples enter no curve and no table."""
    before = (trained_run / "metrics.jsonl").read_bytes()
    assert main(["evaluate", "run", "-n", "10"]) == 0
    assert (trained_run / "metrics.jsonl").read_bytes() == before
    later = read_records(trained_run / "evaluations.jsonl")
    assert {r.protocol["num_z"] for r in later if r.metric == "z_error"} == {10}
