"""The Frechet distance: references and laws."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from iidgan.functional.scores import frechet
from tests.helpers.errors import raises_input_error
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
    values = frechet.frechet_distance(y, x)
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
    assert frechet.frechet_distance(x[0], x).item() == pytest.approx(0, abs=1e-12)
    shifted = x + torch.tensor([3.0, 0, 4])
    assert frechet.frechet_distance(x[0], shifted).item() == pytest.approx(25)
    # Diagonal covariances: squared differences of means and of standard deviations.
    expected = (1 + 0 + 4) + (4 + 0 + 0.25)
    assert frechet.frechet_distance(y, x).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("num", [2, 5, 12])
def test_frechet_distance_any_rank(num):
    x, y = normal(1, num, 12), normal(7, 12, seed=1)
    assert frechet.frechet_distance(x[0], x).item() == pytest.approx(0, abs=1e-9)
    # Of singular covariances the square root is computed from the vectors themselves.
    a, b = ((v - v.mean(0)).numpy() / math.sqrt(len(v) - 1) for v in (x[0], y))
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    mean_distance = np.square(x[0].numpy().mean(0) - y.numpy().mean(0)).sum()
    expected = mean_distance + np.square(a).sum() + np.square(b).sum() - 2 * shared
    assert frechet.frechet_distance(y, x).item() == pytest.approx(expected, abs=1e-6)
    still = torch.ones(1, num, 12).double()
    expected = np.square(1 - y.numpy().mean(0)).sum() + np.trace(np.cov(y.numpy().T))
    assert frechet.frechet_distance(y, still).item() == pytest.approx(expected)


@pytest.mark.parametrize("change", [1.0, 1e-3, 1e-6])
@pytest.mark.parametrize("num", [12, 50])
def test_frechet_distance_by_eigenvalues_or_singular_values(num, change, monkeypatch):
    """Roots of eigenvalues are taken only where their error is far below the distance."""
    real = normal(num, 20) * torch.logspace(0, -6, 20)
    fake = real + change * normal(num, 20, seed=1) * torch.logspace(0, -6, 20)
    value = frechet.frechet_distance(real, fake).item()
    monkeypatch.setattr(frechet, "_TOLERANCE", -1)
    assert value == pytest.approx(frechet.frechet_distance(real, fake).item(), rel=1e-7)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 30), st.integers(2, 30), st.integers(1, 9))
def test_frechet_distance_invariances(seed, n, m, dim):
    x, y = normal(1, n, dim, seed=seed), normal(m, dim, seed=seed + 1)
    value = frechet.frechet_distance(y, x).item()
    assert value >= 0
    # Where a covariance is singular, roots of its eigenvalues are rounded by that of the epsilon.
    close = 1e-7 if min(n, m) > dim else 1e-6
    assert frechet.frechet_distance(x[0], y[None]).item() == pytest.approx(value, abs=close)
    turn = torch.linalg.qr(normal(dim, dim, seed=seed + 2)).Q
    assert frechet.frechet_distance(y @ turn, x @ turn).item() == pytest.approx(value, abs=close)


def test_frechet_distance_nonfinite_features():
    x, y = normal(3, 9, 2), normal(9, 2, seed=1)
    x[1, 0, 0] = torch.inf
    assert frechet.frechet_distance(y, x).isfinite().tolist() == [True, False, True]
    with raises_input_error("real"):
        frechet.frechet_distance(x[1], x[:1])


def features_of_published_comparison():
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(120, 16, generator=generator, dtype=torch.float64)
    return real, 0.3 + 1.2 * torch.randn(150, 16, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("shift", [0, 1000])
def test_frechet_distance_of_torchmetrics(shift):
    """torchmetrics 1.9.0 on these features."""
    real, fake = features_of_published_comparison()
    value = frechet.frechet_distance(real + shift, fake + shift).item()
    assert value == pytest.approx(3.4933785454239, rel=1e-9)


def test_frechet_distance_of_float32_with_large_mean():
    real, fake = features_of_published_comparison()
    real, fake = (real + 1000).float(), (fake + 1000).float()
    value = frechet.frechet_distance(real, fake).item()
    assert value == pytest.approx(reference_distance(real.double(), fake.double()), rel=1e-9)


def test_frechet_distance_of_ill_conditioned_features():
    """Standard deviations over eight decades, and one of 0: singular values keep the digits."""
    std = 10.0 ** -torch.arange(9).double()
    std[8] = 0
    x = exact(60, [0.0] * 9, std.tolist())
    y = exact(50, [0.0] * 9, (2 * std).tolist(), seed=0)
    expected = std.square().sum().item()
    assert frechet.frechet_distance(x, y).item() == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_one_seed():
    real, fake = features_of_published_comparison()
    both = frechet.frechet_distance(real, torch.stack([fake, real[:1].repeat(150, 1)]))
    assert both[0] == frechet.frechet_distance(real, fake)
    assert both.shape == (2,)


def test_frechet_distance_refuses_single_samples():
    with raises_input_error("fake", 2, 1):
        frechet.frechet_distance(torch.zeros(2, 3), torch.zeros(1, 3))


@pytest.mark.parametrize("num", [4, 50])
def test_effective_rank(num):
    """Few samples and many: equal variances count as their number, others as less."""
    equal = exact(num, [5.0] * 3, [2.0] * 3)
    padded = torch.cat([equal, torch.ones(num, 6).double()], 1)
    assert frechet.effective_rank(padded).item() == pytest.approx(3)
    shares = torch.tensor([16, 1]).double() / 17
    uneven = exact(num, [0.0, 0.0], [4.0, 1.0])
    expected = math.exp(-(shares * shares.log()).sum())
    assert frechet.effective_rank(uneven).item() == pytest.approx(expected)
    assert frechet.effective_rank(torch.ones(num, 3)) == 0
