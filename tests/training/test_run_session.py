"""Resuming seeds that several processes have left at different steps."""

import shutil

import pytest
import torch

from iidgan.evaluation.arrays import load_arrays
from iidgan.records import read_records
from iidgan.training.export import load_networks
from iidgan.training.run_dir import RunDir
from iidgan.training.run_session import describe_steps, open_run, partition_seeds
from iidgan.training.session import RunSpec
from tests.helpers.training import (
    STEPS,
    assert_same_run,
    rewrite_checkpoint,
    stop_at,
    tiny_run,
    train_tiny,
)

pytestmark = pytest.mark.usefixtures("fast_evaluation")


def open_tiny(path, run, num_seeds):
    spec = RunSpec(run=run, seeds=tuple(range(num_seeds)), out=path, device=torch.device("cpu"))
    return open_run(spec, executor="eager", on_progress=lambda *_: None)


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 20])
def test_partition_seeds_is_even(workers):
    shares = partition_seeds(tuple(range(7)), workers)
    assert [seed for share in shares for seed in share] == list(range(7))
    sizes = [len(share) for share in shares]
    assert len(sizes) == min(workers, 7)
    assert max(sizes) - min(sizes) <= 1


def test_describe_steps():
    assert describe_steps([4, 4]) == "step 4"
    assert describe_steps([7, 4, 9]).startswith("steps 4 to 9")


def test_split_for_workers_follows_from_seeds(tmp_path):
    """Not from where processes stopped, as far as seeds of a share are at the same step."""
    run = tiny_run()
    train_tiny(run, tmp_path, seeds=7, **stop_at(8))
    rewrite_checkpoint(tmp_path, 8, [(0, 1, 2, 3)])
    with open_tiny(tmp_path, run, 7) as run_session:
        assert run_session.split_for_workers(3) == [(0, 1), (2, 3), (4, 5, 6)]
        assert run_session.split_for_workers(2) == [(0, 1, 2), (3,), (4, 5, 6)]
        assert [session.seeds for session in run_session.split_by_step()] == [
            (0, 1, 2, 3),
            (4, 5, 6),
        ]


def forget_last_step(path):
    """Leave one of three seeds at the end, and no seed measured there, as after a crash."""
    rewrite_checkpoint(path, STEPS, [(0,)])
    shutil.rmtree(path / "generator")
    lines = (path / "metrics.jsonl").read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if f'"step": {STEPS},' not in line)
    (path / "metrics.jsonl").write_text(text)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_resume_measures_seeds_that_are_done(tmp_path, workers):
    run = tiny_run()
    train_tiny(run, tmp_path, seeds=3)
    forget_last_step(tmp_path)
    result = train_tiny(run, tmp_path, seeds=3, workers=workers)
    assert (result.outcome, result.steps) == ("finished", (STEPS,) * 3)
    records = read_records(tmp_path / "metrics.jsonl")
    measured = {(record.seed, record.step) for record in records}
    assert {(seed, STEPS) for seed in range(3)} <= measured
    assert load_networks(tmp_path).point.steps == (STEPS,) * 3
    assert load_arrays(tmp_path / "arrays.npz")["step"].tolist() == [STEPS] * 3


def test_resume_renews_damaged_arrays(tmp_path, completed_run):
    run = tiny_run()
    train_tiny(run, tmp_path)
    (tmp_path / "arrays.npz").write_bytes(b"PK no archive")
    assert train_tiny(run, tmp_path).outcome == "finished"
    assert_same_run(tmp_path, completed_run(run))


def test_resume_replaces_generator_of_other_seeds(tmp_path):
    run = tiny_run()
    train_tiny(run, tmp_path / "many", seeds=3)
    train_tiny(run, tmp_path / "run", seeds=2)
    generator = RunDir(tmp_path / "run").generator_dir
    shutil.rmtree(generator)
    shutil.copytree(tmp_path / "many" / "generator", generator)
    assert train_tiny(run, tmp_path / "run", seeds=2).outcome == "finished"
    networks = load_networks(tmp_path / "run")
    assert networks.point.seeds == (0, 1)
    assert networks.select_model(1).sample(5).isfinite().all()
