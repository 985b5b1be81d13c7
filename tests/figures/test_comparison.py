"""Figures that compare several runs."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from matplotlib.text import Text

from iidgan.config.run import Run
from iidgan.data import Mnist5k, StackedMnist
from iidgan.figures.comparison import (
    plot_images,
    plot_latent_planes,
    plot_latents,
    plot_quantiles,
    plot_score,
    plot_stages,
    plot_training,
)
from iidgan.methods import GAN, iid_gan
from iidgan.nn import DCGAN, MnistNet
from iidgan.parallel.backend import LocalProcesses
from iidgan.records import MetricRecord, append_records
from iidgan.studies.figure_spec import FigureSpec
from iidgan.studies.train_missing import Workspace
from iidgan.train import train
from tests.helpers.errors import raises_input_error
from tests.helpers.figures import train_small_runs

pytestmark = pytest.mark.slow

IMAGE_RUN = Run(
    source=StackedMnist(base="mnist-5k", size=600, pixels=28),
    method=GAN(),
    arch=DCGAN(width=2, latent=3),
    steps=2,
    batch=4,
)
PLANE_RUN = replace(IMAGE_RUN, source=Mnist5k(), method=iid_gan(), arch=MnistNet(width=2))


@pytest.fixture(scope="module")
def run_dirs(tmp_path_factory):
    return train_small_runs(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    root = tmp_path_factory.mktemp("workspace")
    return Workspace(
        results_dir=root / "results", runs_dir=root / "runs", backend=LocalProcesses(1)
    )


@pytest.fixture(scope="module", autouse=True)
def _few_samples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StackedMnist, "num_evaluated", 60)
        patch.setattr(Mnist5k, "num_evaluated", 60)
        yield


def train_figure(workspace, run):
    figure = FigureSpec(title="t", runs={"ours": run}, draw=plot_images, num_seeds=1)
    for job in figure.missing_runs(workspace):
        out = workspace.run_dir(job.run, job.seeds).path
        train(job.run, out=out, checkpoint_every=1, executor="eager")
    return figure.find_run_dirs(workspace)


@pytest.mark.parametrize(
    ("draw", "num_panels"),
    [
        (plot_latents, 8),
        (partial(plot_stages, shares=(0.25, 1.0)), 4),
        (partial(plot_training, metrics=("quality",)), 1),
    ],
    ids=["latents", "stages", "training"],
)
def test_comparison_panels(run_dirs, draw, num_panels):
    assert len(draw(run_dirs).axes) >= num_panels


def test_stages_titles_state_steps(run_dirs):
    titles = [axis.get_title() for axis in plot_stages(run_dirs, shares=(0.25, 1.0)).axes]
    assert ["GAN, step 3" in t or "GAN, step 12" in t for t in titles] == [True] * 4


def test_quantiles_of_encoder_runs(run_dirs):
    assert plot_quantiles({"IID-GAN": run_dirs["IID-GAN"]}).axes


def test_images_shows_real_first(workspace):
    figure = plot_images(train_figure(workspace, IMAGE_RUN), side=3)
    assert [axis.get_title() for axis in figure.axes] == ["real", "ours"]
    for axis in figure.axes:
        (sheet,) = axis.get_images()
        assert sheet.get_array().shape == (3 * 30 + 2, 3 * 30 + 2, 3)


def test_latent_planes_cartesian_and_polar(workspace):
    figure = plot_latent_planes(train_figure(workspace, PLANE_RUN), side=5)
    flat, polar = figure.axes
    assert (flat.get_title(), polar.get_title()) == ("ours, Cartesian", "ours, polar")
    assert [tick.get_text() for tick in flat.get_xticklabels()] == ["-2", "-1", "0", "1", "2"]
    assert [tick.get_text() for tick in flat.get_yticklabels()] == ["2", "1", "0", "-1", "-2"]
    angles = [tick.get_text() for tick in polar.get_yticklabels()]
    assert angles == ["0", "90", "180", "270", "360"]
    flat_sheet, polar_sheet = (np.asarray(a.get_images()[0].get_array()) for a in figure.axes)
    centre = flat_sheet[2 + 2 * 30 : 2 + 2 * 30 + 28, 2 + 2 * 30 : 2 + 2 * 30 + 28]
    for row in range(5):  # radius 0 is the same point at every angle
        tile = polar_sheet[2 + row * 30 : 2 + row * 30 + 28, 2:30]
        assert np.abs(tile.astype(int) - centre).max() <= 1
    top, bottom = polar_sheet[2:30], polar_sheet[2 + 4 * 30 : 2 + 4 * 30 + 28]
    assert np.abs(top.astype(int) - bottom).max() <= 1  # 360 degrees equal 0


def make_record(step, metric, value):
    return MetricRecord(
        run=PLANE_RUN.id,
        seed=0,
        step=step,
        metric=metric,
        value=value,
        diverged=-1,
        protocol={},
        provenance={},
    )


def test_score_of_measured_runs():
    points = {"ours": {(2, 0): 5.0, (1, 0): 9.0, (2, 3): 7.0}, "untrained": {}}
    figure = plot_score("FID of digits", points)
    (axis,) = figure.axes
    assert axis.get_ylabel() == "FID of digits"
    np.testing.assert_array_equal(axis.get_lines()[0].get_xydata(), [[1, 9.0], [2, 6.0]])
    assert not any("untrained" in text.get_text() for text in figure.findobj(Text))
    with raises_input_error("train", "FID of digits", "--no-train"):
        plot_score("FID of digits", {"untrained": {}})


def test_training_names_metrics(workspace):
    run_dirs = train_figure(workspace, PLANE_RUN)
    records = [make_record(step, "stacked_kl", value) for step, value in ((1, 2.0), (2, 0.5))]
    append_records(run_dirs["ours"].metrics_file, records)
    metrics = ("stacked_kl", "stacked_modes")
    names = {"stacked_kl": "KL(generated | real)"}
    figure = plot_training(run_dirs, metrics=metrics, names=names)
    (axis,) = figure.axes
    assert axis.get_ylabel() == "KL(generated | real)"
    np.testing.assert_array_equal(axis.get_lines()[0].get_ydata(), [2.0, 0.5])
