"""Gaussian mixtures: known modes, equal counts, the same samples at each load."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from iidgan.data import Grid, Ring, TwoGaussians
from tests.helpers.errors import raises_input_error


def test_ring_centres_match_paper():
    h = math.sqrt(2)
    expected = [(2, 0), (h, h), (0, 2), (-h, h), (-2, 0), (-h, -h), (0, -2), (h, -h)]
    truth = Ring(size=8).load().truth
    torch.testing.assert_close(truth.centres, torch.tensor(expected), rtol=0, atol=1e-6)
    assert truth.std == 0.001


def test_grid_centres_match_paper():
    expected = [(2.0 * i, 2.0 * j) for i in range(-2, 3) for j in range(-2, 3)]
    truth = Grid(size=25).load().truth
    assert torch.equal(truth.centres, torch.tensor(expected))
    assert truth.std == 0.0025


def test_grid_even_side_is_centred():
    expected = [(-1.5, -1.5), (-1.5, 1.5), (1.5, -1.5), (1.5, 1.5)]
    centres = Grid(side=2, spacing=3.0, size=4).load().truth.centres
    assert torch.equal(centres, torch.tensor(expected))


@pytest.mark.parametrize(("source", "samples_per_mode"), [(Ring(), 12_500), (Grid(), 4_000)])
def test_load_samples_each_mode_equally(source, samples_per_mode):
    dataset = source.load()
    assert dataset.x.shape == (100_000, 2)
    assert (dataset.x.dtype, dataset.y.dtype) == (torch.float32, torch.int64)
    assert not dataset.is_image
    assert set(dataset.y.bincount().tolist()) == {samples_per_mode}
    residuals = (dataset.x - dataset.truth.centres[dataset.y]).double() / source.std
    for mode in range(len(dataset.truth.centres)):
        mode_residuals = residuals[dataset.y == mode]
        # Five standard errors of a mean and of a standard deviation.
        assert mode_residuals.mean(0).abs().max() < 5 / math.sqrt(samples_per_mode)
        assert (mode_residuals.std(0) - 1).abs().max() < 5 / math.sqrt(2 * samples_per_mode)
    covariance = residuals.T.cov()
    assert covariance[0, 1].abs() < 5 / math.sqrt(len(residuals))


@given(modes=st.integers(1, 30), extra=st.integers(0, 100))
@settings(deadline=None, max_examples=30)
def test_ring_counts_differ_by_one(modes, extra):
    counts = Ring(modes=modes, size=modes + extra).load().y.bincount(minlength=modes)
    assert counts.sum() == modes + extra
    assert counts.max() - counts.min() <= 1


def test_two_gaussians_match_code_of_ivgan():
    dataset = TwoGaussians(size=40_000).load()
    truth = dataset.truth
    assert (dataset.shape, truth.std, truth.weights) == ((128,), 1.0, (0.75, 0.25))
    assert truth.centres[:, 0].tolist() == [1.0, 5.0]
    assert not truth.centres[:, 1:].any()
    # Five standard errors of a share, then of the means and standard deviations of coordinates.
    share = (dataset.y == 0).double().mean().item()
    assert share == pytest.approx(0.75, abs=5 * math.sqrt(0.75 * 0.25 / 40_000))
    for mode in range(2):
        noise = dataset.x[dataset.y == mode].double() - truth.centres[mode]
        assert noise.mean(0).abs().max() < 5 / math.sqrt(len(noise))
        assert (noise.std(0) - 1).abs().max() < 5 / math.sqrt(2 * len(noise))


def test_two_gaussians_labels_are_independent_of_noise():
    dataset = TwoGaussians(size=40_000, dim=4).load()
    noise = (dataset.x - dataset.truth.centres[dataset.y]).double()
    correlations = torch.cat([noise, dataset.y[:, None].double()], dim=1).T.corrcoef()
    assert (correlations - torch.eye(5)).abs().max() < 5 / math.sqrt(40_000)


def test_two_gaussians_fields():
    truth = TwoGaussians(dim=3, near=-2.0, far=2.0, near_weight=0.5, std=0.1, size=5).load().truth
    assert truth.centres.tolist() == [[-2, 0, 0], [2, 0, 0]]
    assert (truth.std, truth.weights) == (0.1, (0.5, 0.5))


def test_grid_first_samples_cover_modes():
    assert Grid().load().y[:50].bincount().tolist() == [2] * 25


@pytest.mark.parametrize("source_class", [Ring, Grid, TwoGaussians])
def test_load_depends_on_seed_only(source_class):
    first = source_class(size=1_000).load()
    torch.manual_seed(123)
    assert torch.equal(first.x, source_class(size=1_000).load().x)
    assert not torch.equal(first.x, source_class(size=1_000, seed=1).load().x)


def test_load_keeps_default_generator():
    before = torch.get_rng_state()
    Ring(size=100).load()
    assert torch.equal(before, torch.get_rng_state())


def test_radius_spacing_and_std_scale():
    assert torch.allclose(
        Ring(radius=6.0, std=0.03, size=80).load().x, 3 * Ring(std=0.01, size=80).load().x
    )
    assert torch.allclose(
        Grid(spacing=1.0, std=0.1, size=50).load().x, Grid(std=0.2, size=50).load().x / 2
    )


def test_num_evaluated_matches_papers():
    assert (Ring.num_evaluated, Grid.num_evaluated) == (50_000, 100_000)


@pytest.mark.parametrize(
    ("source_class", "options", "values"),
    [
        (Ring, {"modes": 0}, (">= 1", 0)),
        (Ring, {"radius": 0.0}, ("positive", 0.0)),
        (Ring, {"radius": math.inf}, ("finite", "inf")),
        (Ring, {"std": -0.1}, ("positive", -0.1)),
        (Ring, {"std": math.nan}, ("positive", "nan")),
        (Ring, {"size": 7}, (">= 8", "8 modes", 7)),
        (Ring, {"seed": -1}, (0, 2**63 - 1, -1)),
        (Ring, {"seed": 2**63}, (0, 2**63 - 1, 2**63)),
        (Grid, {"side": 0}, (">= 1", 0)),
        (Grid, {"spacing": -2.0}, ("positive", -2.0)),
        (Grid, {"std": 0.0}, ("positive", 0.0)),
        (Grid, {"size": 24}, (">= 25", 24)),
        (Grid, {"seed": -5}, (0, 2**63 - 1, -5)),
        (TwoGaussians, {"dim": 0}, (">= 1", 0)),
        (TwoGaussians, {"far": 1.0}, ("above", 1.0)),
        (TwoGaussians, {"far": math.inf}, ("finite", "inf")),
        (TwoGaussians, {"near_weight": 1.0}, (0, 1.0)),
        (TwoGaussians, {"std": 0.0}, ("positive", 0.0)),
        (TwoGaussians, {"size": 1}, (">= 2", 1)),
    ],
)
def test_mixture_refuses_invalid_field(source_class, options, values):
    (field,) = options
    with raises_input_error(field, *values):
        source_class(**options)
