"""What a training measures, keeps and marks as diverged."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from iidgan import records
from iidgan.core import Samples, Source
from iidgan.data import Ring
from iidgan.engine.checkpoint import RunIdentity, find_latest
from iidgan.engine.inference import sample_prior
from iidgan.engine.optim import Adam
from iidgan.methods import METHODS, iid_gan
from iidgan.metrics import ModeCoverage
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import integrity_error
from iidgan.utils.jsonl import read_lines
from tests.helpers.errors import raises_input_error
from tests.helpers.training import (
    STEPS,
    DivergingMethod,
    differing_tensors,
    find_first_peak,
    metric_lines,
    read_events,
    read_latest_tensors,
    read_log,
    select_position,
    snapshot_files,
    tiny_run,
    train_tiny,
)

pytestmark = pytest.mark.usefixtures("fast_evaluation")


def test_keep_limits_checkpoints(tmp_path):
    for keep in (1, 2, 5):
        train_tiny(tiny_run(), tmp_path / str(keep), keep=keep)
        names = sorted(p.name for p in RunDir(tmp_path / str(keep)).checkpoint_dir.iterdir())
        assert names == ["step-00000004", "step-00000008", "step-00000012"][-keep:]
        assert all(
            integrity_error(RunDir(tmp_path / str(keep)).checkpoint_dir / n) is None for n in names
        )


@pytest.mark.parametrize(("keep_networks", "expected"), [(True, [4, 8, 12]), (False, [])])
def test_networks_of_every_checkpoint_are_kept(tmp_path, keep_networks, expected):
    train_tiny(tiny_run(), tmp_path, keep=1, keep_networks=keep_networks)
    names = [path.name for path in RunDir(tmp_path).past_dir.glob("*")]
    assert sorted(names) == [f"seed-0-step-{step:08}" for step in expected]


def test_records_have_protocol_and_provenance(completed_run):
    run = tiny_run(iid_gan())
    all_records = records.read_records(RunDir(completed_run(run, 3)).metrics_file)
    assert {(row.run, row.diverged) for row in all_records} == {(run.id, -1)}
    assert {(row.seed, row.step) for row in all_records} == {
        (s, t) for s in range(3) for t in (4, 8, 12)
    }
    assert {row.protocol["family"] for row in all_records} == {
        *("coverage", "mode-shares", "sliced-wasserstein", "fresh-data"),
        "normality",
        "reconstruction",
    }
    assert all(row.protocol["ema"] == 0.0 for row in all_records)
    modes = next(row for row in all_records if row.metric == "modes_1")
    assert modes.protocol["num_generated"] == 150
    assert modes.protocol["std"] == 0.001
    assert modes.provenance["commit"] == "some-commit"
    assert {"iidgan", "torch", "numpy", "python", "device", "date"} <= modes.provenance.keys()


def test_repeated_measurement_keeps_provenance(tmp_path):
    """As after a crash between a checkpoint and its measurement."""
    result = train_tiny(tiny_run(), tmp_path, workers=1, executor="eager")
    shutil.rmtree(RunDir(tmp_path).generator_dir)
    train_tiny(tiny_run(), tmp_path)
    provenance = [record.provenance for record in result.records]
    assert {(facts["executor"], facts["workers"]) for facts in provenance} == {("eager", "1")}


@dataclass(frozen=True)
class TensorSource(Source):
    def load(self):
        return torch.zeros(100, 2)


def test_train_refuses_source_without_dataset(tmp_path):
    with raises_input_error("source", "TensorSource", "Dataset", "Tensor"):
        train_tiny(tiny_run(source=TensorSource()), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_records_follow_from_generator(tmp_path):
    run = tiny_run(iid_gan(), source=Ring(size=200, std=0.5))
    result, data = train_tiny(run, tmp_path, seeds=np.arange(2)), run.source.load()
    for seed in (0, 1):
        generated = result.model(seed).generate(sample_prior([seed], 150, 2)[0])[None]
        expected = ModeCoverage()(Samples(generated, data.x, truth=data.truth))
        measured = {r.metric: r.value for r in result.records if (r.seed, r.step) == (seed, STEPS)}
        assert expected["quality"].item() > 0
        for name, value in expected.items():
            assert measured[name] == pytest.approx(value.item(), nan_ok=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_diverged_seed_affects_no_other(tmp_path, completed_run, name):
    seeds = [4, 0, 9]
    healthy = tiny_run(DivergingMethod(inner=METHODS[name]()))
    bound, sick, step = find_first_peak(healthy, seeds)
    run = tiny_run(replace(healthy.method, above=bound))
    messages = []
    result = train_tiny(
        run, tmp_path, seeds=seeds, on_progress=lambda message, record: messages.append(message)
    )
    marks = tuple(step if i == sick else -1 for i in range(3))
    assert (result.outcome, result.step, result.diverged) == ("finished", STEPS, marks)
    assert f"seed {seeds[sick]} diverged at step {step}" in messages
    event = next(e for e in read_lines(RunDir(tmp_path).events_file) if e["event"] == "diverged")
    assert (event["seed"], event["step"]) == (seeds[sick], step)
    identity = RunDir(tmp_path).read_identity()
    assert identity == RunIdentity(run.id, tuple(seeds))
    latest = find_latest(RunDir(tmp_path).checkpoint_dir, identity)
    assert tuple(map(latest.diverged_step_of, seeds)) == marks
    for row in result.records:
        expected = step if row.seed == seeds[sick] and row.step >= step else -1
        assert row.diverged == expected
    assert all(
        None in line.values()
        for line in read_log(tmp_path)
        if (line["seed"], line["step"]) == (seeds[sick], STEPS)
    )
    broken, straight = (
        read_latest_tensors(tmp_path),
        read_latest_tensors(completed_run(healthy, tuple(seeds))),
    )
    assert differing_tensors(select_position(broken, sick), select_position(straight, sick)) != []
    for position in {0, 1, 2} - {sick}:
        assert (
            differing_tensors(
                select_position(broken, position), select_position(straight, position)
            )
            == []
        )
        lines = metric_lines(tmp_path, seed=seeds[position])
        healthy_lines = metric_lines(completed_run(healthy, tuple(seeds)), seed=seeds[position])
        assert lines == [row.replace(healthy.id, run.id) for row in healthy_lines]
    assert result.model().point.seeds == (next(s for s in seeds if s != seeds[sick]),)
    assert result.model(seeds[sick]).sample(5).isnan().all()


def test_train_ends_when_all_seeds_diverged(tmp_path):
    run = tiny_run(iid_gan(), optimiser=Adam(lr=1e30), steps=1000)
    first = train_tiny(run, tmp_path, seeds=2, checkpoint_every=500)
    assert first.outcome == "diverged"
    assert first.step == 100  # the first tick
    assert all(1 <= step <= 3 for step in first.diverged)
    assert read_events(tmp_path) == ["started", "diverged", "diverged", "diverged"]
    assert {row.diverged for row in first.records} == set(first.diverged)
    before = snapshot_files(tmp_path)
    again = train_tiny(run, tmp_path, seeds=2, checkpoint_every=500)
    assert (again.outcome, again.step, again.diverged) == ("diverged", first.step, first.diverged)
    assert snapshot_files(tmp_path) == before
    with raises_input_error("seed", "every seed"):
        again.model()
