"""The variational autoencoder."""

import math

import pytest
import torch

from iidgan.core import NetworkFactory
from iidgan.methods.vae import VAE
from iidgan.nn import MLP
from tests.helpers.networks import function_nets, make_batch, random_nets


@pytest.mark.usefixtures("float64")
def test_vae_losses_by_hand():
    """The encoder has means x + 1 and variances e; the decoder is the identity."""
    arch = NetworkFactory(MLP(latent=3), (3,))
    batch = make_batch(VAE(), arch)
    nets = function_nets(F=lambda x: x + 1, V=torch.ones_like, G=lambda z: z)
    losses = VAE().loss_autoencoder(nets, batch)
    error = (1 + math.sqrt(math.e) * batch.noise["posterior"]).square().flatten(1).mean(1)
    torch.testing.assert_close(
        losses["reconstruction"], 1.5 * (torch.log(2 * math.pi * error) + 1)
    )
    # Per dimension (mu^2 + e - 1 - 1) / 2.
    squares = (batch.x + 1).square().sum(2).mean(1)
    torch.testing.assert_close(losses["divergence"], (squares + 3 * (math.e - 2)) / 2)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("t", "weight"), [(0.0, 0.0), (0.1, 0.5), (0.2, 1.0), (0.9, 1.0)])
def test_vae_warm_up_of_divergence(t, weight):
    nets, _ = random_nets(VAE())
    batch = make_batch(VAE(), seeds=1, t=t)
    plain, warmed = (
        VAE().loss_autoencoder(nets, batch),
        VAE(warm_up=0.2).loss_autoencoder(nets, batch),
    )
    torch.testing.assert_close(warmed["divergence"], weight * plain["divergence"])
    assert warmed["reconstruction"].equal(plain["reconstruction"])
