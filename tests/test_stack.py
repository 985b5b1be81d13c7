"""Runs side by side leave what each leaves alone; workers take one stack after the other."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest
import torch

import iidgan
from iidgan.data import Grid, Ring, StackedFashion
from iidgan.engine import checkpoint
from iidgan.engine.loop import Stop, Tick
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import BLOCK, Batches, Beside
from iidgan.errors import InputError
from iidgan.parallel.batched_runs import Part, alike, train_stack
from iidgan.parallel.job_pool import Job, train_all
from iidgan.records import read
from iidgan.studies.train_missing import Training, stacked
from iidgan.train import train
from iidgan.training.session import Session
from iidgan.utils.locks import locked

RUN = iidgan.Run(
    source=Ring(size=500), method=iidgan.iid_gan(), arch=iidgan.MLP(hidden=(8,)), steps=60
)
SOURCES = RUN.source, Grid(size=500), Ring(size=500, std=0.1)


def parts(path, run=RUN):
    """One run on each source, each with one seed more than the one before."""
    return [
        Part(run=replace(run, source=source), out=path / str(i), seeds=range(i + 1))
        for i, source in enumerate(SOURCES)
    ]


def together(given, *, stop=None, listener=lambda *_: None):
    return train_stack(
        given,
        checkpoint_every=30,
        keep=3,
        device="cpu",
        executor="eager",
        listener=listener,
        stop=stop or Stop(),
    )


def apart(part, path):
    return train(
        part.run, out=path, seeds=part.seeds, checkpoint_every=30, device="cpu", executor="eager"
    )


def records(path):
    return [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]


def same(path, other, rtol=1e-3):
    """Sees that two folders hold the same run, up to the rounding of stacks of another size."""
    states = [checkpoint.read(checkpoint.newest(p / "checkpoints").path) for p in (path, other)]
    assert states[0].keys() == states[1].keys()
    for name in (name for name in states[0] if name.startswith(("nets.", "optimiser."))):
        torch.testing.assert_close(states[0][name], states[1][name], rtol=rtol, atol=1e-4)
    for one, two in zip(records(path), records(other), strict=True):
        assert one.keys() == two.keys()
        assert (one["step"], one["seed"]) == (two["step"], two["seed"])
        losses = one.keys() - {"step", "seed", "seconds"}
        assert {key: one[key] for key in losses} == pytest.approx(
            {key: two[key] for key in losses}, rel=rtol, abs=1e-4
        )
    rows = [
        [(row.run, row.step, row.seed, row.metric, row.diverged) for row in read(p)]
        for p in (path / "metrics.jsonl", other / "metrics.jsonl")
    ]
    assert rows[0] == rows[1]


def test_runs_side_by_side_leave_what_each_leaves_alone(tmp_path):
    given = parts(tmp_path / "stack")
    assert together(given) == ["finished"] * 3
    for part in given:
        apart(part, tmp_path / "alone" / part.out.name)
        same(part.out, tmp_path / "alone" / part.out.name)


def test_runs_that_stopped_at_different_steps_go_on(tmp_path):
    given = parts(tmp_path / "stack")
    stop = Stop()

    def listener(position, news, tick):
        if tick is not None and tick.step == 30:
            stop.signal = signal.SIGINT

    assert together(given[:2], stop=stop, listener=listener) == ["stopped"] * 2
    assert together(given) == ["finished"] * 3
    assert together(given) == ["finished"] * 3  # and has nothing left to do
    for part in given:
        apart(part, tmp_path / "alone" / part.out.name)
        same(part.out, tmp_path / "alone" / part.out.name)


def test_a_run_whose_seeds_all_diverge_leaves_the_others_alone(tmp_path):
    lost, well = parts(tmp_path)[:2]
    lost = replace(lost, run=replace(RUN, source=Ring(size=500, radius=1e38)))
    assert together([lost, well]) == ["diverged", "finished"]
    assert all(row.diverged >= 0 for row in read(lost.out / "metrics.jsonl"))
    apart(well, tmp_path / "alone")
    same(well.out, tmp_path / "alone")


def test_samples_that_are_gathered_step_by_step_are_not_laid_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setattr("iidgan.engine.sampling.AT_ONCE", 0)
    given = parts(tmp_path / "stack")[:2]
    assert together(given) == ["finished"] * 2
    apart(given[0], tmp_path / "alone")
    same(given[0].out, tmp_path / "alone", rtol=0)


def test_a_run_that_cannot_be_trained_leaves_the_others_alone(tmp_path):
    given = parts(tmp_path)
    given[1].out.mkdir()
    given[2].out.mkdir()
    (given[2].out / "in the way").write_text("")
    with locked(given[1].out):
        endings = together(given)
    assert endings[0] == "finished"
    assert endings[1].startswith("busy: out: ")
    assert endings[2].startswith("failed: out: ")
    assert together(given)[:2] == ["finished"] * 2


def test_what_the_device_cannot_do_is_refused_before_there_is_a_folder(tmp_path):
    (given, *_) = parts(tmp_path)
    options = {"checkpoint_every": 30, "keep": 3, "device": "cpu", "executor": "graphed"}
    (ending,) = train_stack([given], listener=lambda *_: None, stop=Stop(), **options)
    assert ending.startswith("failed: executor: graphed needs a CUDA device")
    assert not given.out.exists()


def test_a_group_that_fails_leaves_the_others_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("iidgan.engine.sampling.AT_ONCE", 0)  # so that each is a group
    given = parts(tmp_path)
    save = Session.save

    def spoiled(session):
        if session.folder.path == given[0].out:
            raise InputError("the disk is full")
        save(session)

    monkeypatch.setattr(Session, "save", spoiled)
    assert together(given) == ["failed: the disk is full", "finished", "finished"]


def test_nothing_begins_after_a_wish_to_stop(tmp_path, monkeypatch):
    monkeypatch.setattr("iidgan.engine.sampling.AT_ONCE", 0)
    given, stop = parts(tmp_path), Stop()

    def listener(position, news, tick):
        stop.signal = signal.SIGINT

    assert together(given, stop=stop, listener=listener) == ["stopped"] * 3
    assert (given[0].out / "log.jsonl").exists()
    assert not any((part.out / "log.jsonl").exists() for part in given[1:])


def test_planar_runs_are_alike_but_for_their_source():
    names = {alike(replace(RUN, source=source)) for source in SOURCES}
    others = replace(RUN, steps=61), replace(RUN, method=iidgan.GAN()), replace(RUN, batch=5)
    images = iidgan.Run(source=StackedFashion(), arch=iidgan.DCGAN())
    assert len(names) == 1
    assert not names & {alike(run) for run in (*others, images)}
    assert alike(images) != alike(replace(images, source=StackedFashion(seed=1)))


def test_only_an_accelerator_stacks_what_is_alike():
    runs = [replace(RUN, source=SOURCES[0]), replace(RUN, steps=61), replace(RUN, source=Grid())]
    trainings = [Training(str(i), run, (0,)) for i, run in enumerate(runs)]
    assert stacked(trainings, torch.device("cuda")) == [[0, 2], [1]]
    assert stacked(trainings, torch.device("cpu")) == [[0], [1], [2]]


class TestBeside:
    def batches(self, seeds, source=RUN.source):
        data = source.load()
        return Batches(data, seeds, size=4, latent=2, repeat=3, noise={"a": (5,)}, steps=200)

    def test_has_the_batches_of_its_parts_in_order(self):
        one, two = self.batches((0, 1)), self.batches((0,), SOURCES[1])
        beside = Beside([one, two])
        for step in (0, 7, BLOCK, 3):
            for whole, *each in zip(beside.at(step), one.at(step), two.at(step), strict=True):
                found = whole.tensors()
                assert found.keys() == each[0].tensors().keys()
                for name, value in found.items():
                    expected = [part.tensors()[name] for part in each]
                    joined = torch.cat(expected) if name != "t" else expected[0]
                    assert torch.equal(value, joined)

    def test_gathering_by_the_block_changes_no_batch(self, monkeypatch):
        blocks = self.batches((3, 4))
        monkeypatch.setattr("iidgan.engine.sampling.AT_ONCE", 0)
        steps = self.batches((3, 4))
        assert (blocks.at_once, steps.at_once) == (True, False)
        for step in (0, 5, BLOCK + 1):
            for one, two in zip(blocks.at(step), steps.at(step), strict=True):
                assert all(torch.equal(v, two.tensors()[n]) for n, v in one.tensors().items())


def test_a_tick_has_parts():
    tick = Tick(step=5, losses={"a": [1.0, 2.0, 3.0]}, seconds=0.5, diverged={0: 4, 2: 5})
    first, rest = tick.of(slice(0, 1)), tick.of(slice(1, 3))
    assert (first.losses, first.diverged) == ({"a": [1.0]}, {0: 4})
    assert (rest.losses, rest.diverged) == ({"a": [2.0, 3.0]}, {1: 5})
    assert (rest.step, rest.seconds) == (5, 0.5)


@dataclass(frozen=True, kw_only=True)
class Telling(Adam):
    """Writes down in which process a run begins; sends it a signal where it is told to."""

    folder: str = "."
    name: str = ""
    signal: int = 0

    def rate(self, step, steps):
        if step == 0:
            with open(f"{self.folder}/{self.name}", "a") as file:
                file.write(f"{os.getpid()}\n")
            if self.signal:
                os.kill(os.getpid(), self.signal)
        return Adam.rate(self, step, steps)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "ending"),
    [(signal.SIGKILL, "failed: its process was killed by SIGKILL"), (signal.SIGTERM, "stopped")],
)
def test_a_worker_takes_one_job_after_the_other_and_its_end_costs_one(tmp_path, number, ending):
    def job(name, number=0):
        optimiser = Telling(folder=str(tmp_path), name=name, signal=int(number))
        run = replace(RUN, optimiser=optimiser, steps=3)
        given = [Part(run=run, out=tmp_path / f"{name}-run", seeds=(0,))]
        return Job(parts=given, checkpoint_every=3, device="cpu", executor="eager")

    def process(name):
        return (tmp_path / name).read_text()

    told, ended = set(), {}
    endings = train_all(
        [job("a"), job("b", number), job("c")],
        workers=1,
        news=lambda index, *_: told.add(index),
        ended=ended.__setitem__,
        stop=Stop(),
    )
    assert endings == ["finished", ending, "finished"]
    assert ended == dict(enumerate(endings))
    assert told >= {0, 2}
    assert process("a") == process("b") != process("c")


@pytest.mark.slow
def test_a_wish_to_stop_while_workers_begin_fails_nothing(tmp_path):
    run = replace(RUN, steps=10**6)
    jobs = [
        Job(
            parts=[Part(run=run, out=tmp_path / name, seeds=(0,))],
            checkpoint_every=10**6,
            device="cpu",
            executor="eager",
        )
        for name in "ab"
    ]
    stop = Stop()
    with ThreadPoolExecutor(1) as other:
        other.submit(lambda: time.sleep(0.5) or setattr(stop, "signal", signal.SIGINT))
        endings = train_all(
            jobs, workers=2, news=lambda *_: None, ended=lambda *_: None, stop=stop
        )
    assert set(endings) <= {"stopped", "not begun"}


@pytest.mark.slow
def test_positions_count_all_parts(tmp_path):
    jobs = [
        Job(parts=parts(tmp_path / name), checkpoint_every=60, device="cpu", executor="eager")
        for name in "ab"
    ]
    order, told = [], set()
    endings = train_all(
        jobs,
        workers=2,
        news=lambda index, *_: told.add(index),
        ended=lambda index, ending: order.append((index, ending)),
        stop=Stop(),
    )
    assert endings == ["finished"] * 6
    assert sorted(order) == [(i, "finished") for i in range(6)]
    assert told == set(range(6))
