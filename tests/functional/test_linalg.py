"""Spectral functions by matrix products."""

import pytest
import torch

from iidgan.functional import linalg
from tests.helpers.codes import draw_codes


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_polar_factor_matches_svd(dtype):
    x = draw_codes(3, 40, 6, dtype=dtype)
    u, _, v = torch.linalg.svd(x, full_matrices=False)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for y, expected in ((x, u @ v), (x.mT, (u @ v).mT)):
        torch.testing.assert_close(linalg.polar_factor(1e-6 * y), expected, rtol=0, atol=tolerance)
        torch.testing.assert_close(
            linalg.nuclear_norm(y), torch.linalg.svdvals(y).sum(-1), rtol=1e-6, atol=0
        )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-3)])
def test_polar_factor_long_matrices(dtype, tolerance):
    """Most products are of x x^T there, which has the squares of the singular values."""
    u, v = torch.linalg.qr(draw_codes(12, 12)).Q, torch.linalg.qr(draw_codes(400, 12, seed=1)).Q
    x = (u * torch.logspace(-2, 0, 12, dtype=torch.float64)) @ v.mT
    values = linalg.polar_factor(x.to(dtype))
    torch.testing.assert_close(values, (u @ v.mT).to(dtype), rtol=0, atol=tolerance)
    singular = torch.linalg.svdvals(values)
    torch.testing.assert_close(singular, torch.ones_like(singular), rtol=0, atol=1e-6)


def test_polar_factor_is_monotonic():
    s = torch.logspace(-8, 0, 500, dtype=torch.float64)
    x = torch.diag_embed(torch.stack([torch.ones_like(s), s], -1))
    response = linalg.polar_factor(x)[:, 1, 1]
    assert (response.diff() > -1e-13).all()
    assert (response - 1)[s > 3e-4].abs().max() < 1e-12


def test_spd_inverse_matches_torch():
    a = draw_codes(2, 9, 4)
    a = a.mT @ a
    inverse, log_det = linalg.spd_inverse(a)
    torch.testing.assert_close(inverse, torch.linalg.inv(a))
    torch.testing.assert_close(log_det, torch.linalg.slogdet(a).logabsdet)
