"""Runs trained as one batch give what each gives alone, and do not affect each other."""

import json
import signal
from dataclasses import replace

import pytest
import torch

import iidgan
from iidgan.data import Ring, StackedFashion
from iidgan.engine.compile.executors import EXECUTORS
from iidgan.engine.loop import StopRequest
from iidgan.errors import InputError
from iidgan.parallel.batched_runs import batch_key, train_batched
from iidgan.records import read_records
from iidgan.train import train
from iidgan.training.run_dir import RunDir
from iidgan.training.session import TrainSession
from tests.helpers.engine import capture_interpreted
from tests.helpers.parallel import RUN, SOURCES, make_specs
from tests.helpers.training import read_latest_tensors


def train_specs(specs, *, stop=None, on_progress=lambda *_: None, executor="eager"):
    return train_batched(
        specs,
        checkpoint_every=30,
        executor=executor,
        on_progress=on_progress,
        stop=stop or StopRequest(),
    )


def train_alone(spec, path):
    return train(
        spec.run, out=path, seeds=spec.seeds, checkpoint_every=30, device="cpu", executor="eager"
    )


def read_log(path):
    return [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]


def assert_same_run(path, other, rtol=1e-3):
    """Compares two runs up to rounding, which depends on the number of seeds."""
    states = [read_latest_tensors(p) for p in (path, other)]
    assert states[0].keys() == states[1].keys()
    for name in (name for name in states[0] if name.startswith(("nets.", "optimiser."))):
        torch.testing.assert_close(states[0][name], states[1][name], rtol=rtol, atol=1e-4)
    for left, right in zip(read_log(path), read_log(other), strict=True):
        assert left.keys() == right.keys()
        assert (left["step"], left["seed"]) == (right["step"], right["seed"])
        losses = left.keys() - {"step", "seed", "seconds"}
        assert {key: left[key] for key in losses} == pytest.approx(
            {key: right[key] for key in losses}, rel=rtol, abs=1e-4
        )
    records = [
        [(row.run, row.step, row.seed, row.metric, row.diverged) for row in read_records(p)]
        for p in (path / "metrics.jsonl", other / "metrics.jsonl")
    ]
    assert records[0] == records[1]


@pytest.mark.slow
def test_train_batched_equals_single_runs(tmp_path):
    specs = make_specs(tmp_path / "stack")
    assert train_specs(specs) == ["finished"] * 3
    for spec in specs:
        train_alone(spec, tmp_path / "alone" / spec.out.name)
        assert_same_run(spec.out, tmp_path / "alone" / spec.out.name)


@pytest.mark.slow
def test_train_batched_with_learning_rates_of_players(tmp_path):
    run = replace(RUN, optimiser=iidgan.RMSProp(lr=1e-3), lr_factors=(("D", 4.0),))
    specs = make_specs(tmp_path / "stack", run)[:2]
    assert train_specs(specs) == ["finished"] * 2
    for spec in specs:
        train_alone(spec, tmp_path / "alone" / spec.out.name)
        assert_same_run(spec.out, tmp_path / "alone" / spec.out.name)


@pytest.mark.slow
def test_train_batched_resumes_different_steps(tmp_path):
    specs = make_specs(tmp_path / "stack")
    stop = StopRequest()

    def on_progress(position, message, record):
        if record is not None and record.step == 30:
            stop.signal = signal.SIGINT

    assert train_specs(specs[:2], stop=stop, on_progress=on_progress) == ["stopped"] * 2
    assert train_specs(specs) == ["finished"] * 3
    assert train_specs(specs) == ["finished"] * 3  # nothing left to do
    for spec in specs:
        train_alone(spec, tmp_path / "alone" / spec.out.name)
        assert_same_run(spec.out, tmp_path / "alone" / spec.out.name)


@pytest.mark.slow
def test_train_batched_auto_keeps_executor(tmp_path, monkeypatch):
    """By default so short a run is trained eagerly."""
    monkeypatch.setitem(EXECUTORS, "compiled", capture_interpreted)
    spec = make_specs(tmp_path)[0]
    stop = StopRequest()

    def stop_at_checkpoint(position, message, record):
        if record is not None:
            stop.signal = signal.SIGINT

    outcomes = train_specs([spec], stop=stop, on_progress=stop_at_checkpoint, executor="compiled")
    assert outcomes == ["stopped"]
    assert train_specs([spec], executor="auto") == ["finished"]
    events = map(json.loads, (spec.out / "events.jsonl").read_text().splitlines())
    executors = [event["executor"] for event in events if event["event"] == "started"]
    assert executors == ["compiled", "compiled"]


@pytest.mark.slow
def test_train_batched_with_diverged_run(tmp_path):
    diverging, healthy = make_specs(tmp_path)[:2]
    diverging = replace(diverging, run=replace(RUN, source=Ring(size=500, radius=1e38)))
    assert train_specs([diverging, healthy]) == ["diverged", "finished"]
    assert all(row.diverged >= 0 for row in read_records(diverging.out / "metrics.jsonl"))
    train_alone(healthy, tmp_path / "alone")
    assert_same_run(healthy.out, tmp_path / "alone")


@pytest.mark.slow
def test_train_batched_without_gathered_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("iidgan.engine.sampling.MAX_GATHERED_BYTES", 0)
    specs = make_specs(tmp_path / "stack")[:2]
    assert train_specs(specs) == ["finished"] * 2
    train_alone(specs[0], tmp_path / "alone")
    assert_same_run(specs[0].out, tmp_path / "alone", rtol=0)


@pytest.mark.slow
def test_train_batched_with_failing_run(tmp_path):
    specs = make_specs(tmp_path)
    specs[1].out.mkdir()
    specs[2].out.mkdir()
    (specs[2].out / "in the way").write_text("")
    with RunDir(specs[1].out).lock():
        outcomes = train_specs(specs)
    assert outcomes[0] == "finished"
    assert outcomes[1].startswith("busy: out: ")
    assert outcomes[2].startswith("failed: out: ")
    assert train_specs(specs)[:2] == ["finished"] * 2


def test_train_batched_refuses_executor(tmp_path):
    (specs, *_) = make_specs(tmp_path)
    (outcome,) = train_specs([specs], executor="graphed")
    assert outcome.startswith("failed: executor: ")
    assert "graphed" in outcome
    assert not specs.out.exists()


@pytest.mark.slow
def test_train_batched_with_failing_group(tmp_path, monkeypatch):
    monkeypatch.setattr("iidgan.engine.sampling.MAX_GATHERED_BYTES", 0)  # each run is a group
    specs = make_specs(tmp_path)
    save = TrainSession.save_checkpoint

    def fail_first(session):
        if session.run_dir.path == specs[0].out:
            raise InputError("the disk is full")
        save(session)

    monkeypatch.setattr(TrainSession, "save_checkpoint", fail_first)
    assert train_specs(specs) == ["failed: the disk is full", "finished", "finished"]


def test_train_batched_after_stop_request(tmp_path, monkeypatch):
    monkeypatch.setattr("iidgan.engine.sampling.MAX_GATHERED_BYTES", 0)
    specs, stop = make_specs(tmp_path), StopRequest()

    def on_progress(position, message, record):
        stop.signal = signal.SIGINT

    assert train_specs(specs, stop=stop, on_progress=on_progress) == ["stopped"] * 3
    assert (specs[0].out / "log.jsonl").exists()
    assert not any((spec.out / "log.jsonl").exists() for spec in specs[1:])


def test_batch_key_ignores_planar_source():
    names = {batch_key(replace(RUN, source=source)) for source in SOURCES}
    others = (
        replace(RUN, steps=61),
        replace(RUN, method=iidgan.GAN()),
        replace(RUN, batch=5),
        replace(RUN, lr_factors=(("D", 0.5),)),
    )
    images = iidgan.Run(source=StackedFashion(), arch=iidgan.DCGAN())
    assert len(names) == 1
    assert not names & {batch_key(run) for run in (*others, images)}
    assert batch_key(images) != batch_key(replace(images, source=StackedFashion(seed=1)))
