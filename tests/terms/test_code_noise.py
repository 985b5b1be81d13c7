"""Noise on the codes of data."""

import math

import torch
from scipy import stats
from torch import nn

from iidgan.core import Batch, Nets, Regularised
from iidgan.methods.iid_gan import iid_gan
from iidgan.terms import CodeNoise
from iidgan.testing import check_term
from iidgan.testing.mini_run import ARCH
from tests.helpers.errors import raises_input_error
from tests.helpers.training_runs import have_same_end


def test_code_noise_of_zero():
    silent = Regularised(method=iid_gan(), terms=(CodeNoise(std=0.0, widening=1.0),))
    assert have_same_end(iid_gan(), silent)
    assert not have_same_end(iid_gan(), Regularised(method=iid_gan(), terms=(CodeNoise(),)))


def test_code_noise_widening_equal_shares():
    """The share is the prior's density times the cloud's area; beyond |z|^2 = 3 M it falls."""
    z = torch.randn(1, 500, 2).clamp(-1.7, 1.7).double()
    noise = torch.ones_like(z)
    batch = Batch(z, z, z[..., 0], noise={"code": noise})
    wrapped = CodeNoise(std=0.15, widening=1.0).wrap_networks(Nets({"F": nn.Identity()}), batch)
    std = wrapped.F(z) - z
    share = (-z.square().sum(-1) / 2).exp() / (2 * math.pi) * std.prod(-1)
    torch.testing.assert_close(share, torch.full_like(share, 0.15**2 / (2 * math.pi)))
    far = torch.full_like(z, 40.0)
    torch.testing.assert_close(wrapped.F(far) - far, 0.15 * math.exp(1.5) * noise)


def test_code_noise_has_students_tails():
    numbers = torch.Generator().manual_seed(0)
    z = torch.zeros(1, 20_000, 2)
    term = CodeNoise(std=0.5, tails=3)
    noise = {
        name: torch.randn(*z.shape[:2], *shape, generator=numbers)
        for name, shape in term.noise_shapes(ARCH).items()
    }
    noisy_codes = term.wrap_networks(
        Nets({"F": nn.Identity()}), Batch(z, z, z[..., 0], noise=noise)
    ).F(z)
    for draws in (noisy_codes[0] / 0.5).T.numpy():
        assert (
            stats.kstest(draws, stats.t(3).cdf).statistic < 0.012
        )  # the 1 % point: 1.63 / sqrt(n)
    assert noisy_codes.abs().max() <= 0.5 * 8 * noise["code"].abs().max()
    with raises_input_error("tails", 0, 1):
        CodeNoise(tails=0)


def test_code_noise_widening_without_gradient():
    z = torch.randn(1, 4, 2, requires_grad=True)
    batch = Batch(z.detach(), z.detach(), z[..., 0].detach(), noise={"code": torch.randn(1, 4, 2)})
    noisy_codes = CodeNoise(widening=1.0).wrap_networks(Nets({"F": nn.Identity()}), batch).F(z)
    (slope,) = torch.autograd.grad(noisy_codes.sum(), z)
    torch.testing.assert_close(slope, torch.ones_like(z))


def test_code_noise_is_added_to_codes():
    z, noise = torch.zeros(1, 4, 2), torch.randn(1, 4, 2)
    batch = Batch(z, z, z[..., 0], noise={"code": noise})
    wrapped = CodeNoise(std=0.5).wrap_networks(Nets({"F": nn.Identity()}), batch)
    torch.testing.assert_close(wrapped.F(z), 0.5 * noise)
    x = torch.ones(1, 4, 2)
    torch.testing.assert_close(wrapped.F(x), 1 + 0.5 * noise)


def test_code_noise_refuses_options():
    with raises_input_error("std", -1.0):
        CodeNoise(std=-1.0)
    with raises_input_error("terms", "F", "cycle"):
        check_term(CodeNoise())
