"""Contrastive losses, compared with values by hand."""

import math

import pytest
import torch

from iidgan.functional.contrastive import pairing_loss
from tests.helpers.codes import draw_codes


@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_pairing_loss_by_hand(temperature):
    codes, latents = draw_codes(2, 5, 3), draw_codes(2, 5, 3, seed=1)
    expected = torch.zeros(2, dtype=torch.float64)
    for seed in range(2):
        for i in range(5):
            similarities = [
                math.exp(-((codes[seed, i] - z) ** 2).sum().item() / (2 * 3 * temperature**2))
                for z in latents[seed]
            ]
            expected[seed] -= math.log(similarities[i] / sum(similarities)) / 5
    torch.testing.assert_close(pairing_loss(codes, latents, temperature), expected)


def test_pairing_loss_of_equal_codes_is_at_least_log_of_batch():
    """The mean of -log of shares that sum to one, of all latents, is least if they are equal."""
    latents = draw_codes(3, 50, 2)
    codes = torch.zeros_like(latents)
    assert (pairing_loss(codes, latents, 0.5) > math.log(50)).all()
    torch.testing.assert_close(
        pairing_loss(codes, latents, 1e4), torch.full((3,), math.log(50)).double()
    )


def test_pairing_loss_ignores_distant_latents():
    near = torch.tensor([[[0.0], [0.1]]]).double()
    distant = torch.cat([near, near + 1000], 1)
    torch.testing.assert_close(pairing_loss(distant, distant, 0.2), pairing_loss(near, near, 0.2))


def test_pairing_loss_is_finite_for_distant_codes():
    latents = draw_codes(1, 10, 2, dtype=torch.float32)
    codes = (latents + 1000).requires_grad_()
    value = pairing_loss(codes, latents, 0.2).sum()
    (gradient,) = torch.autograd.grad(value, codes)
    assert value.isfinite()
    assert gradient.isfinite().all()
