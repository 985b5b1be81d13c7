"""The manifold-guided GAN."""

import pytest
import torch

from iidgan.methods.mggan import MGGAN
from tests.helpers.networks import fake_loss, function_nets, make_batch, real_loss, total_loss


def test_mggan_players_active_shares():
    autoencoder, *other_players = MGGAN(pretrain=0.3).players
    assert (autoencoder.trains, autoencoder.active) == (("En", "De"), (0.0, 0.3))
    assert [p.trains for p in other_players] == [("D",), ("Dm",), ("G",)]
    assert {p.active for p in other_players} == {(0.3, 1.0)}


@pytest.mark.usefixtures("float64")
def test_mggan_losses_by_hand():
    method = MGGAN(corruption=2.0, manifold=0.25)
    batch = make_batch(method)
    nets = function_nets(
        G=lambda z: -z,
        D=lambda x: x.sum(2),
        Dm=lambda z: z.prod(2),
        En=lambda x: 3 * x[..., :2],
        De=lambda z: (z / 3).repeat(1, 1, 2)[..., :3],
    )
    autoencoder, D, Dm, G = (player.loss(nets, batch) for player in method.players)
    x, z, eps = batch.x, batch.z, batch.noise["corruption"]
    noisy = (x + 2 * eps)[..., [0, 1, 0]]
    torch.testing.assert_close(total_loss(autoencoder), (noisy - x).abs().flatten(1).mean(1))
    torch.testing.assert_close(total_loss(D), real_loss(x.sum(2)) + fake_loss(-z.sum(2)))
    real, fake = 9 * x[..., 0] * x[..., 1], 9 * z.prod(2)
    torch.testing.assert_close(total_loss(Dm), real_loss(real) + fake_loss(fake))
    torch.testing.assert_close(total_loss(G), real_loss(-z.sum(2)) + 0.25 * real_loss(fake))
