"""Figures of digits: their quick profiles, shared runs, and weights."""

import pytest

from iidgan.core import Regularised
from iidgan.studies.papers import FIGURES
from iidgan.studies.papers.images.stacked import STACKED
from iidgan.terms import CycleTerm, GaussianTerm

NAMES = ("mnist-training", "mnist-latent", "stacked-samples")


@pytest.mark.parametrize("name", NAMES)
def test_digit_figures_quick_runs_differ(name):
    figure = FIGURES[name]
    quick = figure.quick
    assert quick.runs.keys() <= figure.runs.keys()
    assert not {r.id for r in quick.runs.values()} & {r.id for r in figure.runs.values()}
    assert quick.title == figure.title
    for run in (*figure.runs.values(), *quick.runs.values()):
        assert run.arch.latent == 2 or name == "stacked-samples"


def test_digit_figures_share_runs():
    latent, training = FIGURES["mnist-latent"], FIGURES["mnist-training"]
    for subset, whole in ((latent, training), (latent.quick, training.quick)):
        assert set(subset.runs.items()) <= set(whole.runs.items())
        assert subset.num_seeds == whole.num_seeds
    stacked_samples = FIGURES["stacked-samples"]
    for figure, table in (
        (stacked_samples, STACKED),
        (stacked_samples.quick, STACKED.with_quick_profile()),
    ):
        assert {run.id for run in figure.runs.values()} <= set(table.runs)
        assert (figure.num_seeds, figure.num_checkpoints) == (
            table.num_seeds,
            table.num_checkpoints,
        )


def test_digit_figures_use_paper_weights():
    for name in ("IID-GAN (1-D)", "IID-GAN (M-D)"):
        method = FIGURES["mnist-training"].runs[name].method
        assert isinstance(method, Regularised)
        cycle, gaussian = method.terms
        assert isinstance(cycle, CycleTerm)
        assert isinstance(gaussian, GaussianTerm)
        assert (cycle.weight, gaussian.weight) == (0.5, 0.1)
