"""A run whose seeds are split across processes: same files and outcomes, and failing workers."""

import json
import multiprocessing
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch

import iidgan
from iidgan.data import Ring
from iidgan.engine.optim import Adam
from iidgan.evaluation.arrays import load_arrays
from iidgan.metrics import ModeCoverage
from iidgan.parallel import pool
from iidgan.records import read_records
from iidgan.train import train
from tests.helpers.errors import raises_input_error
from tests.helpers.training import list_checkpoints, read_events, read_latest_tensors, stop_at

pytestmark = pytest.mark.slow


@dataclass(frozen=True, kw_only=True)
class QuickRing(Ring):
    """A ring on which workers measure few samples."""

    num_evaluated: ClassVar[int] = 150


def make_run(steps=130):
    method = iidgan.iid_gan()
    return iidgan.Run(
        source=QuickRing(size=500), method=method, arch=iidgan.MLP(hidden=(8,)), steps=steps
    )


def train_seeds(path, *, workers, run=None, every=50, **options):
    run = run or make_run()
    return train(run, out=path, seeds=3, workers=workers, checkpoint_every=every, **options)


@pytest.fixture(scope="module")
def single_process(tmp_path_factory):
    path = tmp_path_factory.mktemp("single") / "run"
    train_seeds(path, workers=1)
    return path


def assert_close_states(left, right, atol=1e-3):
    """Compares states up to rounding, which depends on the batch of seeds and grows with steps."""
    assert left.keys() == right.keys()
    for name in (name for name in left if name.startswith("nets.")):
        torch.testing.assert_close(left[name], right[name], rtol=1e-2, atol=atol)


def load_samples(path, seed):
    return iidgan.load(path, seed, plugins=[QuickRing, KillingAdam]).sample(100)


def assert_same_run(path, other):
    """Compares states up to rounding, and steps, seeds and names in logs, metrics and arrays."""
    assert_close_states(read_latest_tensors(path), read_latest_tensors(other))
    lines = [
        sorted((record["step"], record["seed"], *record) for record in map(json.loads, file))
        for file in ((run / "log.jsonl").read_text().splitlines() for run in (path, other))
    ]
    assert lines[0] == lines[1]
    records = [
        sorted((r.step, r.seed, r.metric) for r in read_records(run / "metrics.jsonl"))
        for run in (path, other)
    ]
    assert records[0] == records[1]
    arrays, other_arrays = load_arrays(path / "arrays.npz"), load_arrays(other / "arrays.npz")
    assert {name: arrays[name].shape for name in arrays} == {
        name: other_arrays[name].shape for name in other_arrays
    }
    for name in ("seeds", "step", "real", "z"):
        np.testing.assert_array_equal(arrays[name], other_arrays[name])
    for seed in (0, 1, 2):
        samples = [load_samples(run, seed) for run in (path, other)]
        torch.testing.assert_close(*samples, rtol=1e-2, atol=1e-2)


def test_train_in_workers_equals_single_process(tmp_path, single_process):
    records = []
    result = train_seeds(
        tmp_path / "run",
        workers=2,
        on_progress=lambda message, record: records.append(record),
    )
    assert (result.outcome, result.step, result.diverged) == ("finished", 130, (-1,) * 3)
    assert_same_run(tmp_path / "run", single_process)
    assert list_checkpoints(tmp_path / "run") == list_checkpoints(single_process)
    assert {record.seeds for record in records if record} == {(0,), (1, 2)}
    (last_checkpoint,) = (tmp_path / "run" / "checkpoints").glob("step-00000130")
    names = {file.name for file in last_checkpoint.iterdir()}
    assert names == {"state-0-0.safetensors", "state-1-2.safetensors", "MANIFEST.json"}


@pytest.fixture(scope="module")
def long_single_process(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "run"
    train_seeds(path, workers=1, run=make_run(600), every=250)
    return path


@pytest.mark.parametrize("workers", [1, 3])
def test_resume_after_stop_at_different_steps(tmp_path, long_single_process, workers):
    """Processes stop at different steps; any number of processes can resume from there."""
    run = make_run(600)
    result = train_seeds(tmp_path / "run", workers=2, run=run, every=250, **stop_at(300))
    assert result.outcome == "stopped"
    assert 0 < result.step == min(result.steps) < 600
    assert max(result.steps) >= 300  # late enough for the other process to have started
    last = train_seeds(tmp_path / "run", workers=workers, run=run, every=250)
    assert (last.outcome, last.step) == ("finished", 600)
    states = [read_latest_tensors(path) for path in (tmp_path / "run", long_single_process)]
    assert_close_states(*states, atol=0.05)
    assert read_events(tmp_path / "run") == ["started", "stopped", "started", "finished"]
    steps = {(line.step, line.seed) for line in read_records(tmp_path / "run" / "metrics.jsonl")}
    assert {(step, seed) for step in (250, 500, 600) for seed in range(3)} <= steps


def read_starts(path):
    records = map(json.loads, (path / "events.jsonl").read_text().splitlines())
    return [(r["executor"], r["workers"]) for r in records if r["event"] == "started"]


def test_choose_plan_keeps_executor_and_workers(tmp_path):
    run = make_run(1500)  # by default so short a run is trained in one process
    for step, options in (
        (100, {"workers": 2, "executor": "eager"}),
        (200, {}),
        (300, {"workers": 1}),
    ):
        options = {"workers": "auto"} | options | stop_at(step)
        train_seeds(tmp_path / "run", run=run, every=700, **options)
    assert read_starts(tmp_path / "run") == [("eager", "2"), ("eager", "2"), ("eager", "1")]


@dataclass(frozen=True, kw_only=True)
class KillingAdam(Adam):
    """Kills the worker that asks for the rate of step 70, `times` times in all."""

    marks: str = "."
    times: int = 1

    def lr_at(self, step, steps):
        if step == 70 and multiprocessing.parent_process() is not None:
            for i in range(self.times):
                with suppress(FileExistsError):
                    os.close(os.open(f"{self.marks}/{i}", os.O_CREAT | os.O_EXCL))
                    os.kill(os.getpid(), signal.SIGKILL)
        return Adam.lr_at(self, step, steps)


def make_killing_run(marks, times):
    return replace(make_run(), optimiser=KillingAdam(marks=str(marks), times=times))


def test_train_in_workers_restarts_killed_worker(tmp_path, single_process):
    run = make_killing_run(tmp_path, 1)
    assert train_seeds(tmp_path / "run", workers=2, run=run).outcome == "finished"
    assert (tmp_path / "0").exists()
    assert_same_run(tmp_path / "run", single_process)
    assert list_checkpoints(tmp_path / "run") == list_checkpoints(single_process)
    assert read_events(tmp_path / "run") == ["started", "lost a worker", "finished"]


def test_train_in_workers_fails_after_second_kill(tmp_path, single_process):
    run = make_killing_run(tmp_path, 3)  # one of two workers dies twice
    with raises_input_error("workers", "SIGKILL", "--workers 1"):
        train_seeds(tmp_path / "run", workers=2, run=run)
    assert not multiprocessing.active_children()
    assert train_seeds(tmp_path / "run", workers=1, run=run).outcome == "finished"
    assert_close_states(read_latest_tensors(tmp_path / "run"), read_latest_tensors(single_process))


def test_train_in_workers_restarts_worker_killed_at_start(tmp_path, monkeypatch):
    """All workers start at once, without waiting for each other."""
    start, processes = pool._WorkerPool._start_worker, []

    def start_and_kill(self):
        worker = start(self)
        processes.append(worker.process)
        if len(processes) == 2:
            assert all(process.is_alive() for process in processes)
            os.kill(processes[0].pid, signal.SIGKILL)
        return worker

    monkeypatch.setattr(pool._WorkerPool, "_start_worker", start_and_kill)
    assert train_seeds(tmp_path / "run", workers=2).outcome == "finished"
    assert read_events(tmp_path / "run") == ["started", "lost a worker", "finished"]


def test_train_in_workers_refuses_local_metric(tmp_path):
    class LocalMetric(ModeCoverage):
        """Which another process cannot import."""

    with raises_input_error("workers", "LocalMetric", "--workers 1"):
        train_seeds(tmp_path / "run", workers=2, metrics={"own": LocalMetric()})


def test_train_in_workers_reports_error_of_worker(tmp_path, monkeypatch):
    gone = iidgan.ArrayFile(path=str(tmp_path / "gone.npy"))
    data = iidgan.core.Dataset(torch.randn(500, 2))
    monkeypatch.setattr(iidgan.ArrayFile, "load", lambda self: data)  # in this process alone
    with raises_input_error("workers", tmp_path / "gone.npy", "seed"):  # of either worker
        train_seeds(tmp_path / "run", workers=2, run=replace(make_run(), source=gone))
    assert not multiprocessing.active_children()
