"""Adversarial losses of logits."""

import math
from typing import get_args

import pytest
import torch

from iidgan.functional import adversarial

pytestmark = pytest.mark.usefixtures("float64")


def test_loss_pairs_by_hand():
    real, fake = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.5, -3.0]])
    expected_losses = {
        "least-squares": ((1 + 4) / 4 + (0.25 + 9) / 4, (0.25 + 16) / 4),
        "wasserstein": (-1.25 - 0.5, 1.25),
        "hinge": ((0 + 2) / 2 + (1.5 + 0) / 2, 1.25),
    }
    for name, (of_discriminator, of_generator) in expected_losses.items():
        pair = adversarial.LOSS_PAIRS[name]
        assert pair.discriminator(real, fake).item() == pytest.approx(of_discriminator, abs=1e-14)
        assert pair.generator(fake).item() == pytest.approx(of_generator, abs=1e-14)


def test_loss_pairs_cover_all_names():
    assert set(adversarial.LOSS_PAIRS) == set(get_args(adversarial.Adversarial))


def test_relativistic_loss_compares_pairs():
    high, low = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.5, 3.0]])
    value = adversarial.relativistic_loss(high, low)
    assert value.item() == pytest.approx(
        (math.log1p(math.exp(-1.5)) + math.log1p(math.exp(4))) / 2
    )
    assert torch.allclose(
        adversarial.relativistic_loss(high + 7, low + 7), value, rtol=0, atol=1e-14
    )
    assert adversarial.relativistic_loss(high, high).item() == pytest.approx(
        math.log(2), abs=1e-15
    )


def test_log_softplus_values_and_slopes():
    t = torch.linspace(-29.9, 15, 200, requires_grad=True)
    expected = torch.log(torch.log1p(torch.exp(t)))
    value = adversarial.log_softplus(t)
    torch.testing.assert_close(value, expected, rtol=1e-13, atol=1e-13)
    slopes = [torch.autograd.grad(v.sum(), t)[0] for v in (value, expected)]
    torch.testing.assert_close(*slopes, rtol=1e-10, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_log_softplus_extreme_inputs(dtype):
    t = torch.tensor([-1e4, -200.0, -30.0, 1e4], dtype=dtype, requires_grad=True)
    value = adversarial.log_softplus(t)
    (slope,) = torch.autograd.grad(value.sum(), t, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), t)
    expected = torch.tensor([-1e4, -200.0, -30.0, math.log(1e4)], dtype=dtype)
    torch.testing.assert_close(value.detach(), expected, rtol=1e-6, atol=0)
    expected = torch.tensor([1, 1, 1, 1e-4], dtype=dtype)
    torch.testing.assert_close(slope.detach(), expected, rtol=1e-6, atol=0)
    assert curvature.isfinite().all()


def test_pearson_is_eight_times_least_squares():
    """Of (D + 1) / 2; half of it is the loss of Mao et al. with a = -1, b = 1 and c = 0."""
    real, fake = torch.randn(2, 3, 5).unbind()
    pearson, least_squares = (
        adversarial.LOSS_PAIRS[name].discriminator for name in ("pearson", "least-squares")
    )
    torch.testing.assert_close(
        pearson(real, fake), 8 * least_squares((real + 1) / 2, (fake + 1) / 2)
    )
    generator_loss = adversarial.LOSS_PAIRS["pearson"].generator(fake)
    torch.testing.assert_close(generator_loss, fake.square().mean(1))
