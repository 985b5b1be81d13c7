"""The divergence of fitted Gaussians from the prior."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from iidgan.errors import InputError
from iidgan.metrics import gaussian_kl


def test_equals_torch_of_the_fitted_gaussian():
    codes = torch.randn(200, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    codes = codes @ torch.tensor([[2.0, 0, 0], [1, 1, 0], [0, 0.5, 0.1]]).double() + 1
    fitted = MultivariateNormal(codes.mean(0), codes.mT.cov())
    prior = MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double())
    torch.testing.assert_close(gaussian_kl(codes), kl_divergence(fitted, prior))


def test_each_seed_has_its_own_value():
    codes = torch.randn(2, 50, 2, generator=torch.Generator().manual_seed(0))
    codes[1] *= 3
    torch.testing.assert_close(gaussian_kl(codes), torch.stack([*map(gaussian_kl, codes)]))


def test_codes_in_a_subspace_are_infinitely_far():
    assert gaussian_kl(torch.zeros(10, 2)) == math.inf


def test_samples_of_the_prior_have_the_documented_bias():
    codes = torch.randn(200, 100, 4, generator=torch.Generator().manual_seed(0))
    assert gaussian_kl(codes).mean() == pytest.approx(4 * 7 / 400, rel=0.15)


def test_too_few_codes_are_refused():
    with pytest.raises(InputError, match="needs at least 4 codes of 3 dimensions, got 3"):
        gaussian_kl(torch.zeros(3, 3))
