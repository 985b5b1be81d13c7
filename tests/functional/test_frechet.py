"""The Frechet distance: references and laws."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from iidgan.functional import frechet
from tests.helpers.samples import normal


def reference_distance(x, y):
    """The textbook formula, by scipy's square root of a matrix."""
    x, y = x.numpy(), y.numpy()
    a, b = np.cov(x.T), np.cov(y.T)
    mean_distance = np.square(x.mean(0) - y.mean(0)).sum()
    return mean_distance + np.trace(a) + np.trace(b) - 2 * np.trace(linalg.sqrtm(a @ b)).real


def test_frechet_distance_matches_sqrtm():
    x = normal(3, 200, 6) @ normal(6, 6, seed=1) + normal(6, seed=2)
    y = normal(150, 6, seed=3) @ normal(6, 6, seed=4)
    values = frechet.frechet_distance(x, y)
    for seed in range(3):
        assert values[seed].item() == pytest.approx(reference_distance(x[seed], y), rel=1e-9)


def exact(num, mean, std, seed=0):
    """Vectors whose mean and covariance diag(std^2) are exact."""
    mean, std = torch.tensor(mean, dtype=torch.float64), torch.tensor(std, dtype=torch.float64)
    basis = torch.linalg.qr(normal(num, len(mean) + 1, seed=seed) + 0)[0]
    basis = torch.linalg.qr(torch.cat([torch.ones(num, 1).double(), basis[:, 1:]], 1))[0][:, 1:]
    return mean + basis * math.sqrt(num - 1) * std


def test_frechet_distance_known_values():
    x, y = exact(50, [1, 2, 3], [1, 2, 0.5])[None], exact(40, [0, 2, 5], [3, 2, 0], seed=1)
    assert frechet.frechet_distance(x, x[0]).item() == pytest.approx(0, abs=1e-12)
    shifted = x + torch.tensor([3.0, 0, 4])
    assert frechet.frechet_distance(shifted, x[0]).item() == pytest.approx(25)
    # Diagonal covariances: squared differences of means and of standard deviations.
    expected = (1 + 0 + 4) + (4 + 0 + 0.25)
    assert frechet.frechet_distance(x, y).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("num", [2, 5, 12])
def test_frechet_distance_any_rank(num):
    x, y = normal(1, num, 12), normal(7, 12, seed=1)
    assert frechet.frechet_distance(x, x[0]).item() == pytest.approx(0, abs=1e-9)
    # Of singular covariances the square root is computed from the vectors themselves.
    a, b = ((v - v.mean(0)).numpy() / math.sqrt(len(v) - 1) for v in (x[0], y))
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    mean_distance = np.square(x[0].numpy().mean(0) - y.numpy().mean(0)).sum()
    expected = mean_distance + np.square(a).sum() + np.square(b).sum() - 2 * shared
    assert frechet.frechet_distance(x, y).item() == pytest.approx(expected, abs=1e-6)
    still = torch.ones(1, num, 12).double()
    expected = np.square(1 - y.numpy().mean(0)).sum() + np.trace(np.cov(y.numpy().T))
    assert frechet.frechet_distance(still, y).item() == pytest.approx(expected)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 30), st.integers(2, 30), st.integers(1, 9))
def test_frechet_distance_invariances(seed, n, m, dim):
    x, y = normal(1, n, dim, seed=seed), normal(m, dim, seed=seed + 1)
    value = frechet.frechet_distance(x, y).item()
    assert value >= 0
    # Where a covariance is singular, roots of its eigenvalues are rounded by that of the epsilon.
    close = 1e-7 if min(n, m) > dim else 1e-6
    assert frechet.frechet_distance(y[None], x[0]).item() == pytest.approx(value, abs=close)
    turn = torch.linalg.qr(normal(dim, dim, seed=seed + 2)).Q
    assert frechet.frechet_distance(x @ turn, y @ turn).item() == pytest.approx(value, abs=close)


def test_frechet_distance_nonfinite_features():
    x, y = normal(3, 9, 2), normal(9, 2, seed=1)
    x[1, 0, 0] = torch.inf
    assert frechet.frechet_distance(x, y).isfinite().tolist() == [True, False, True]
    assert frechet.frechet_distance(x[:1], x[1]).isnan().all()
