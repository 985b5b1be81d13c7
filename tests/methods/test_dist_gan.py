"""Dist-GAN on a discriminator with known features."""

import math

import pytest
import torch

from iidgan.core import Nets
from iidgan.methods.dist_gan import DistGAN
from iidgan.nn.backbones.mlp import MLPNetwork
from tests.helpers.networks import (
    FunctionModule,
    fake_loss,
    flat_gradient,
    function_nets,
    make_batch,
    real_loss,
    total_loss,
)


def linear_discriminator(weights):
    """Creates D(x) = w x, for one seed, whose features are x."""
    network = MLPNetwork((len(weights),), (), ())
    with torch.no_grad():
        for value in network.parameters():
            kernel = value.numel() == len(weights)
            value.copy_(torch.tensor(weights if kernel else [0.0]).view_as(value))
    return network


def linear_nets(D, t=0.0):
    """Creates F(x), the first two numbers, G(z), which appends their sum, and a batch."""
    G = FunctionModule(lambda z: torch.cat([z, z.sum(-1, keepdim=True)], -1))
    nets = Nets({"D": D, "F": FunctionModule(lambda x: 2 * x[..., :2]), "G": G})
    return nets, make_batch(DistGAN(), seeds=1, t=t)


@pytest.mark.usefixtures("float64")
def test_dist_gan_preserves_feature_distances():
    """With features that are the data, everything can be computed on x and z."""
    nets, batch = linear_nets(linear_discriminator([1.0, 1.0, 1.0]))
    losses = DistGAN(distance=0.5).loss_autoencoder(nets, batch)
    codes = 2 * batch.x[..., :2]
    cycled, fake = nets.G(codes), nets.G(batch.z)
    torch.testing.assert_close(
        losses["reconstruction"], (batch.x - cycled).square().flatten(1).mean(1)
    )
    gap = (cycled.mean() - fake.mean()) - math.sqrt(2 / 3) * (codes.mean() - batch.z.mean())
    torch.testing.assert_close(losses["distance"], 0.5 * gap.square()[None])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("t", "mu"), [(0.0, 0.0), (0.5, 0.0), (0.75, 0.025), (1.0, 0.05)])
def test_dist_gan_weight_of_reconstructions(t, mu):
    nets, batch = linear_nets(linear_discriminator([0.0, 3.0, 4.0]), t)
    losses = DistGAN(slope=2.0).loss_D(nets, batch)
    x, cycled, fake = batch.x, nets.G(nets.F(batch.x)), nets.G(batch.z)
    real_logits, cycled_logits, fake_logits = (
        3 * a[..., 1] + 4 * a[..., 2] for a in (x, cycled, fake)
    )
    torch.testing.assert_close(losses["real"], (0.95 + mu) * real_loss(real_logits))
    torch.testing.assert_close(losses["cycled"], (0.05 - mu) * real_loss(cycled_logits))
    torch.testing.assert_close(losses["fake"], fake_loss(fake_logits))
    # The slope of D is |(0, 3, 4)| = 5 everywhere.
    torch.testing.assert_close(losses["slope"], torch.tensor([32.0]))


def test_dist_gan_with_flat_discriminator():
    nets, batch = linear_nets(linear_discriminator([0.0, 0.0, 0.0]))
    losses = DistGAN().loss_D(nets, batch)
    assert flat_gradient(total_loss(losses), nets["D"]).isfinite().all()


@pytest.mark.usefixtures("float64")
def test_dist_gan_matches_mean_outputs():
    nets, batch = linear_nets(linear_discriminator([0.0, 0.0, 1.0]))
    gap = batch.x[..., 2].sigmoid().mean() - batch.z.sum(2).sigmoid().mean()
    torch.testing.assert_close(total_loss(DistGAN().loss_G(nets, batch)), gap.abs()[None])
    same = function_nets(G=lambda z: batch.x.flip(1), D=lambda x: x.sum(2))
    assert total_loss(DistGAN().loss_G(same, batch)) < 1e-15


@pytest.mark.parametrize("decoder", [True, False])
def test_dist_gan_decoder_option(decoder):
    autoencoder, *_ = DistGAN(decoder=decoder).players
    assert autoencoder.trains == (("F", "G") if decoder else ("F",))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("t", [0.0, 0.3, 0.5, 0.6, 0.7, 0.75, 0.9, 1.0])
def test_dist_gan_mu_of_its_code(t):
    mu = max(min((t * 0.1 - 0.05) * 2, 0.05), 0.0)
    nets, batch = linear_nets(linear_discriminator([0.0, 3.0, 4.0]), t)
    losses = DistGAN(full_mu=0.75).loss_D(nets, batch)
    logits = 3 * batch.x[..., 1] + 4 * batch.x[..., 2]
    torch.testing.assert_close(losses["real"], (0.95 + mu) * real_loss(logits))
    if t >= 0.75:
        assert losses["cycled"].item() == 0


def test_dist_gan_moves_of_discriminator():
    _, critic, _ = DistGAN(critic_steps=5).players
    assert (critic.name, critic.updates_per_step) == ("D", 5)
