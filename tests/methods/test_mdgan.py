"""The manifold-diffusion GAN."""

import pytest
import torch

from iidgan.methods.mdgan import MDGAN
from tests.helpers.networks import fake_loss, function_nets, make_batch, real_loss, total_loss


@pytest.mark.usefixtures("float64")
def test_mdgan_losses_by_hand():
    method = MDGAN(manifold=0.5)
    batch = make_batch(method)
    nets = function_nets(
        F=lambda x: 2 * x, G=lambda z: z, D=lambda x: x.sum(2), Dm=lambda x: x.prod(2)
    )
    Dm, autoencoder, D, G = (player.loss(nets, batch) for player in method.players)
    x, z = batch.x, batch.z
    torch.testing.assert_close(total_loss(Dm), real_loss(x.prod(2)) + fake_loss(8 * x.prod(2)))
    torch.testing.assert_close(
        total_loss(autoencoder),
        0.5 * real_loss(8 * x.prod(2)) + x.square().flatten(1).mean(1),
    )
    torch.testing.assert_close(total_loss(D), real_loss(2 * x.sum(2)) + fake_loss(z.sum(2)))
    torch.testing.assert_close(total_loss(G), real_loss(z.sum(2)))


def test_mdgan_players_in_order():
    assert [(p.name, p.trains) for p in MDGAN().players] == [
        ("Dm", ("Dm",)),
        ("autoencoder", ("G", "F")),
        ("D", ("D",)),
        ("G", ("G",)),
    ]
