"""The energy distance: references and laws."""

import mpmath
import numpy as np
import pytest
import torch
from scipy import special

from iidgan.functional import energy
from tests.helpers.codes import SHAPES, draw_codes


def mean_distance(a, m):
    """E|a - Y| by mpmath, as scipy's hyp1f1 overflows where m and a are large."""
    ratio = mpmath.gamma(mpmath.mpf(m + 1) / 2) / mpmath.gamma(mpmath.mpf(m) / 2)
    series = mpmath.hyp1f1(mpmath.mpf(-1) / 2, mpmath.mpf(m) / 2, -(mpmath.mpf(a) ** 2) / 2)
    return float(mpmath.sqrt(2) * ratio * series)


@pytest.mark.parametrize("m", [1, 2, 3, 10, 64, 511, 512])
def test_distance_to_normal_matches_mpmath(m):
    a = [0.0, 1e-4, 0.1, 1.0, 2.5, 5.0, 10.0, 22.0, 40.0, 100.0]
    expected = torch.tensor([mean_distance(each, m) for each in a], dtype=torch.float64)
    a = torch.tensor(a, dtype=torch.float64)
    values = energy.distance_to_normal(a.square(), m)
    torch.testing.assert_close(values, expected, rtol=0, atol=1e-9)
    if m <= 64:
        ratio = np.sqrt(2) * np.exp(special.gammaln((m + 1) / 2) - special.gammaln(m / 2))
        scipy = ratio * special.hyp1f1(-0.5, m / 2, -(a.numpy() ** 2) / 2)
        torch.testing.assert_close(values, torch.from_numpy(scipy), rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_energy_matches_definition(shape):
    z = 0.7 * draw_codes(*shape) + 0.4
    m = shape[-1]
    expected = []
    for codes in z.reshape(-1, *shape[-2:]):
        pairs = (codes[:, None] - codes).norm(dim=-1).mean().item()
        to_normal = np.mean([mean_distance(code.norm().item(), m) for code in codes])
        expected.append(2 * to_normal - pairs - mean_distance(0.0, m) * 2**0.5)
    expected = torch.tensor(expected, dtype=torch.float64).reshape(shape[:-2])
    torch.testing.assert_close(energy.energy(z), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("m", [4, 12])
def test_mean_distance_gradient(m):
    z = draw_codes(9, m)
    z[3] = z[7]  # which neither attract nor repel each other
    z.requires_grad_()
    expected = torch.autograd.grad(torch.cdist(z, z).mean(), z)[0]
    value = energy.mean_distance(z)
    assert value.item() == pytest.approx(torch.cdist(z, z).mean().item(), abs=1e-12)
    torch.testing.assert_close(torch.autograd.grad(value, z)[0], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("width", [1e-2, 1e-3, 1e-4, 1e-5])
def test_energy_gradient_narrow_cluster(width):
    """Codes of narrow modes are such clusters, and inner products lose what is within them."""
    angle = torch.arange(80) % 8 * torch.pi / 4
    centres = torch.stack([angle.cos(), angle.sin()], -1)
    z = (2**0.5 * centres + width * draw_codes(80, 2)).float()  # exactly what both precisions see
    slopes = []
    for codes in (z, z.double()):
        codes = codes.detach().requires_grad_()
        (slope,) = torch.autograd.grad(energy.energy(codes), codes)
        means = torch.stack([slope[k::8].mean(0) for k in range(8)])
        slopes.append(slope.double() - means.double().repeat(10, 1))
    error = torch.linalg.norm(slopes[0] - slopes[1]) / torch.linalg.norm(slopes[1])
    assert error < 1e-3


def test_energy_matches_monte_carlo():
    z, y, other = (
        1.5 * draw_codes(4, 3) + 0.5,
        draw_codes(400_000, 3, seed=1),
        draw_codes(400_000, 3, seed=2),
    )
    to_normal = torch.stack([(code - y).norm(dim=1).mean() for code in z]).mean()
    expected = 2 * to_normal - torch.cdist(z, z).mean() - (y - other).norm(dim=1).mean()
    assert energy.energy(z).item() == pytest.approx(expected.item(), abs=0.01)


def test_energy_of_normal_codes():
    value = energy.energy(draw_codes(1000, 2)).item()
    assert 0 < value < 0.01
