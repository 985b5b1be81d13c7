"""Coverage during training: it changes nothing else, survives interruptions, and ends runs."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

import iidgan
from iidgan.data import array
from iidgan.methods import GAN, iid_gan
from iidgan.nn import DCGAN
from iidgan.records import read_records
from iidgan.training.run_dir import RunDir
from iidgan.utils.jsonl import read_lines
from tests.helpers.coverage import NAN, script_coverage
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import make_extractor_of_means
from tests.helpers.training import (
    STEPS,
    DivergingMethod,
    NoisyMethod,
    RandomImages,
    assert_same_run,
    differing_tensors,
    find_first_peak,
    metric_lines,
    read_events,
    read_latest_tensors,
    read_log,
    snapshot_files,
    stop_at,
    tiny_run,
    train_tiny,
)

pytestmark = pytest.mark.usefixtures("fast_evaluation")


@pytest.fixture
def points_run(tmp_path):
    """A run on points whose distribution is not known."""
    points = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    np.save(tmp_path / "points.npy", points)
    return tiny_run(iid_gan(), source=array(tmp_path / "points.npy"))


def read_coverage(path: Path) -> list[tuple[int, int, float]]:
    """Seed, step and value of all diagnoses."""
    records = read_records(RunDir(path).metrics_file)
    return [(r.seed, r.step, r.value) for r in records if r.metric == "feature_coverage"]


def read_best(path: Path) -> dict[str, bytes]:
    """The files of the best networks, by name."""
    files = (file for file in sorted((path / "best").rglob("*")) if file.is_file())
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def read_best_steps(path: Path) -> dict[int, int]:
    models = [iidgan.load(folder) for folder in sorted((path / "best").iterdir())]
    return {model.point.seeds[0]: model.point.steps[0] for model in models}


IMAGES = {"source": RandomImages(), "arch": DCGAN(latent=3, width=2), "batch": 8, "ema": 0.5}


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(tiny_run(NoisyMethod()), id="noise"),
        pytest.param(tiny_run(**IMAGES), id="images", marks=pytest.mark.slow),
    ],
)
def test_diagnoses_change_no_bit_of_training(tmp_path, monkeypatch, run):
    monkeypatch.setattr(
        "iidgan.evaluation.coverage_monitor.create_monitor_extractor", make_extractor_of_means
    )
    train_tiny(run, tmp_path / "without", seeds=2, diagnose_every=0)
    train_tiny(run, tmp_path / "with", seeds=2, diagnose_every=4)
    states = [read_latest_tensors(tmp_path / name) for name in ("without", "with")]
    assert differing_tensors(*states) == []
    assert read_log(tmp_path / "with") == read_log(tmp_path / "without")
    lines = set(metric_lines(tmp_path / "with"))
    assert lines > set(metric_lines(tmp_path / "without"))
    assert len(read_coverage(tmp_path / "with")) == 2 * 3


def test_diagnosis_steps_and_records(tmp_path, points_run):
    shown = []
    result = train_tiny(
        points_run,
        tmp_path / "r",
        seeds=2,
        diagnose_every=5,
        on_progress=lambda message, record: (
            record and shown.append((record.step, record.coverage))
        ),
    )
    coverage = {(seed, step): value for seed, step, value in read_coverage(tmp_path / "r")}
    assert sorted(coverage) == [(seed, step) for seed in (0, 1) for step in (5, 10, STEPS)]
    values = {step: (coverage[0, step], coverage[1, step]) for step in (5, 10, STEPS)}
    assert dict(shown) == {
        4: (), 5: values[5], 8: values[5], 10: values[10], STEPS: values[STEPS]
    }  # fmt: skip
    protocols = {str(r.protocol) for r in result.records if r.metric == "feature_coverage"}
    assert len(protocols) == 1
    assert "'ema': 0.0" in protocols.pop()


@pytest.mark.parametrize("interval", [0, "auto", STEPS + 1])
def test_run_without_diagnoses(tmp_path, points_run, interval):
    train_tiny(points_run, tmp_path / "r", diagnose_every=interval)
    assert read_coverage(tmp_path / "r") == []
    assert not (tmp_path / "r" / "best").exists()


def test_best_networks_outlive_checkpoints(tmp_path, monkeypatch):
    script_coverage(monkeypatch, [0.2, 0.7], [0.6, 0.5], [0.4, 0.7])
    result = train_tiny(tiny_run(), tmp_path / "r", seeds=2, keep=1, diagnose_every=4)
    assert read_best_steps(tmp_path / "r") == {0: 8, 1: 4}
    assert result.model(0).point.steps == (STEPS,)  # the run itself still opens its last ones
    best = iidgan.load(tmp_path / "r" / "best" / "seed-0")
    assert best.sample(5).shape == (5, 2)
    assert not best.sample(5).equal(result.model(0).sample(5))


@pytest.mark.parametrize("step", [4, 6, 8])
def test_resume_with_diagnoses_changes_no_bit(tmp_path, points_run, step):
    options = {"seeds": 2, "diagnose_every": 3}
    train_tiny(points_run, tmp_path / "straight", **options)
    train_tiny(points_run, tmp_path / "r", **options, **stop_at(step))
    train_tiny(points_run, tmp_path / "r", **options)
    states = [read_latest_tensors(tmp_path / name) for name in ("r", "straight")]
    assert differing_tensors(*states) == []
    assert read_coverage(tmp_path / "r") == read_coverage(tmp_path / "straight")
    assert read_best(tmp_path / "r") == read_best(tmp_path / "straight") != {}


@pytest.mark.parametrize(
    ("target", "calls"),
    [
        ("iidgan.engine.checkpoint.save_state", 2),  # at step 8, after the diagnosis
        ("iidgan.training.session.append_records", 5),  # after the best networks of step 8
        ("iidgan.training.session.export_networks", 2),
    ],
)
def test_killed_run_with_diagnoses_changes_no_bit(
    tmp_path, points_run, monkeypatch, target, calls
):
    options = {"seeds": 2, "diagnose_every": 2}
    train_tiny(points_run, tmp_path / "straight", **options)
    with monkeypatch.context() as patch:
        patch.setattr(target, fail_at_call(calls, target))
        with pytest.raises(KeyboardInterrupt):
            train_tiny(points_run, tmp_path / "r", **options)
    train_tiny(points_run, tmp_path / "r", **options)
    assert_same_run(tmp_path / "r", tmp_path / "straight")
    assert read_best(tmp_path / "r") == read_best(tmp_path / "straight") != {}


def fail_at_call(number, target):
    """The function of that name, which is interrupted at one of its calls."""
    module_name, _, name = target.rpartition(".")
    original, calls = getattr(importlib.import_module(module_name), name), []

    def call(*args, **kwargs):
        calls.append(args)
        if len(calls) == number:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    return call


def test_fall_is_reported_once(tmp_path, monkeypatch):
    script_coverage(monkeypatch, [0.8, 0.5], [0.3, 0.5], [0.2, 0.5], [0.2, 0.5])
    messages = []
    train_tiny(
        tiny_run(),
        tmp_path / "r",
        seeds=[4, 7],
        diagnose_every=3,
        on_progress=lambda message, record: messages.append(message),
    )
    (event,) = [e for e in read_lines(RunDir(tmp_path / "r").events_file) if "coverage" in e]
    facts = {name: event[name] for name in ("event", "seed", "step", "best", "best_step")}
    assert facts == {
        "event": "coverage fell", "seed": 4, "step": 6, "best": 0.8, "best_step": 3
    }  # fmt: skip
    (warning,) = [message for message in messages if message]
    assert "seed 4" in warning
    assert str(tmp_path / "r" / "best" / "seed-4") in warning


COLLAPSE = [0.6, 0.6], [0.2, 0.1], [0.2, 0.2], [0.1, 0.1]


def test_collapsed_run_ends_and_stays_ended(tmp_path, monkeypatch):
    script_coverage(monkeypatch, *COLLAPSE)
    options = {"seeds": 2, "diagnose_every": 2, "stop_when_collapsed": True}
    result = train_tiny(tiny_run(), tmp_path / "r", **options)
    assert (result.outcome, result.step) == ("collapsed", 8)
    events = ["started", "coverage fell", "coverage fell", "collapsed"]
    assert read_events(tmp_path / "r") == events
    before = snapshot_files(tmp_path / "r")
    messages = []
    again = train_tiny(
        tiny_run(),
        tmp_path / "r",
        on_progress=lambda message, record: messages.append(message),
        **options,
    )
    assert (again.outcome, again.step) == ("collapsed", 8)
    assert messages == ["already collapsed at step 8"]
    assert snapshot_files(tmp_path / "r") == before


def test_collapsed_run_trains_on_without_the_option(tmp_path, monkeypatch, completed_run):
    script_coverage(monkeypatch, *COLLAPSE)
    options = {"seeds": 2, "diagnose_every": 2}
    train_tiny(tiny_run(), tmp_path / "r", stop_when_collapsed=True, **options)
    assert train_tiny(tiny_run(), tmp_path / "r", **options).outcome == "finished"
    states = [read_latest_tensors(path) for path in (tmp_path / "r", completed_run(tiny_run(), 2))]
    assert differing_tensors(*states) == []


@pytest.mark.parametrize(
    "rows",
    [
        ([0.6, 0.6], [0.2, 0.5]),  # one seed is well
        ([0.6, 0.6], [0.2, 0.2], [0.2, 0.2], [0.4, 0.2]),  # it recovers
        ([0.6, NAN], [0.5, NAN]),
    ],
)
def test_run_goes_on_unless_all_seeds_collapsed(tmp_path, monkeypatch, rows):
    script_coverage(monkeypatch, *rows)
    options = {"diagnose_every": 2, "stop_when_collapsed": True}
    result = train_tiny(tiny_run(), tmp_path / "r", seeds=2, **options)
    assert result.outcome == "finished"


def test_diverged_seeds_do_not_keep_a_collapsed_run_going(tmp_path, monkeypatch):
    healthy = tiny_run(DivergingMethod(inner=GAN()))
    bound, sick, _ = find_first_peak(healthy, [0, 1])
    run = tiny_run(DivergingMethod(inner=GAN(), above=bound))
    rows = [[0.9 if seed == sick else value for seed in (0, 1)] for value in (0.6, 0.2, 0.1, 0.1)]
    script_coverage(monkeypatch, *rows)
    options = {"diagnose_every": 2, "stop_when_collapsed": True}
    result = train_tiny(run, tmp_path / "r", seeds=2, **options)
    values = [value for seed, step, value in read_coverage(tmp_path / "r") if seed == sick]
    assert result.outcome == ("collapsed" if np.isnan(values).any() else "finished")


def test_option_without_diagnoses_says_so(tmp_path, points_run):
    messages = []
    train_tiny(
        points_run,
        tmp_path / "r",
        stop_when_collapsed=True,
        on_progress=lambda message, record: messages.append(message),
    )
    assert any("--diagnose-every" in message for message in messages)


@pytest.mark.parametrize(
    ("options", "field", "values"),
    [
        ({"diagnose_every": -1}, "diagnose-every", [-1]),
        ({"diagnose_every": "often"}, "diagnose-every", ["often", "auto"]),
        ({"diagnose_every": True}, "diagnose-every", [True]),
        ({"diagnose_every": 0, "stop_when_collapsed": True}, "stop-when-collapsed", ["auto"]),
    ],
)
def test_train_refuses_diagnosis_options(tmp_path, options, field, values):
    with raises_input_error(field, *values):
        train_tiny(tiny_run(), tmp_path / "r", **options)
    assert not (tmp_path / "r").exists()


def test_train_refuses_diagnoses_of_few_samples(tmp_path):
    np.save(tmp_path / "points.npy", np.zeros((5, 2), np.float32))
    run = tiny_run(source=array(tmp_path / "points.npy"), batch=2)
    with raises_input_error("diagnose-every", 5, 6):
        train_tiny(run, tmp_path / "r", diagnose_every=4)
    assert not (tmp_path / "r").exists()


def test_default_goes_on_without_weights(tmp_path, monkeypatch, points_run):
    """What nobody asked for ends no training; what somebody did is an error."""

    def fail(data, device):
        raise iidgan.errors.MissingFileError("efficientnet-lite0: its weights are missing")

    monkeypatch.setattr("iidgan.training.session.CoverageMonitor", fail)
    monkeypatch.setattr(
        "iidgan.training.run_session.choose_diagnosis_interval", lambda context, requested: 4
    )
    messages = []
    options = {"on_progress": lambda message, record: messages.append(message)}
    assert train_tiny(points_run, tmp_path / "r", **options).outcome == "finished"
    assert any("efficientnet-lite0" in message for message in messages)
    with raises_input_error("efficientnet-lite0"):
        train_tiny(points_run, tmp_path / "other", diagnose_every=4)
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_diagnoses_in_worker_processes(tmp_path, points_run):
    options = {"seeds": 3, "diagnose_every": 5, "executor": "eager"}
    train_tiny(points_run, tmp_path / "one", **options)
    train_tiny(points_run, tmp_path / "two", workers=2, **options)
    ones, twos = (sorted(read_coverage(tmp_path / name)) for name in ("one", "two"))
    assert [item[:2] for item in twos] == [item[:2] for item in ones]
    assert [item[2] for item in twos] == pytest.approx([item[2] for item in ones], abs=0.05)
    assert len(list((tmp_path / "two" / "best").iterdir())) == 3
