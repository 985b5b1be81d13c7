"""Spacing of latents against quantiles of scipy."""

import numpy as np
import pytest
import torch
from scipy import stats

from iidgan.latent.spacing import space_latents, space_radii
from tests.helpers.errors import raises_input_error


def test_uniform_steps_may_run_backwards():
    assert space_latents(2, -2, 5).tolist() == [2, 1, 0, -1, -2]


def test_quantiles_of_normal():
    """Between neighbours lies the same probability."""
    values = space_latents(-3, 1.5, 7, "quantiles").double().numpy()
    np.testing.assert_allclose(np.diff(stats.norm.cdf(values), 2), 0, atol=1e-7)
    np.testing.assert_allclose(values[[0, -1]], [-3, 1.5], rtol=1e-6)


def test_quantiles_of_radius():
    radii = space_radii(0.5, 3, 6, "quantiles").double().numpy()
    np.testing.assert_allclose(np.diff(stats.chi(2).cdf(radii), 2), 0, atol=1e-7)
    np.testing.assert_allclose(radii[[0, -1]], [0.5, 3], rtol=1e-6)


@pytest.mark.parametrize("spacing", ["uniform", "quantiles"])
@pytest.mark.parametrize(
    ("start", "stop", "num", "field"),
    [
        (-2, 2, 1, "steps"),
        (2, 2, 5, "to"),
        (float("nan"), 2, 5, "from"),
        (-2, float("inf"), 5, "to"),
    ],
)
def test_spacing_refuses(spacing, start, stop, num, field):
    with raises_input_error(field):
        space_latents(start, stop, num, spacing)


def test_quantiles_refuse_far_latents():
    with raises_input_error("to", "9", "uniform"):
        space_latents(-2, 9, 5, "quantiles")
    with raises_input_error("from", "-1"):
        space_radii(-1, 2, 5)
    with raises_input_error("to", "-1"):
        space_radii(2, -1, 5)
    assert torch.equal(space_latents(8, 9, 2), torch.tensor([8.0, 9.0]))
