"""Adversarial steps of latents."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from iidgan.core import Batch, Nets
from iidgan.functional import adversarial
from iidgan.methods.adv_latent import AdvLatentGAN
from iidgan.methods.gan import GAN
from tests.helpers.training_runs import have_same_generator, start_networks

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize("loss", ["non-saturating", "saturating"])
def test_adv_latent_without_step_is_gan(loss):
    assert have_same_generator(AdvLatentGAN(eps=0.0, loss=loss), GAN(loss=loss))
    assert not have_same_generator(AdvLatentGAN(loss=loss), GAN(loss=loss))


def test_adv_latent_step_by_hand():
    """With D(G(z)) = <a, z> the loss of G falls with <a, z>, so that z moves by eps sign(a)."""
    a = torch.tensor([[[2.0, -0.1]], [[-3.0, 1.0]]])
    G, D = nn.Identity(), nn.Module()
    D.forward = lambda x: (a * x).sum(-1)
    batch = Batch(x=torch.randn(2, 5, 2), z=torch.randn(2, 5, 2), u=torch.rand(2, 5))
    loss_value = AdvLatentGAN(eps=0.25).loss_D(Nets({"G": G, "D": D}), batch)["adversarial"]
    fake = D(batch.z) + 0.25 * a.abs().sum(-1)
    assert torch.allclose(loss_value, adversarial.discriminator_loss(D(batch.x), fake))


def test_adv_latent_step_has_no_gradient():
    method = AdvLatentGAN(eps=0.1)
    nets, batch = start_networks(method)
    slope = method._latent_gradient(nets, batch.z)
    assert not slope.requires_grad
    moved = replace(batch, z=batch.z - 0.1 * slope.sign())
    gradients, expected = (
        torch.autograd.grad(
            of.loss_D(Nets(dict(nets)), on)["adversarial"].sum(), list(nets["D"].parameters())
        )
        for of, on in ((method, batch), (GAN(), moved))
    )
    assert all(map(torch.equal, gradients, expected))
