"""Log-likelihoods and divergences."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from iidgan.functional import likelihood
from tests.helpers.networks import BATCH_SIZE, NUM_SEEDS


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("shape", [(3,), (2, 4, 4)])
def test_unit_normal_is_log_density(shape):
    torch.manual_seed(0)
    x, centre = torch.randn(2, NUM_SEEDS, BATCH_SIZE, *shape)
    expected = -Normal(centre, 1.0).log_prob(x).flatten(2).sum(2).mean(1)
    torch.testing.assert_close(likelihood.unit_normal_nll(x, centre), expected, rtol=1e-13, atol=0)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("shape", [(3,), (2, 4, 4)])
def test_calibrated_normal_has_best_variance(shape):
    """Among many variances none does better, and the mean squared error does as well."""
    torch.manual_seed(0)
    x, centre = torch.randn(2, NUM_SEEDS, BATCH_SIZE, *shape)
    best = (x - centre).square().flatten(1).mean(1)
    factors = torch.linspace(-1, 1, 401).exp()  # the middle one is 1
    deviation = (factors[:, None] * best).sqrt().view(401, NUM_SEEDS, *[1] * (x.dim() - 1))
    values = -Normal(centre, deviation).log_prob(x).flatten(3).sum(3).mean(2)
    value = likelihood.calibrated_normal_nll(x, centre)
    torch.testing.assert_close(value, values.amin(0), rtol=1e-12, atol=0)
    assert values.argmin(0).tolist() == [200, 200]


@pytest.mark.usefixtures("float64")
def test_calibrated_normal_gradient_at_best_variance():
    torch.manual_seed(0)
    x, centre = torch.randn(2, NUM_SEEDS, BATCH_SIZE, 3)
    centre.requires_grad_()
    variance = likelihood.mean_squared_error(x, centre).detach()[:, None, None]
    fixed = -Normal(centre, variance.sqrt()).log_prob(x).sum(2).mean(1)
    expected, value = (
        torch.autograd.grad(value.sum(), centre)[0]
        for value in (fixed, likelihood.calibrated_normal_nll(x, centre))
    )
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=0)


def test_calibrated_normal_finite_without_error():
    x = torch.ones(NUM_SEEDS, BATCH_SIZE, 3, requires_grad=True)
    value = likelihood.calibrated_normal_nll(x, torch.ones(NUM_SEEDS, BATCH_SIZE, 3))
    assert value.isfinite().all()
    assert not torch.autograd.grad(value.sum(), x)[0].any()


@pytest.mark.usefixtures("float64")
def test_kl_to_prior_by_hand():
    torch.manual_seed(0)
    centre, log_variance = torch.randn(2, NUM_SEEDS, BATCH_SIZE, 4)
    code = Normal(centre, (log_variance / 2).exp())
    expected = kl_divergence(code, Normal(0.0, 1.0)).sum(2).mean(1)
    value = likelihood.kl_to_prior(centre, log_variance)
    torch.testing.assert_close(value, expected, rtol=1e-13, atol=0)
    prior = torch.zeros(NUM_SEEDS, BATCH_SIZE, 4)
    assert likelihood.kl_to_prior(prior, prior).tolist() == [0, 0]
