"""Stopping and resuming changes no bit of what a training leaves."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from iidgan.cli import main
from iidgan.core import Batch, Regularised
from iidgan.data import ArrayFile
from iidgan.engine.loop import StopRequest
from iidgan.engine.optim import Adam, RMSProp
from iidgan.engine.sampling import DatasetStream
from iidgan.methods import GAN, METHODS, WGAN, iid_gan
from iidgan.nn import DCGAN
from iidgan.terms import Transport
from iidgan.training.run_dir import RunDir
from iidgan.utils.jsonl import read_lines
from tests.helpers.errors import raises_input_error
from tests.helpers.training import (
    DAMAGES,
    STEPS,
    DivergingMethod,
    NoisyMethod,
    PhasedMethod,
    RandomImages,
    assert_same_run,
    break_compiler,
    differing_tensors,
    find_first_peak,
    flip_byte,
    list_checkpoints,
    metric_lines,
    read_events,
    read_latest_tensors,
    read_log,
    snapshot_files,
    stop_at,
    tiny_run,
    train_tiny,
    truncate_file,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fast_evaluation")]


@pytest.mark.parametrize(("name", "seeds"), [("iid-gan", 1), *((name, 3) for name in METHODS)])
def test_resume_changes_no_bit(tmp_path, completed_run, name, seeds):
    run = tiny_run(METHODS[name]())
    first = train_tiny(run, tmp_path / "r", seeds=seeds, **stop_at(8))
    assert (first.outcome, first.step) == ("stopped", 8)
    last = train_tiny(run, tmp_path / "r", seeds=seeds)
    assert (last.outcome, last.step, last.diverged) == ("finished", STEPS, (-1,) * seeds)
    assert read_events(tmp_path / "r") == ["started", "stopped", "started", "finished"]
    assert_same_run(tmp_path / "r", completed_run(run, seeds))


VARIANTS = {
    "average": tiny_run(iid_gan(), ema=0.5),
    "ramped-average": tiny_run(iid_gan(), ema=0.9, ema_rampup=0.2),
    "noise": tiny_run(NoisyMethod()),
    "images": tiny_run(
        iid_gan(),
        source=RandomImages(),
        arch=DCGAN(latent=3, width=2, spectral_norm=True),
        batch=8,
    ),
    "bfloat16": tiny_run(
        iid_gan(),
        source=RandomImages(),
        arch=DCGAN(latent=3, width=2),
        batch=8,
        precision="bfloat16",
    ),
    "falling-weight": tiny_run(Regularised(method=GAN(), terms=(Transport(),))),
    "cosine": tiny_run(optimiser=Adam(schedule="cosine")),
    "phases": tiny_run(PhasedMethod(), ema=0.5),
    "rmsprop": tiny_run(WGAN(), optimiser=RMSProp(lr=1e-3, schedule="linear")),
    "two-time-scales": tiny_run(iid_gan(), lr_factors=(("D", 4.0),)),
}


@pytest.mark.parametrize("run", VARIANTS.values(), ids=VARIANTS)
def test_resume_changes_no_bit_of_variants(tmp_path, completed_run, run):
    train_tiny(run, tmp_path / "r", seeds=2, **stop_at(4))
    train_tiny(run, tmp_path / "r", seeds=2)
    assert_same_run(tmp_path / "r", completed_run(run, 2))


@pytest.mark.parametrize("step", [5, 6, 7])
def test_resume_around_change_of_players(tmp_path, completed_run, step):
    """The change is after step 6; the log has each player's losses where it moved."""
    run = tiny_run(PhasedMethod())
    train_tiny(run, tmp_path / "r", checkpoint_every=step, **stop_at(step))
    assert train_tiny(run, tmp_path / "r").step == STEPS
    assert (
        differing_tensors(
            read_latest_tensors(tmp_path / "r"), read_latest_tensors(completed_run(run))
        )
        == []
    )
    names = {line["step"]: line.keys() - {"step", "seed"} for line in read_log(completed_run(run))}
    first, then = {"W/warm"}, {"D/adversarial", "G/adversarial"}
    assert names == {4: first, 8: first | then, 12: then}


def total_losses(path: Path) -> dict[str, float]:
    """Sums the logged losses over all steps, at whichever steps they were logged."""
    found: dict[str, float] = {}
    before = 0
    for line in read_log(path):
        if line["seed"] == 0:
            for name in line.keys() - {"step", "seed"}:
                found[name] = found.get(name, 0.0) + (line["step"] - before) * line[name]
            before = line["step"]
    return found


@pytest.mark.parametrize("step", [1, 5, 11])
def test_stop_between_checkpoints_saves_its_step(tmp_path, completed_run, monkeypatch, step):
    stop, run = StopRequest(), tiny_run(iid_gan())

    class Watched(DatasetStream):
        def batches_at(self, number: int) -> list[Batch]:
            if number + 1 == step:
                stop.signal = signal.SIGINT
            return super().batches_at(number)

    with monkeypatch.context() as patch:
        patch.setattr("iidgan.training.context.DatasetStream", Watched)
        first = train_tiny(run, tmp_path, seeds=2, stop=stop)
    assert (first.outcome, first.step) == ("stopped", step)
    train_tiny(run, tmp_path, seeds=2)
    straight = completed_run(run, 2)
    assert differing_tensors(read_latest_tensors(tmp_path), read_latest_tensors(straight)) == []
    for measured in (4, 8, 12):
        assert metric_lines(tmp_path, step=measured) == metric_lines(straight, step=measured)
    assert total_losses(tmp_path) == pytest.approx(total_losses(straight), abs=1e-4)


def test_stop_in_last_step_finishes(tmp_path, completed_run):
    assert train_tiny(tiny_run(), tmp_path, **stop_at(STEPS)).outcome == "finished"
    assert_same_run(tmp_path, completed_run(tiny_run()))


def test_checkpoint_every_changes_no_training(tmp_path, completed_run):
    run = tiny_run(NoisyMethod())
    train_tiny(run, tmp_path, checkpoint_every=100)
    assert [p.name for p in RunDir(tmp_path).checkpoint_dir.iterdir()] == ["step-00000012"]
    assert (
        differing_tensors(read_latest_tensors(tmp_path), read_latest_tensors(completed_run(run)))
        == []
    )


def test_train_leaves_global_rng_alone(tmp_path, completed_run):
    run = tiny_run(NoisyMethod())
    torch.manual_seed(4)
    before = torch.get_rng_state()
    train_tiny(run, tmp_path)
    assert torch.equal(before, torch.get_rng_state())
    assert_same_run(tmp_path, completed_run(run))


def test_train_finished_run_changes_nothing(tmp_path):
    run = tiny_run(iid_gan())
    first = train_tiny(run, tmp_path, seeds=2)
    before = snapshot_files(tmp_path)
    again = train_tiny(run, tmp_path, seeds=2)
    assert snapshot_files(tmp_path) == before
    assert (again.outcome, again.step, again.diverged) == (first.outcome, STEPS, (-1, -1))
    assert again.records == first.records


def test_resume_refuses_other_seeds(tmp_path):
    train_tiny(tiny_run(), tmp_path, seeds=2, **stop_at(4))
    before = snapshot_files(tmp_path)
    with raises_input_error("out", "seeds ([0, 1] there, [0, 1, 2] here)"):
        train_tiny(tiny_run(), tmp_path, seeds=3)
    assert snapshot_files(tmp_path) == before


def test_train_refuses_locked_run_dir(tmp_path, completed_run):
    train_tiny(tiny_run(), tmp_path, **stop_at(4))
    before = snapshot_files(tmp_path)
    with RunDir(tmp_path).lock(), raises_input_error("out", tmp_path):
        train_tiny(tiny_run(), tmp_path)
    assert snapshot_files(tmp_path) == before
    train_tiny(tiny_run(), tmp_path)
    assert_same_run(tmp_path, completed_run(tiny_run()))


def test_resume_messages(tmp_path):
    train_tiny(tiny_run(), tmp_path, **stop_at(4))
    messages = []
    train_tiny(
        tiny_run(),
        tmp_path,
        on_progress=lambda message, record: messages.append((message, record and record.step)),
    )
    assert messages == [("resuming from step 4", None), ("", 8), ("", 12)]


@pytest.mark.parametrize("spoil", DAMAGES.values(), ids=DAMAGES)
def test_resume_from_damaged_checkpoint(tmp_path, completed_run, spoil):
    run, messages = tiny_run(), []
    train_tiny(run, tmp_path, **stop_at(8))
    spoil(tmp_path / "checkpoints" / "step-00000008")
    train_tiny(run, tmp_path, on_progress=lambda message, record: messages.append(message))
    assert "step-00000008 is damaged (" in messages[0]
    assert messages[1] == "resuming from step 4"
    event = read_lines(RunDir(tmp_path).events_file)[2]
    assert (event["event"], event["path"]) == ("damaged checkpoint", "step-00000008")
    assert_same_run(tmp_path, completed_run(run))
    assert read_events(tmp_path)[3:] == ["started", "finished"]


def test_resume_without_valid_checkpoint(tmp_path, completed_run):
    run, messages = tiny_run(), []
    train_tiny(run, tmp_path)
    for path in RunDir(tmp_path).checkpoint_dir.iterdir():
        flip_byte(path / "state.safetensors")
    train_tiny(run, tmp_path, on_progress=lambda message, record: messages.append(message))
    assert messages[3] == "no valid checkpoint left; starting over"
    assert_same_run(tmp_path, completed_run(run))


def test_keep_excludes_damaged_checkpoints(tmp_path, completed_run):
    run = tiny_run()
    train_tiny(run, tmp_path, checkpoint_every=8, keep=2)
    for path in RunDir(tmp_path).checkpoint_dir.iterdir():
        flip_byte(path / "state.safetensors")
    train_tiny(run, tmp_path, keep=1, checkpoint_every=3, **stop_at(6))
    assert list_checkpoints(tmp_path)[-1] == "step-00000006"
    for path in RunDir(tmp_path).checkpoint_dir.glob("step-*"):
        flip_byte(path / "state.safetensors")
    train_tiny(run, tmp_path, keep=1)  # sets aside what has the name of one that is aside
    assert (
        differing_tensors(read_latest_tensors(tmp_path), read_latest_tensors(completed_run(run)))
        == []
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: shutil.rmtree(path),
        lambda path: flip_byte(path / "model.safetensors"),
        lambda path: truncate_file(path / "config.json"),
        lambda path: (path / "model.safetensors").unlink(),
    ],
)
def test_resume_rewrites_damaged_generator(tmp_path, completed_run, spoil):
    run = tiny_run()
    train_tiny(run, tmp_path)
    spoil(tmp_path / "generator")
    assert train_tiny(run, tmp_path).outcome == "finished"
    assert_same_run(tmp_path, completed_run(run))


@pytest.mark.parametrize("step", [4, 12])
@pytest.mark.parametrize(
    "part", ["draw_samples", "append_records", "save_arrays", "export_networks"]
)
def test_resume_repeats_failed_measurement(tmp_path, completed_run, monkeypatch, step, part):
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    def on_progress(message, record):
        if record is not None and record.step == step:
            patch.setattr(f"iidgan.training.session.{part}", fail)

    run = tiny_run()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        train_tiny(run, tmp_path, on_progress=on_progress)
    assert list_checkpoints(tmp_path)[-1] == f"step-{step:08d}"
    train_tiny(run, tmp_path)
    assert_same_run(tmp_path, completed_run(run))


def test_resume_keeps_diverged_seeds(tmp_path, completed_run):
    seeds = (4, 0, 9)
    bound, sick, step = find_first_peak(tiny_run(DivergingMethod(inner=GAN())), list(seeds))
    run = tiny_run(DivergingMethod(inner=GAN(), above=bound))
    train_tiny(run, tmp_path, seeds=seeds, **stop_at(8))
    result = train_tiny(run, tmp_path, seeds=seeds)
    assert result.diverged[sick] == step
    assert_same_run(tmp_path, completed_run(run, seeds))


def test_resume_keeps_eager_after_failed_compilation(tmp_path, monkeypatch):
    """Compiled code would round differently."""
    run, messages = tiny_run(steps=40), []
    with monkeypatch.context() as patch:
        break_compiler(patch, tmp_path / "cache")
        options = stop_at(20)
        train_tiny(
            run,
            tmp_path / "run",
            executor="compiled",
            checkpoint_every=20,
            stop=options["stop"],
            on_progress=lambda message, record: (
                messages.append(message),
                options["on_progress"](message, record),
            ),
        )
    assert "compiling failed (no compiler); running eagerly" in messages
    result = train_tiny(run, tmp_path / "run", on_progress=lambda m, _: messages.append(m))
    assert messages.count("compiling") == 1
    assert {record.provenance["executor"] for record in result.records} == {"eager"}
    events = read_lines(RunDir(tmp_path / "run").events_file)
    assert [(event["event"], event.get("executor")) for event in events] == [
        ("started", "compiled"),
        ("executor", "eager"),
        ("stopped", None),
        ("started", "eager"),
        ("finished", None),
    ]


def test_resume_refuses_changed_data(tmp_path):
    values = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    source = ArrayFile(path=str(tmp_path / "x.npy"))  # without a checksum of its own
    np.save(tmp_path / "x.npy", values)
    train_tiny(tiny_run(source=source), tmp_path / "run")
    np.save(tmp_path / "x.npy", values + 1)
    with raises_input_error("source", tmp_path / "run"):
        train_tiny(tiny_run(source=source), tmp_path / "run")
    assert main(["evaluate", str(tmp_path / "run")]) == 2
