"""Pictures of conditional generators."""

import pytest

import iidgan
from iidgan.data import Mnist5k
from iidgan.figures.conditional import (
    plot_class_planes,
    plot_class_samples,
    plot_class_traversals,
)
from iidgan.nn import MnistNet
from iidgan.train import train
from iidgan.training.run_dir import RunDir
from tests.helpers.errors import raises_input_error


def train_run(out, method):
    run = iidgan.Run(
        source=Mnist5k(), method=method, arch=MnistNet(width=2, latent=2), steps=2, batch=4
    )
    train(run, out=out, seeds=[0], executor="eager", diagnose_every=0)
    return RunDir(out)


@pytest.fixture(scope="module")
def run_dirs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    methods = {"CGAN": iidgan.cgan(), "IID-GAN": iidgan.conditional_iid_gan()}
    return {label: train_run(folder / label, method) for label, method in methods.items()}


def list_titles(figure):
    return [axis.get_title() for axis in figure.axes if axis.images]


@pytest.mark.slow
def test_samples_have_a_row_for_each_class(run_dirs):
    figure = plot_class_samples(run_dirs, columns=3)
    assert list_titles(figure) == ["CGAN", "IID-GAN"]
    for axis in figure.axes:
        (image,) = axis.images
        assert image.get_extent() == [-0.5, 2.5, 9.5, -0.5]
        assert [label.get_text() for label in axis.get_yticklabels()][-1] == "9"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "extent"),
    [
        (lambda runs: plot_class_planes(runs, side=4), [-0.5, 3.5, 3.5, -0.5]),
        (lambda runs: plot_class_traversals(runs, columns=5), [-0.5, 4.5, 1.5, -0.5]),
    ],
)
def test_three_classes_of_each_run(run_dirs, draw, extent):
    figure = draw(run_dirs)
    assert list_titles(figure) == [
        f"{label}, {name}" for label in ("CGAN", "IID-GAN") for name in "012"
    ]
    assert all(axis.images[0].get_extent() == extent for axis in figure.axes if axis.images)


@pytest.mark.slow
def test_unconditional_run_is_refused(tmp_path):
    run_dir = train_run(tmp_path / "run", iidgan.GAN())
    with raises_input_error("run", "is not conditional"):
        plot_class_samples({"GAN": run_dir})
