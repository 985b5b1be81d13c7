"""Adversarial steps of latents."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from iidgan.core import Batch, Nets
from iidgan.functional import adversarial
from iidgan.methods.adv_latent import AdvLatentDivGAN, AdvLatentGAN, shift_latents
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


def make_pair_batch():
    zeros = torch.zeros(1, 2, 2)
    noise = {"adv_latent_partner": torch.tensor([[[1.0, -1.0], [2.0, 0.5]]])}
    return Batch(x=zeros, z=zeros, u=zeros[..., 0], noise=noise)


def reference_partners(G, z, noise, *, start, eps, iterations):
    """One seed as in the authors' script: means over the batch, and the sign of the gradient."""
    partners = z + start * noise
    for _ in range(iterations):
        partners = partners.detach().requires_grad_()
        ratio = (G(partners) - G(z)).abs().mean() / ((partners - z).abs().mean() + 1)
        (gradient,) = torch.autograd.grad(ratio, partners)
        partners = partners - eps * gradient.sign()
    return partners.detach()


def test_adv_latent_div_losses_of_authors():
    """Both halves of the pairs are generated samples; losses of the halves are added."""
    method = AdvLatentDivGAN(eps=0.05)
    nets, batch = start_networks(method)
    pairs = [
        reference_partners(
            lambda z, seed=seed: nets.G(torch.stack([z] * 3))[seed],
            batch.z[seed],
            batch.noise["adv_latent_partner"][seed],
            start=0.08,
            eps=0.05,
            iterations=3,
        )
        for seed in range(3)
    ]
    partners = torch.stack(pairs)
    other = replace(batch, z=partners)
    expected = sum(GAN().loss_D(nets, half)["adversarial"] for half in (batch, other))
    torch.testing.assert_close(method.loss_D(nets, batch)["adversarial"], expected)
    losses = method.loss_G(nets, batch)
    expected = sum(GAN().loss_G(nets, half)["adversarial"] for half in (batch, other))
    torch.testing.assert_close(losses["adversarial"], expected)
    ratio = (nets.G(partners) - nets.G(batch.z)).abs().mean((1, 2)) / (
        partners - batch.z
    ).abs().mean((1, 2))
    torch.testing.assert_close(losses["mode_seeking"], 1 / (ratio + 1e-5))


def test_adv_latent_div_partners_move_to_alike_samples():
    """G ignores the second coordinate: moving along it enlarges the distance of latents alone."""
    batch = make_pair_batch()
    G = nn.Module()
    G.forward = lambda z: z[..., :1]
    start, partners = (
        batch.noise["adv_latent_partner"],
        AdvLatentDivGAN(start=1.0, eps=0.25, iterations=2)._pair(Nets({"G": G}), batch)[1].z,
    )
    expected = start + 0.5 * torch.tensor([[[-1.0, -1.0], [-1.0, 1.0]]])
    torch.testing.assert_close(partners, expected)


def test_shift_latents_descends_loss_of_generator():
    """20 steps of 0.01 against the sign: along a line for D(G(z)) = <a, z>."""
    a = torch.tensor([2.0, -0.1])
    G, D = nn.Identity(), nn.Module()
    D.forward = lambda x: (a * x).sum(-1)
    z = torch.randn(2, 5, 2)
    shifted = shift_latents(Nets({"G": G, "D": D}), z)
    torch.testing.assert_close(shifted, z + 0.2 * a.sign())
    assert not shifted.requires_grad
