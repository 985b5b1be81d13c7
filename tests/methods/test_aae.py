"""The adversarial autoencoder."""

import pytest
import torch

from iidgan.core import Regularised
from iidgan.methods.aae import AAE
from iidgan.terms import ZDiscriminator
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import fake_loss, function_nets, make_batch, real_loss, total_loss


def test_aae_players_in_two_phases():
    assert [(p.name, p.trains) for p in AAE().players] == [
        ("autoencoder", ("F", "G")),
        ("Dz", ("Dz",)),
        ("F", ("F",)),
    ]


@pytest.mark.usefixtures("float64")
def test_aae_losses_by_hand():
    batch = make_batch(AAE())
    nets = function_nets(
        F=lambda x: x[..., :2], G=lambda z: z.repeat(1, 1, 2)[..., :3], Dz=lambda z: z[..., 0]
    )
    autoencoder, Dz, F = (player.loss(nets, batch) for player in AAE().players)
    # x comes back but for its third number, which becomes the first.
    error = (batch.x[..., 2] - batch.x[..., 0]).square().mean(1) / 3
    torch.testing.assert_close(total_loss(autoencoder), error)
    prior, codes = batch.z[..., 0], batch.x[..., 0]
    torch.testing.assert_close(total_loss(Dz), real_loss(prior) + fake_loss(codes))
    torch.testing.assert_close(total_loss(F), real_loss(codes))


def test_aae_refuses_second_code_discriminator():
    method = Regularised(method=AAE(), terms=(ZDiscriminator(),))
    with raises_input_error("terms", "Dz"):
        method.players  # noqa: B018
