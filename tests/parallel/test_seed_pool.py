"""A run whose seeds are split across processes: same files and outcomes, and failing workers."""

import json
import multiprocessing
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
import torch

import iidgan
from iidgan.data import Ring
from iidgan.engine import checkpoint
from iidgan.engine.optim import Adam
from iidgan.parallel.seed_pool import SeedPool, partition_seeds
from iidgan.records import read_records
from iidgan.train import train
from tests.helpers.errors import raises_input_error
from tests.helpers.training import read_events, stop_at

pytestmark = pytest.mark.usefixtures("fast_evaluation")  # which the parent process does


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 20])
def test_partition_seeds_is_even(workers):
    shares = partition_seeds(tuple(range(7)), workers)
    assert [seed for share in shares for seed in share] == list(range(7))
    sizes = [len(share) for share in shares]
    assert len(sizes) == min(workers, 7)
    assert max(sizes) - min(sizes) <= 1


def make_run(steps=130):
    method = iidgan.iid_gan()
    return iidgan.Run(
        source=Ring(size=500), method=method, arch=iidgan.MLP(hidden=(8,)), steps=steps
    )


def train_seeds(path, *, workers, run=None, every=50, **options):
    run = run or make_run()
    return train(run, out=path, seeds=3, workers=workers, checkpoint_every=every, **options)


def read_final(path):
    return checkpoint.read_tensors(checkpoint.find_latest(path / "checkpoints").path)


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


def assert_same_run(path, other):
    """Compares states up to rounding, and the steps, seeds and names in logs and metrics."""
    assert_close_states(read_final(path), read_final(other))
    lines = [
        [(record["step"], record["seed"], *record) for record in map(json.loads, file)]
        for file in ((run / "log.jsonl").read_text().splitlines() for run in (path, other))
    ]
    assert lines[0] == lines[1]
    records = [
        [(r.step, r.seed, r.metric) for r in read_records(run / "metrics.jsonl")]
        for run in (path, other)
    ]
    assert records[0] == records[1]


@pytest.mark.slow
def test_seed_pool_equals_single_process(tmp_path, single_process):
    result = train_seeds(tmp_path / "run", workers=2)
    assert (result.outcome, result.step) == ("finished", 130)
    assert_same_run(tmp_path / "run", single_process)


@pytest.mark.slow
def test_seed_pool_stops_at_common_step(tmp_path):
    run = make_run(1500)
    result = train_seeds(tmp_path / "run", workers=3, run=run, every=700, **stop_at(100))
    assert result.outcome == "stopped"
    assert 100 <= result.step < 1500
    assert train_seeds(tmp_path / "run", workers=1, run=run, every=700).outcome == "finished"
    train_seeds(tmp_path / "single", workers=1, run=run, every=700)
    assert_close_states(read_final(tmp_path / "run"), read_final(tmp_path / "single"), atol=0.05)
    assert read_events(tmp_path / "run") == ["started", "stopped", "started", "finished"]


def read_starts(path):
    records = map(json.loads, (path / "events.jsonl").read_text().splitlines())
    return [(r["executor"], r["workers"]) for r in records if r["event"] == "started"]


@pytest.mark.slow
def test_resolve_auto_keeps_executor_and_workers(tmp_path):
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


@pytest.mark.slow
def test_seed_pool_restarts_killed_worker(tmp_path, single_process):
    run = make_killing_run(tmp_path, 1)
    assert train_seeds(tmp_path / "run", workers=2, run=run).outcome == "finished"
    assert (tmp_path / "0").exists()
    assert_same_run(tmp_path / "run", single_process)
    assert read_events(tmp_path / "run") == ["started", "lost a worker", "finished"]


@pytest.mark.slow
def test_seed_pool_fails_after_second_kill(tmp_path):
    run = make_killing_run(tmp_path, 3)  # one of two workers dies twice
    with raises_input_error("workers", "seeds", "SIGKILL", "--workers 1"):
        train_seeds(tmp_path / "run", workers=2, run=run)
    assert not multiprocessing.active_children()
    assert train_seeds(tmp_path / "run", workers=1, run=run).outcome == "finished"


@pytest.mark.slow
def test_seed_pool_restarts_worker_killed_at_start(tmp_path, monkeypatch):
    """All workers start at once, without waiting for each other."""
    start, processes = SeedPool._start_worker, []

    def start_and_kill(self, index):
        worker = start(self, index)
        processes.append(worker.process)
        if len(processes) == 2:
            assert all(process.is_alive() for process in processes)
            os.kill(processes[0].pid, signal.SIGKILL)
        return worker

    monkeypatch.setattr(SeedPool, "_start_worker", start_and_kill)
    assert train_seeds(tmp_path / "run", workers=2).outcome == "finished"
    assert read_events(tmp_path / "run") == ["started", "lost a worker", "finished"]


@pytest.mark.slow
def test_seed_pool_raises_error_of_worker(tmp_path, monkeypatch):
    gone = iidgan.ArrayFile(path=str(tmp_path / "gone.npy"))
    data = iidgan.core.Dataset(torch.randn(500, 2))
    monkeypatch.setattr(iidgan.ArrayFile, "load", lambda self: data)  # in this process alone
    with raises_input_error(str(tmp_path / "gone.npy")):
        train_seeds(tmp_path / "run", workers=2, run=replace(make_run(), source=gone))
    assert not multiprocessing.active_children()
