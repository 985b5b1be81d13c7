"""Jobs on worker processes: one after another, signals, restarts and positions of runs."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest
import torch

from iidgan.engine.loop import StopRequest
from iidgan.engine.optim import Adam
from iidgan.parallel.jobs import BatchJob
from iidgan.parallel.pool import PoolCallbacks, train_jobs
from iidgan.training.session import RunSpec
from tests.helpers.parallel import RUN, make_specs


@dataclass(frozen=True, kw_only=True)
class SignallingAdam(Adam):
    """Notes the process in which a run begins, and may send it a signal, at most `times` times."""

    folder: str = "."
    name: str = ""
    signal: int = 0
    times: int = 99

    def lr_at(self, step, steps):
        if step == 0:
            with open(f"{self.folder}/{self.name}", "a+") as file:
                file.write(f"{os.getpid()}\n")
                file.seek(0)
                num_starts = len(file.readlines())
            if self.signal and num_starts <= self.times:
                os.kill(os.getpid(), self.signal)
        return Adam.lr_at(self, step, steps)


def make_job(path, name, number=0, *, times=99, steps=3):
    optimiser = SignallingAdam(folder=str(path), name=name, signal=int(number), times=times)
    run = replace(RUN, optimiser=optimiser, steps=steps)
    spec = RunSpec(run=run, out=path / f"{name}-run", seeds=(0,), device=torch.device("cpu"))
    return BatchJob(specs=[spec], checkpoint_every=steps, executor="eager")


def read_processes(path, name):
    return (path / name).read_text().split()


def run_jobs(jobs, *, workers=1, stop=None, **callbacks):
    callbacks = {"on_progress": lambda *_: None} | callbacks
    return train_jobs(
        jobs,
        workers=workers,
        num_threads=1,
        callbacks=PoolCallbacks(**callbacks),
        stop=stop or StopRequest(),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "times", "outcome"),
    [
        (signal.SIGKILL, 1, "finished"),
        (signal.SIGKILL, 2, "failed: its process was killed by SIGKILL, again"),
        (signal.SIGTERM, 1, "stopped"),
    ],
)
def test_train_jobs_after_worker_ended(tmp_path, number, times, outcome):
    jobs = [
        make_job(tmp_path, "a"),
        make_job(tmp_path, "b", number, times=times),
        make_job(tmp_path, "c"),
    ]
    notified_runs, run_outcomes, restarts = set(), {}, []
    outcomes = run_jobs(
        jobs,
        on_progress=lambda index, *_: notified_runs.add(index),
        on_outcome=run_outcomes.__setitem__,
        on_restart=lambda index, message: restarts.append((index, "SIGKILL" in message)),
    )
    assert outcomes == ["finished", outcome, "finished"]
    assert run_outcomes == dict(enumerate(outcomes))
    assert notified_runs >= {0, 2}
    assert restarts == ([(1, True)] if number == signal.SIGKILL else [])
    (first,), processes, (last,) = (read_processes(tmp_path, name) for name in "abc")
    assert processes[0] == first
    assert (processes[-1] == last) == (outcome == "finished")


@pytest.mark.slow
def test_train_jobs_stop_at_start(tmp_path):
    jobs = [make_job(tmp_path, name, steps=10**6) for name in "ab"]
    stop = StopRequest()
    with ThreadPoolExecutor(1) as other:
        other.submit(lambda: time.sleep(0.5) or setattr(stop, "signal", signal.SIGINT))
        outcomes = run_jobs(jobs, workers=2, stop=stop)
    assert set(outcomes) <= {"stopped", "not begun"}


@pytest.mark.slow
def test_train_jobs_stop_when_callback_raises(tmp_path):
    """What was trained is saved, as on a stop request."""
    jobs = [make_job(tmp_path, "a"), make_job(tmp_path, "b", steps=10**6)]

    def fail(run_index, outcome):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_jobs(jobs, workers=2, on_outcome=fail)
    if (tmp_path / "b").exists():
        assert list((tmp_path / "b-run" / "checkpoints").glob("step-*"))


@pytest.mark.slow
def test_train_jobs_counts_runs_over_jobs(tmp_path):
    jobs = [
        BatchJob(specs=make_specs(tmp_path / name), checkpoint_every=60, executor="eager")
        for name in "ab"
    ]
    order, notified_runs = [], set()
    outcomes = run_jobs(
        jobs,
        workers=2,
        on_progress=lambda index, *_: notified_runs.add(index),
        on_outcome=lambda index, outcome: order.append((index, outcome)),
    )
    assert outcomes == ["finished"] * 6
    assert sorted(order) == [(i, "finished") for i in range(6)]
    assert notified_runs == set(range(6))
