"""One run dealt among processes is the run: its files, its endings, and what a crash costs."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
import torch

import iidgan
from iidgan.core import Arch
from iidgan.data import Ring
from iidgan.engine import checkpoint
from iidgan.engine.loop import Stop
from iidgan.engine.optim import Adam
from iidgan.engine.state import init, joined, part, tensors
from iidgan.errors import InputError
from iidgan.methods import GAN
from iidgan.parallel.seed_pool import Shards, deal
from iidgan.records import read
from iidgan.train import train


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 20])
def test_hands_are_dealt_whole_in_order_and_evenly(workers):
    hands = deal(tuple(range(7)), workers)
    assert [seed for hand in hands for seed in hand] == list(range(7))
    sizes = [len(hand) for hand in hands]
    assert len(sizes) == min(workers, 7)
    assert max(sizes) - min(sizes) <= 1


def test_parts_of_a_state_join_to_it():
    state = init(GAN(), Arch(iidgan.MLP(hidden=(8,)), (2,)), Adam(), range(5), ema=0.9)
    whole = tensors(state)
    parts = [part(whole, place) for place in (slice(0, 2), slice(2, 3), slice(3, 5))]
    again = joined(parts)
    assert again.keys() == whole.keys()
    assert all(torch.equal(again[name], whole[name]) for name in whole)


class Sudden(Stop):
    """Wishes to stop once the run has come to `step`."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def listen(self, news, tick):
        if tick is not None and tick.step >= self.step:
            self.signal = signal.SIGINT


def short(steps=130):
    method = iidgan.iid_gan()
    return iidgan.Run(
        source=Ring(size=500), method=method, arch=iidgan.MLP(hidden=(8,)), steps=steps
    )


def go(path, *, workers, run=None, every=50, **options):
    run = run or short()
    return train(run, out=path, seeds=3, workers=workers, checkpoint_every=every, **options)


def final(path):
    return checkpoint.read(checkpoint.newest(path / "checkpoints").path)


def events(path):
    return [json.loads(line)["event"] for line in (path / "events.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    path = tmp_path_factory.mktemp("alone") / "run"
    go(path, workers=1)
    return path


def near(ours, theirs, atol=1e-3):
    """Compares states up to the rounding of stacks of another size, which grows with the steps."""
    assert ours.keys() == theirs.keys()
    for name in (name for name in ours if name.startswith("nets.")):
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-2, atol=atol)


def same(path, other):
    """Sees that two runs left the same."""
    near(final(path), final(other))
    lines = [
        [(record["step"], record["seed"], *record) for record in map(json.loads, file)]
        for file in ((run / "log.jsonl").read_text().splitlines() for run in (path, other))
    ]
    assert lines[0] == lines[1]
    rows = [
        [(r.step, r.seed, r.metric) for r in read(run / "metrics.jsonl")] for run in (path, other)
    ]
    assert rows[0] == rows[1]


@pytest.mark.slow
def test_two_processes_leave_what_one_does(tmp_path, alone):
    result = go(tmp_path / "run", workers=2)
    assert (result.ending, result.step) == ("finished", 130)
    same(tmp_path / "run", alone)


@pytest.mark.slow
def test_all_stop_at_one_step_and_any_number_goes_on(tmp_path):
    run, stop = short(1500), Sudden(100)
    result = go(tmp_path / "run", workers=3, run=run, every=700, stop=stop, listener=stop.listen)
    assert result.ending == "stopped"
    assert 100 <= result.step < 1500
    assert go(tmp_path / "run", workers=1, run=run, every=700).ending == "finished"
    go(tmp_path / "alone", workers=1, run=run, every=700)
    near(final(tmp_path / "run"), final(tmp_path / "alone"), atol=0.05)
    assert events(tmp_path / "run") == ["started", "stopped", "started", "finished"]


def started(path):
    records = map(json.loads, (path / "events.jsonl").read_text().splitlines())
    return [(r["executor"], r["workers"]) for r in records if r["event"] == "started"]


@pytest.mark.slow
def test_a_run_goes_on_as_it_began_unless_told_otherwise(tmp_path):
    """The clock would choose one process for so short a run."""
    run = short(1500)
    for at, options in (
        (100, {"workers": 2, "executor": "eager"}),
        (200, {}),
        (300, {"workers": 3}),
    ):
        stop = Sudden(at)
        options = {"workers": "auto"} | options
        go(tmp_path / "run", run=run, every=700, stop=stop, listener=stop.listen, **options)
    assert started(tmp_path / "run") == [("eager", "2"), ("eager", "2"), ("eager", "3")]


@dataclass(frozen=True, kw_only=True)
class Deadly(Adam):
    """Kills the process that asks for the rate of step 70, `times` times in all, but no parent."""

    marks: str = "."
    times: int = 1

    def rate(self, step, steps):
        if step == 70 and multiprocessing.parent_process() is not None:
            for i in range(self.times):
                with suppress(FileExistsError):
                    os.close(os.open(f"{self.marks}/{i}", os.O_CREAT | os.O_EXCL))
                    os.kill(os.getpid(), signal.SIGKILL)
        return Adam.rate(self, step, steps)


def deadly(marks, times):
    return replace(short(), optimiser=Deadly(marks=str(marks), times=times))


@pytest.mark.slow
def test_a_killed_worker_is_started_again_once(tmp_path, alone):
    run = deadly(tmp_path, 1)
    assert go(tmp_path / "run", workers=2, run=run).ending == "finished"
    assert (tmp_path / "0").exists()
    same(tmp_path / "run", alone)
    assert events(tmp_path / "run") == ["started", "lost a worker", "finished"]


@pytest.mark.slow
def test_a_worker_that_is_killed_twice_ends_the_run_with_what_was_saved(tmp_path):
    run = deadly(tmp_path, 3)  # of two workers one dies twice
    with pytest.raises(InputError, match=r"workers: the process of seeds .* again; the same comm"):
        go(tmp_path / "run", workers=2, run=run)
    assert not multiprocessing.active_children()
    assert go(tmp_path / "run", workers=1, run=run).ending == "finished"


@pytest.mark.slow
def test_a_worker_that_is_killed_while_it_starts_is_started_again(tmp_path, monkeypatch):
    """All begin at once: none waits until another has begun to listen."""
    start, processes = Shards._start, []

    def start_and_kill(self, index):
        worker = start(self, index)
        processes.append(worker.process)
        if len(processes) == 2:
            assert all(process.is_alive() for process in processes)
            os.kill(processes[0].pid, signal.SIGKILL)
        return worker

    monkeypatch.setattr(Shards, "_start", start_and_kill)
    assert go(tmp_path / "run", workers=2).ending == "finished"
    assert events(tmp_path / "run") == ["started", "lost a worker", "finished"]


@pytest.mark.slow
def test_what_fails_in_a_worker_is_said_here(tmp_path, monkeypatch):
    gone = iidgan.ArrayFile(path=str(tmp_path / "gone.npy"))
    data = iidgan.core.Dataset(torch.randn(500, 2))
    monkeypatch.setattr(iidgan.ArrayFile, "load", lambda self: data)  # here alone
    with pytest.raises(InputError, match=r"gone\.npy: cannot be read"):
        go(tmp_path / "run", workers=2, run=replace(short(), source=gone))
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_no_process_outlives_the_one_that_saves(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import iidgan\n"
        "if __name__ == '__main__':\n"
        "    iidgan.train(iidgan.Run(), out='run', seeds=2, workers=2, executor='eager')\n"
    )
    parent = subprocess.Popen([sys.executable, script], cwd=tmp_path, start_new_session=True)
    log = tmp_path / "run" / "log.jsonl"
    deadline = time.monotonic() + 120
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert log.exists()
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 120
    while group(parent.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not group(parent.pid)


def group(leader):
    answer = subprocess.run(["pgrep", "-g", str(leader)], capture_output=True, text=True)
    return answer.stdout.split()
