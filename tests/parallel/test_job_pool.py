"""Jobs on worker processes: one after another, signals and positions of runs."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from iidgan.engine.loop import StopRequest
from iidgan.engine.optim import Adam
from iidgan.parallel.batched_runs import RunSpec
from iidgan.parallel.job_pool import Job, train_jobs
from tests.helpers.parallel import RUN, make_specs


@dataclass(frozen=True, kw_only=True)
class SignallingAdam(Adam):
    """Notes the process in which a run begins, and may send it a signal."""

    folder: str = "."
    name: str = ""
    signal: int = 0

    def lr_at(self, step, steps):
        if step == 0:
            with open(f"{self.folder}/{self.name}", "a") as file:
                file.write(f"{os.getpid()}\n")
            if self.signal:
                os.kill(os.getpid(), self.signal)
        return Adam.lr_at(self, step, steps)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "outcome"),
    [(signal.SIGKILL, "failed: its process was killed by SIGKILL"), (signal.SIGTERM, "stopped")],
)
def test_train_jobs_after_worker_ended(tmp_path, number, outcome):
    def make_job(name, number=0):
        optimiser = SignallingAdam(folder=str(tmp_path), name=name, signal=int(number))
        run = replace(RUN, optimiser=optimiser, steps=3)
        specs = [RunSpec(run=run, out=tmp_path / f"{name}-run", seeds=(0,))]
        return Job(specs=specs, checkpoint_every=3, device="cpu", executor="eager")

    def read_processes(name):
        return (tmp_path / name).read_text()

    notified_runs, run_outcomes = set(), {}
    outcomes = train_jobs(
        [make_job("a"), make_job("b", number), make_job("c")],
        workers=1,
        on_progress=lambda index, *_: notified_runs.add(index),
        on_outcome=run_outcomes.__setitem__,
        stop=StopRequest(),
    )
    assert outcomes == ["finished", outcome, "finished"]
    assert run_outcomes == dict(enumerate(outcomes))
    assert notified_runs >= {0, 2}
    assert read_processes("a") == read_processes("b") != read_processes("c")


@pytest.mark.slow
def test_train_jobs_stop_at_start(tmp_path):
    run = replace(RUN, steps=10**6)
    jobs = [
        Job(
            specs=[RunSpec(run=run, out=tmp_path / name, seeds=(0,))],
            checkpoint_every=10**6,
            device="cpu",
            executor="eager",
        )
        for name in "ab"
    ]
    stop = StopRequest()
    with ThreadPoolExecutor(1) as other:
        other.submit(lambda: time.sleep(0.5) or setattr(stop, "signal", signal.SIGINT))
        outcomes = train_jobs(
            jobs, workers=2, on_progress=lambda *_: None, on_outcome=lambda *_: None, stop=stop
        )
    assert set(outcomes) <= {"stopped", "not begun"}


@pytest.mark.slow
def test_train_jobs_counts_runs_over_jobs(tmp_path):
    jobs = [
        Job(specs=make_specs(tmp_path / name), checkpoint_every=60, device="cpu", executor="eager")
        for name in "ab"
    ]
    order, notified_runs = [], set()
    outcomes = train_jobs(
        jobs,
        workers=2,
        on_progress=lambda index, *_: notified_runs.add(index),
        on_outcome=lambda index, outcome: order.append((index, outcome)),
        stop=StopRequest(),
    )
    assert outcomes == ["finished"] * 6
    assert sorted(order) == [(i, "finished") for i in range(6)]
    assert notified_runs == set(range(6))
