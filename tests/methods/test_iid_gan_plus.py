"""IID-GAN+: growing weights, and code noise."""

from dataclasses import replace

import pytest
import torch

from iidgan.methods import iid_gan, iid_gan_plus
from iidgan.terms import CodeNoise
from tests.helpers.losses import assert_loss, compute_losses, make_nets_and_batch

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize(("t", "factor"), [(0.0, 1.0), (0.25, 1.0), (1.0, 30.0)])
def test_iid_gan_plus_weights_grow(t, factor):
    method = iid_gan_plus(noise=CodeNoise(std=0.0))
    nets, batch = make_nets_and_batch(method)
    batch = replace(batch, t=torch.tensor(t))
    losses = compute_losses(method, "G", nets, batch)
    constant_losses = compute_losses(iid_gan(), "G", nets, batch)
    assert_loss(losses["cycle_z"], constant_losses["cycle_z"] / factor)
    assert_loss(losses["cycle_x"], constant_losses["cycle_x"] * factor)
    assert_loss(losses["gaussian"], constant_losses["gaussian"] * factor)


def test_iid_gan_plus_code_noise():
    noise = iid_gan_plus().base_and_terms[1][-1]
    assert (noise.std, noise.widening, noise.tails) == (0.1, 1.0, 3)
