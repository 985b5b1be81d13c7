"""Known distributions: densities, shares and moments of their samples."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from iidgan.core import GaussianMixture

WIDE = GaussianMixture.from_covariances(
    torch.tensor([[0.0, 0.0], [3.0, -1.0]]),
    torch.tensor([[[1.0, 0.5], [0.5, 2.0]], [[0.1, 0.0], [0.0, 0.3]]]),
    weights=(0.8, 0.2),
)
COVARIANCES = WIDE.std**2 * WIDE.shapes.double() @ WIDE.shapes.double().mT


def test_from_covariances_scale_is_mean_variance():
    assert pytest.approx(math.sqrt((1 + 2 + 0.1 + 0.3) / 4)) == WIDE.std
    assert torch.allclose(COVARIANCES[0], torch.tensor([[1.0, 0.5], [0.5, 2.0]]).double())


def test_log_density_matches_scipy():
    points = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    expected = sum(
        weight * stats.multivariate_normal(centre, covariance).pdf(points)
        for weight, centre, covariance in zip(WIDE.weights, WIDE.centres, COVARIANCES)
    )
    assert WIDE.log_density(points).exp().numpy() == pytest.approx(expected, rel=1e-5)


def test_log_density_of_isotropic_modes():
    mixture = GaussianMixture(torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), std=0.5)
    points = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    densities = [
        stats.multivariate_normal(c, 0.25 * np.eye(3)).pdf(points) for c in mixture.centres
    ]
    expected = np.log(np.mean(densities, axis=0))
    assert mixture.log_density(points).numpy() == pytest.approx(expected)


def test_shapes_of_identity_are_isotropic():
    plain = GaussianMixture(torch.eye(3), 0.1, (0.5, 0.3, 0.2))
    shaped = GaussianMixture(torch.eye(3), 0.1, (0.5, 0.3, 0.2), torch.eye(3).expand(3, 3, 3))
    assert torch.equal(plain.draw(100, seed=3)[0], shaped.draw(100, seed=3)[0])
    assert torch.allclose(plain.log_density(torch.eye(3)), shaped.log_density(torch.eye(3)))


def test_draw_has_moments_of_modes():
    x, modes = WIDE.draw(200_000, seed=0)
    share = (modes == 0).double().mean().item()
    assert share == pytest.approx(0.8, abs=5 * math.sqrt(0.16 / 200_000))
    for mode, covariance in enumerate(COVARIANCES):
        samples = x[modes == mode].double()
        error = 5 * covariance.max().item() * math.sqrt(2 / len(samples))
        assert torch.allclose(samples.T.cov(), covariance, atol=error, rtol=0)


def test_draw_evenly_has_exact_shares():
    _, modes = WIDE.draw_evenly(1_000, seed=0)
    assert modes.bincount().tolist() == [800, 200]
