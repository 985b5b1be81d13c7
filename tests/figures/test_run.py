"""Figures of one run: samples, curves, and errors."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from iidgan.figures.run import (
    draw_figures,
    load_loss_series,
    load_metric_series,
    make_latent_panel,
    plot_samples,
)
from iidgan.records import INTERIM_FAMILY, MetricRecord, append_records
from iidgan.training.run_dir import RunDir
from iidgan.utils.jsonl import append_lines
from tests.helpers.errors import raises_input_error
from tests.helpers.training import tiny_run


def make_record(metric, step, value, family):
    return MetricRecord(
        run="a",
        seed=0,
        step=step,
        metric=metric,
        value=value,
        diverged=-1,
        protocol={"family": family} if family else {},
        provenance={},
    )


@pytest.fixture
def run_dir(tmp_path):
    (tmp_path / "run.json").write_text('{"version": 3, "id": "a", "seeds": [0, 1]}')
    return RunDir(tmp_path)


@pytest.mark.parametrize(
    ("metric", "family", "is_shown"),
    [
        ("quality", "coverage", True),
        ("quality", "", True),
        ("modes_25", "coverage", False),
        ("modes_25", "", False),
        ("my_size", "my_metrics:MySize", True),
        ("feature_coverage", INTERIM_FAMILY, True),
    ],
)
def test_load_metric_series_names(run_dir, metric, family, is_shown):
    """Curves of some registered metrics, and of all that are not registered."""
    records = [make_record(metric, step, 1.0, family) for step in (1, 2)]
    append_records(run_dir.metrics_file, records)
    series = load_metric_series(run_dir, "label", [0, 1])
    assert list(series) == ([metric] if is_shown else [])
    if is_shown:
        np.testing.assert_array_equal(series[metric][0].values, [[1.0, 1.0], [np.nan, np.nan]])


def test_load_metric_series_needs_two_steps(run_dir):
    append_records(run_dir.metrics_file, [make_record("quality", 1, 1.0, "coverage")])
    assert load_metric_series(run_dir, "label", [0]) == {}


def test_load_loss_series_by_name(run_dir):
    records = [
        {"step": 1, "seed": 0, "D/adversarial": 2.0, "G/adversarial": None},
        {"step": 2, "seed": 0, "D/adversarial": 1.0, "G/adversarial": None},
    ]
    append_lines(run_dir.log_file, records)
    series = load_loss_series(run_dir, "label", [0])
    assert list(series) == ["D/adversarial"]
    np.testing.assert_array_equal(series["D/adversarial"][0].values, [[2.0, 1.0]])


@pytest.mark.parametrize(("latent", "has_plane"), [(2, True), (4, False)])
def test_make_latent_panel_of_other_latents(latent, has_plane):
    arrays = {
        **{"generated": np.zeros((1, 5, 2)), "modes": np.zeros((1, 5), int)},
        **{"z": np.zeros((1, 5, latent)), "codes": np.ones((1, 5, latent))},
        **{"centres": np.eye(2), "std": np.array(0.1), "real_modes": np.zeros(5, int)},
    }
    panel = make_latent_panel(arrays, "run a", 0)
    assert (panel.z is not None) == (panel.codes is not None) == has_plane
    assert panel.summary == "1 of 2 modes, 0.0% bad"


def test_load_metric_series_of_interim_steps(run_dir):
    """Diagnoses between checkpoints leave the curves of other metrics as they are."""
    records = [make_record("quality", step, 1.0, "coverage") for step in (4, 8)]
    records += [make_record("feature_coverage", step, 0.5, INTERIM_FAMILY) for step in (3, 6, 8)]
    append_records(run_dir.metrics_file, records)
    series = load_metric_series(run_dir, "label", [0])
    steps = {name: curve.steps.tolist() for name, (curve,) in series.items()}
    assert steps == {"quality": [4, 8], "feature_coverage": [3, 6, 8]}


def test_load_loss_series_of_processes_that_stopped(run_dir):
    """A step that some seeds lack, which train on, is left out; a seed may end early."""
    places = [(100, 0), (100, 1), (130, 0), (170, 1), (200, 0), (200, 1), (300, 1)]
    append_lines(
        run_dir.log_file,
        [{"step": step, "seed": seed, "D/adversarial": 1.0} for step, seed in places],
    )
    (series,) = load_loss_series(run_dir, "label", [0, 1])["D/adversarial"]
    assert series.steps.tolist() == [100, 200, 300]
    np.testing.assert_array_equal(series.values, [[1, 1, np.nan], [1, 1, 1]])


def test_load_loss_series_of_other_records(run_dir):
    append_lines(run_dir.log_file, [{"step": 1, "D/adversarial": 2.0}])
    with raises_input_error(str(run_dir.log_file), "damaged", "seed"):
        load_loss_series(run_dir, "label", [0])


def test_plot_samples_of_images_and_points():
    assert plot_samples(np.zeros((65, 1, 4, 4))).width == 16 * (2 * 4 + 2) + 2
    assert plot_samples(np.zeros((9, 1, 4, 4)), columns=3).width == 3 * (2 * 4 + 2) + 2
    assert len(plot_samples(np.zeros((5, 2))).axes) == 1
    with raises_input_error("out", "(3,)", ".npz"):
        plot_samples(np.zeros((5, 3)))


@pytest.mark.usefixtures("fast_evaluation")
def test_draw_figures_saves_none_of_damaged_run(tmp_path, completed_run):
    path = shutil.copytree(completed_run(tiny_run()), tmp_path / "run")
    RunDir(path).log_file.write_text("{\n")
    with raises_input_error(str(RunDir(path).log_file)):
        list(draw_figures(RunDir(path), tmp_path / "figures"))
    assert not (tmp_path / "figures").exists()


@pytest.mark.usefixtures("fast_evaluation")
@pytest.mark.parametrize("is_edited", [True, False])
def test_draw_figures_refuses_run_json_of_other_run(tmp_path, completed_run, is_edited):
    """Edited by hand, so that the id in it is still that of the run, or from another folder."""
    path = shutil.copytree(completed_run(tiny_run()), tmp_path / "run")
    run_json = json.loads(RunDir(path).run_file.read_text())
    other_run = replace(tiny_run(), batch=tiny_run().batch + 1)
    other_json = (
        run_json | {"run": other_run.to_dict()} | ({} if is_edited else {"id": other_run.id})
    )
    RunDir(path).run_file.write_text(json.dumps(other_json))
    with raises_input_error(None, str(path), other_run.id, run_json["id"]):
        list(draw_figures(RunDir(path), tmp_path / "figures"))
    assert not (tmp_path / "figures").exists()
