"""Run directories: who owns them, and what damage is reported."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from iidgan.config.run import Run
from iidgan.core import (
    Dataset,
)
from iidgan.data import array
from iidgan.engine.optim import Adam
from iidgan.methods import iid_gan
from iidgan.nn import MLP
from iidgan.records import MetricRecord, append_records, read_records
from iidgan.training.export import load
from iidgan.training.replay import sample_checkpoint
from iidgan.training.run_dir import LOCK_FILE, RunDir
from iidgan.utils.files import PARTIAL_PREFIX
from iidgan.utils.jsonl import append_lines, read_lines
from tests.helpers.errors import raises_input_error
from tests.helpers.training import (
    assert_same_run,
    read_events,
    snapshot_files,
    stop_at,
    tiny_run,
    train_tiny,
)

pytestmark = pytest.mark.usefixtures("fast_evaluation")


CPU = torch.device("cpu")


def claim(path: Path, run: Run, seeds: tuple[int, ...] = (0,)) -> None:
    RunDir(path).claim(run, seeds, CPU, Dataset(torch.zeros(2, 2)))


def test_claim_twice_changes_nothing(tmp_path):
    claim(tmp_path / "deep" / "r", tiny_run())
    before = snapshot_files(tmp_path)
    claim(tmp_path / "deep" / "r", tiny_run())
    assert snapshot_files(tmp_path) == before
    assert RunDir(tmp_path / "deep" / "r").read_run() == (tiny_run(), (0,))


@pytest.mark.parametrize(
    ("run", "seeds", "difference"),
    [
        (tiny_run(optimiser=Adam(lr=1e-3)), (0,), "optimiser.lr (0.002 there, 0.001 here)"),
        (tiny_run(), (0, 1), "seeds ([0] there, [0, 1] here)"),
        (tiny_run(), (3,), "seeds[0] (0 there, 3 here)"),
        (tiny_run(iid_gan()), (0,), "method (gan there, regularised here)"),
        (tiny_run(batch=8, steps=13), (0,), "steps (12 there, 13 here), batch (16 there, 8 here)"),
        (tiny_run(arch=MLP(hidden=(8, 9))), (0,), "arch.hidden ([8] there, [8, 9] here)"),
        (
            tiny_run(precision="bfloat16"),
            (0,),
            'precision (the default there, "bfloat16" here)',
        ),
    ],
)
def test_claim_names_differing_fields(tmp_path, run, seeds, difference):
    claim(tmp_path, tiny_run())
    before = snapshot_files(tmp_path)
    with raises_input_error("out", tmp_path, f": {difference}; "):
        claim(tmp_path, run, seeds)
    assert snapshot_files(tmp_path) == before


@pytest.mark.usefixtures("fast_evaluation")
def test_train_records_where_data_have_moved(tmp_path):
    """Once the checkpoint is loaded: a training that is refused changes nothing."""
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(50, 2)))
    shutil.copy(tmp_path / "a.npy", tmp_path / "b.npy")
    first, moved = (tiny_run(source=array(tmp_path / name)) for name in ("a.npy", "b.npy"))
    train_tiny(first, tmp_path / "r", **stop_at(4))
    train_tiny(moved, tmp_path / "r")
    assert RunDir(tmp_path / "r").read_run()[0].source.path == str(tmp_path / "b.npy")


def test_claim_after_data_moved(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((20, 2)))
    shutil.copy(tmp_path / "a.npy", tmp_path / "b.npy")
    claim(tmp_path / "r", tiny_run(source=array(tmp_path / "a.npy")))
    moved = tiny_run(source=array(tmp_path / "b.npy"))
    claim(tmp_path / "r", moved)
    assert RunDir(tmp_path / "r").read_run()[0].source.path == str(tmp_path / "a.npy")
    RunDir(tmp_path / "r").renew(moved)
    assert RunDir(tmp_path / "r").read_run()[0].source.path == str(tmp_path / "b.npy")
    np.save(tmp_path / "b.npy", np.zeros((20, 2)))
    with raises_input_error("out", "source.sha256 ("):
        claim(tmp_path / "r", tiny_run(source=array(tmp_path / "b.npy")))


def test_claim_leaves_foreign_folder_alone(tmp_path):
    (tmp_path / "letters").mkdir()
    with raises_input_error("out", tmp_path):
        train_tiny(tiny_run(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letters"]


def test_claim_leaves_file_alone(tmp_path):
    (tmp_path / "r").write_text("mine")
    for out in (tmp_path / "r", tmp_path / "r" / "below"):
        with raises_input_error(None, tmp_path / "r"):
            train_tiny(tiny_run(), out)
    assert (tmp_path / "r").read_text() == "mine"


def test_claim_refuses_too_long_name(tmp_path):
    with raises_input_error(None, "File name too long"):
        train_tiny(tiny_run(), tmp_path / ("x" * 300))


def test_claim_after_interrupted_claim(tmp_path):
    (tmp_path / f"{PARTIAL_PREFIX}run-abc.json").write_text('{"id"')
    (tmp_path / ".lock").touch()
    claim(tmp_path, tiny_run())
    assert RunDir(tmp_path).read_run() == (tiny_run(), (0,))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"run": {}}',
        b'{"run": [], "seeds": 3}',
        b'{"run": {"steps": "many"}, "seeds": [0]}',
        b'{"run": {"source": {"type": "ring", "modes": []}}, "seeds": [0]}',
        b'{"run": {"nonsense": 1}, "seeds": [0]}',
        b'{"run": {}, "seeds": "ab"}',
        b'{"run": {}, "seeds": [0.5]}',
        b'{"run": {}, "seeds": [-1]}',
        b'{"run": {"source": {"type": "array", "path": 5}}, "seeds": [0]}',
        b'{"run": {"arch": {"type": "mlp", "hidden": [[]]}}, "seeds": [0]}',
    ],
)
def test_read_run_names_damaged_file(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with raises_input_error(str(tmp_path / "run.json"), "damaged"):
        train_tiny(tiny_run(), tmp_path)
    assert (tmp_path / "run.json").read_bytes() == content


def test_read_run_names_folder(tmp_path):
    (tmp_path / "run.json").mkdir()
    with raises_input_error(str(tmp_path / "run.json")):
        train_tiny(tiny_run(), tmp_path)


def test_truncate_logs_removes_later_records(tmp_path):
    folder = RunDir(tmp_path)
    steps = 4, 8, 12, 8
    append_lines(
        folder.log_file, [{"step": step, "seed": seed} for step in steps for seed in (0, 1)]
    )
    row = MetricRecord(
        run="a", seed=0, step=0, metric="m", value=1.0, diverged=-1, protocol={}, provenance={}
    )
    append_records(
        folder.metrics_file,
        [replace(row, step=step, seed=seed) for step in steps for seed in (0, 1)],
    )
    assert folder.truncate_logs({0: 8}) == {}
    for path in (folder.log_file, folder.metrics_file):
        kept_steps = {
            seed: [line["step"] for line in read_lines(path) if line["seed"] == seed]
            for seed in (0, 1)
        }
        assert kept_steps == {0: [4, 8, 8], 1: [4, 8, 12, 8]}


@pytest.mark.parametrize(
    "line", [b"[1]", b"{", b"\xff", b"", b"{}", b'{"step": "4"}', b'{"event": "started"}']
)
def test_resume_keeps_damaged_logs_aside(tmp_path, completed_run, line):
    run, run_dir, messages = tiny_run(), RunDir(tmp_path), []
    train_tiny(run, tmp_path, **stop_at(8))
    paths = run_dir.log_file, run_dir.metrics_file, run_dir.events_file
    damaged = {path: line + b"\n" + path.read_bytes() for path in paths}
    for path, content in damaged.items():
        path.write_bytes(content)
    train_tiny(run, tmp_path, on_progress=lambda message, record: messages.append(message))
    for path, content in damaged.items():
        copy = path.with_name(f"damaged-{path.name}")
        assert copy.read_bytes() == content
        assert any(f"{path}: line 1" in message and copy.name in message for message in messages)
        copy.unlink()
    assert_same_run(tmp_path, completed_run(run))
    events = read_events(tmp_path)
    assert events == ["started", "stopped", *["damaged file"] * 3, "started", "finished"]


def test_resume_measures_again_what_was_damaged(tmp_path, completed_run):
    """Otherwise a finished run would lack records of its last step for ever."""
    run = tiny_run()
    train_tiny(run, tmp_path)
    path = RunDir(tmp_path).metrics_file
    *lines, last_line = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines) + b"?" + last_line)
    assert train_tiny(run, tmp_path).outcome == "finished"
    (tmp_path / "damaged-metrics.jsonl").unlink()
    assert_same_run(tmp_path, completed_run(run))


@pytest.mark.parametrize("name", ["log.jsonl", "metrics.jsonl", "arrays.npz", "events.jsonl"])
def test_resume_writes_nothing_beside_special_file(tmp_path, name):
    train_tiny(tiny_run(), tmp_path, **stop_at(8))
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to(name)
    before = snapshot_files(tmp_path)
    with raises_input_error(str(tmp_path / name)):
        train_tiny(tiny_run(), tmp_path)
    assert snapshot_files(tmp_path) == before


@pytest.mark.parametrize("name", ["checkpoints", "generator"])
def test_resume_writes_nothing_beside_file_in_place_of_folder(tmp_path, name):
    train_tiny(tiny_run(), tmp_path, **stop_at(8))
    shutil.rmtree(tmp_path / name)
    (tmp_path / name).write_text("")
    before = snapshot_files(tmp_path)
    with raises_input_error(str(tmp_path / name), "folder"):
        train_tiny(tiny_run(), tmp_path)
    assert snapshot_files(tmp_path) == before


def test_run_file_says_how_the_run_is_executed(tmp_path):
    train_tiny(tiny_run(), tmp_path, executor="eager", workers=1)
    execution = json.loads((tmp_path / "run.json").read_text())["execution"]
    assert (execution["executor"], execution["workers"]) == ("eager", "1")
    assert execution["device"].startswith("cpu")
    RunDir(tmp_path).events_file.unlink()
    assert RunDir(tmp_path).read_execution() == execution


@pytest.mark.parametrize(
    "execution",
    [
        *([], {}, "eager", {"executor": "fast", "workers": "1"}),
        *({"executor": "eager", "workers": workers} for workers in ("0", "-1", "٣", "1e3", None)),
    ],
)
def test_read_execution_refuses_other_values(tmp_path, execution):
    train_tiny(tiny_run(), tmp_path, **stop_at(8))
    path = tmp_path / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"execution": execution}))
    with raises_input_error(str(path), "damaged"):
        train_tiny(tiny_run(), tmp_path)


def test_read_execution_of_old_directory(tmp_path):
    """It is in the events, even if one of them is damaged."""
    train_tiny(tiny_run(), tmp_path, **stop_at(8))
    path, run_dir = tmp_path / "run.json", RunDir(tmp_path)
    facts = json.loads(path.read_text())
    del facts["execution"]
    path.write_text(json.dumps(facts | {"version": 2}))
    run_dir.events_file.write_bytes(run_dir.events_file.read_bytes() + b"?\n")
    assert run_dir.read_execution() == {}
    assert list(run_dir.truncate_logs({0: 8})) == [run_dir.events_file]
    assert run_dir.read_execution()["executor"] == "eager"


# Two trainings in one directory


def test_lock_comes_before_claim(tmp_path):
    """A training that is refused has written nothing."""
    run_dir = RunDir(tmp_path / "r")
    with run_dir.lock():
        before = snapshot_files(tmp_path)
        with raises_input_error("out", run_dir.path, "in use"):
            train_tiny(tiny_run(), run_dir.path)
        assert snapshot_files(tmp_path) == before
    assert list(run_dir.path.iterdir()) == []


def test_run_is_in_use_while_it_is_locked(tmp_path):
    run_dir = RunDir(tmp_path / "r")
    assert not run_dir.is_in_use
    assert not run_dir.path.exists()
    with run_dir.lock():
        assert run_dir.is_in_use
    assert not run_dir.is_in_use


def test_file_of_a_killed_process_is_no_lock(tmp_path):
    (tmp_path / LOCK_FILE).touch()
    assert not RunDir(tmp_path).is_in_use


def test_claim_checks_again_under_the_lock(tmp_path, monkeypatch):
    """Another training may have begun and ended between the check and the lock."""
    other_run = tiny_run(batch=8)
    lock = RunDir.lock

    def lock_late(run_dir):
        monkeypatch.setattr(RunDir, "lock", lock)
        train_tiny(other_run, tmp_path)
        files.update(snapshot_files(tmp_path))
        return lock(run_dir)

    files = {}
    monkeypatch.setattr(RunDir, "lock", lock_late)
    with raises_input_error("out", "batch (8 there, 16 here)"):
        train_tiny(tiny_run(), tmp_path)
    assert snapshot_files(tmp_path) == files


TRAIN = """
import sys
from tests.helpers.training import tiny_run, train_tiny
from iidgan.errors import InputError

run = tiny_run(batch=int(sys.argv[2]), steps=200)
print("ready", flush=True)
sys.stdin.readline()
try:
    result = train_tiny(run, sys.argv[1], checkpoint_every=100)
except InputError as error:
    print(error)
else:
    print(result.outcome, {record.run for record in result.records})
"""


@pytest.mark.slow
def test_two_trainings_started_together(tmp_path):
    sizes = 8, 16
    trainings = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN, tmp_path / "r", str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for size in sizes
    ]
    assert [training.stdout.readline() for training in trainings] == ["ready\n"] * 2
    for training in trainings:
        training.stdin.write("\n")
        training.stdin.flush()
    outputs = {size: training.communicate()[0] for size, training in zip(sizes, trainings)}
    (winner,) = (size for size in sizes if outputs[size].startswith("finished"))
    winner_id = tiny_run(batch=winner, steps=200).id
    assert outputs.pop(winner) == f"finished {{'{winner_id}'}}\n"
    assert all(output.startswith("out: ") for output in outputs.values())
    assert RunDir(tmp_path / "r").read_run()[0].id == winner_id
    for path in (tmp_path / "r").rglob("*.json"):
        facts = json.loads(path.read_text())
        assert facts.get("id", winner_id) == winner_id
    assert {record.run for record in read_records(tmp_path / "r" / "metrics.jsonl")} == {winner_id}


def mix_runs(tmp_path):
    """A directory with the `run.json` of one run and the files of another."""
    run, other_run = tiny_run(), tiny_run(batch=8)
    train_tiny(run, tmp_path / "r", **stop_at(8))
    train_tiny(other_run, tmp_path / "other", **stop_at(4))
    shutil.copy(tmp_path / "other" / "run.json", tmp_path / "r" / "run.json")
    return run, other_run


def test_resume_refuses_checkpoint_of_other_run(tmp_path):
    run, other_run = mix_runs(tmp_path)
    before = snapshot_files(tmp_path)
    path = tmp_path / "r" / "checkpoints" / "step-00000008" / "state.safetensors"
    with raises_input_error(str(path), run.id, other_run.id):
        train_tiny(other_run, tmp_path / "r")
    assert snapshot_files(tmp_path) == before


def test_load_refuses_generator_of_other_run(tmp_path):
    run, other_run = mix_runs(tmp_path)
    with raises_input_error(str(tmp_path / "r" / "generator"), run.id, other_run.id):
        load(tmp_path / "r")
    assert load(tmp_path / "r" / "generator").point.run.id == run.id


def test_sample_checkpoint_refuses_other_run(tmp_path):
    run, other_run = mix_runs(tmp_path)
    with raises_input_error(None, run.id, other_run.id):
        sample_checkpoint(RunDir(tmp_path / "r"), 8)


def test_resume_measures_generator_of_other_run_again(tmp_path, completed_run):
    run = tiny_run()
    train_tiny(run, tmp_path / "r")
    train_tiny(tiny_run(batch=8), tmp_path / "other")
    shutil.rmtree(tmp_path / "r" / "generator")
    shutil.copytree(tmp_path / "other" / "generator", tmp_path / "r" / "generator")
    train_tiny(run, tmp_path / "r")
    assert_same_run(tmp_path / "r", completed_run(run))
