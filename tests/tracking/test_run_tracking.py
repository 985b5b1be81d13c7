"""Tracking: what a training logs, once and in its units, and that no tracker can stop it."""

from __future__ import annotations

import math
import signal
import sys
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

import iidgan
from iidgan.engine.loop import LogRecord, StopRequest
from iidgan.records import read_records
from iidgan.tracking import RunTracking
from iidgan.tracking.run_tracking import draw_picture
from tests.helpers.errors import raises_input_error
from tests.helpers.training import RandomImages, tiny_run, train_tiny

pytestmark = pytest.mark.usefixtures("fast_evaluation")


class MemoryTracker:
    """Adds every call to `logs`, by seed."""

    logs: dict

    def __init__(self, target):
        self.log = self.logs[target.seed]
        self.log["first step"].append(target.first_step)

    def log_values(self, step, values):
        for name, value in values.items():
            self.log[name].append((step, value))

    def log_picture(self, step, name, picture):
        self.log[name].append((step, picture.shape, picture.dtype))

    def close(self):
        self.log["closed"].append(True)


@pytest.fixture
def logs(monkeypatch):
    all_logs = defaultdict(lambda: defaultdict(list))
    monkeypatch.setattr(MemoryTracker, "logs", all_logs, raising=False)
    return all_logs


def train_tracked(run, out, trackers, messages=None, last_step=None, **options):
    """Trains `run`, perhaps until `last_step` is logged, and collects messages for the user."""
    stop = StopRequest()

    def on_progress(message, record):
        if message and messages is not None:
            messages.append(message)
        if record is not None and record.step == last_step:
            stop.signal = signal.SIGTERM

    with RunTracking(run, out, trackers, on_progress) as tracking:
        return train_tiny(run, out, on_progress=tracking, stop=stop, **options)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_losses_metrics_and_samples_are_logged_once(tmp_path, logs, workers):
    run = tiny_run(iidgan.iid_gan())
    train_tracked(run, tmp_path / "r", [MemoryTracker], seeds=2, workers=workers)
    assert logs.keys() == {0, 1}
    for seed, log in logs.items():
        assert [step for step, _ in log["losses/D/adversarial"]] == [4, 8, 12]
        assert [step for step, *_ in log["samples"]][-1] == 12
        assert log["samples"][-1][1][2] == 3
        assert log["samples"][-1][2] == np.uint8
        assert log["closed"] == [True]
        records = read_records(tmp_path / "r" / "metrics.jsonl")
        for name in ("modes_1", "quality"):
            expected = [(r.step, r.value) for r in records if (r.seed, r.metric) == (seed, name)]
            assert log[f"metrics/{name}"] == expected
            assert len(expected) == 3


def test_resumed_training_goes_on_in_the_log(tmp_path, logs):
    run = tiny_run()
    train_tracked(run, tmp_path / "r", [MemoryTracker], last_step=4)
    train_tracked(run, tmp_path / "r", [MemoryTracker])
    log = logs[0]
    assert log["first step"] == [4, 8]
    assert [step for step, _ in log["losses/D/adversarial"]] == [4, 8, 12]
    assert [step for step, _ in log["metrics/modes_1"]] == [4, 4, 8, 12]


def test_values_that_are_not_finite_are_left_out(tmp_path, logs):
    losses = {"D/adversarial": [math.inf, 0.5]}
    record = LogRecord(100, losses, 0.1, {}, seeds=(3, 4), coverage=(math.nan, 0.25))
    with RunTracking(tiny_run(), tmp_path, [MemoryTracker]) as tracking:
        tracking("", record)
    assert 3 not in logs
    assert logs[4]["losses/D/adversarial"] == [(100, 0.5)]
    assert logs[4]["coverage"] == [(100, 0.25)]


class FailingTracker(MemoryTracker):
    """Fails at each call."""

    def log_values(self, step, values):
        raise ConnectionError("no network")

    def close(self):
        raise OSError("closed already")


def fail_to_start(target):
    raise RuntimeError("no account")


def test_failing_tracker_does_not_stop_training(tmp_path, logs):
    messages = []
    trackers = [FailingTracker, fail_to_start, MemoryTracker]
    result = train_tracked(tiny_run(), tmp_path / "r", trackers, messages)
    assert result.outcome == "finished"
    assert len(logs[0]["losses/D/adversarial"]) == 3
    warnings = [message for message in messages if message.startswith("warning")]
    assert sum("no network" in message for message in warnings) == 1
    assert sum("no account" in message for message in warnings) == 1


def test_picture_is_bytes_of_grid():
    images = np.stack([np.full((1, 8, 8), value) for value in (-1.0, 1.0)])
    picture = draw_picture(images)
    assert picture.dtype == np.uint8
    assert picture[4, 4].tolist() == [0, 0, 0]
    assert picture[4, 24].tolist() == [255, 255, 255]
    assert draw_picture(np.zeros((5, 3))) is None
    assert draw_picture(np.zeros((5, 2))).shape[2] == 3


def test_trackers_are_found_by_name(monkeypatch, tmp_path):
    with raises_input_error("track", "'tensorbord'", "'tensorboard'"):
        RunTracking(tiny_run(), tmp_path, ["tensorbord"])
    with raises_input_error("track", "nowhere:Tracker"):
        RunTracking(tiny_run(), tmp_path, ["nowhere:Tracker"])
    monkeypatch.setattr("iidgan.utils.extras.util.find_spec", lambda name: None)
    with raises_input_error("track", "wandb", "pip install 'iidgan[wandb]'"):
        RunTracking(tiny_run(), tmp_path, ["wandb"])


def read_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return events


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_has_one_curve_per_seed(tmp_path):
    run = tiny_run(source=RandomImages(), arch=iidgan.DCGAN(latent=3, width=2), batch=8)
    train_tracked(run, tmp_path / "r", ["tensorboard"], last_step=8, seeds=2)
    train_tracked(run, tmp_path / "r", ["tensorboard"], seeds=2)
    events = read_tensorboard(tmp_path / "r" / "tensorboard" / "seed-1")
    curve = events.Scalars("losses/D/adversarial")
    assert [event.step for event in curve] == [4, 8, 12]
    assert events.Images("samples")[-1].width > 0
    (text,) = {event.tensor_proto.string_val[0] for event in events.Tensors("run/text_summary")}
    assert b'"steps": 12' in text


class FakeRun:
    """A run of the fake module `wandb`, which stores the calls."""

    def __init__(self, options):
        self.options, self.logged, self.finished = options, [], False

    def define_metric(self, name, *, step_metric):
        assert (name, step_metric) == ("*", "step")

    def log(self, values):
        self.logged.append(values)

    def finish(self):
        self.finished = True


class FakeWandb:
    """The part of `wandb` that is used."""

    __spec__ = None

    def __init__(self):
        self.runs = []

    def init(self, **options):
        self.runs.append(FakeRun(options))
        return self.runs[-1]

    def Settings(self, **options):
        return options

    def Image(self, picture):
        return picture.shape


def test_wandb_resumes_the_same_runs(tmp_path, monkeypatch):
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.setattr("iidgan.utils.extras.list_missing_modules", lambda modules: [])
    run = tiny_run()
    train_tracked(run, tmp_path / "r", ["wandb"], last_step=4, seeds=2)
    train_tracked(run, tmp_path / "r", ["wandb"], seeds=2)
    ids = [wandb_run.options["id"] for wandb_run in fake.runs]
    assert ids[:2] == ids[2:]
    assert len({*ids}) == 2
    assert all(wandb_run.finished for wandb_run in fake.runs)
    options = fake.runs[1].options
    assert (options["resume"], options["config"]["seed"]) == ("allow", 1)
    assert options["config"]["steps"] == 12
    steps = [values["step"] for values in fake.runs[0].logged if "losses/D/adversarial" in values]
    assert steps == [4]
    train_tracked(replace(run, batch=17), tmp_path / "other", ["wandb"])
    assert fake.runs[-1].options["id"] not in ids


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_wandb_works_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    messages = []
    train_tracked(tiny_run(), tmp_path / "r", ["wandb"], messages)
    assert not [message for message in messages if message.startswith("warning")]
    (folder,) = (tmp_path / "r" / "wandb").glob("offline-run-*")
    assert [*folder.glob("files/media/images/samples_*.png")]
    assert [*folder.glob("*.wandb")]
