"""The mode-regularised GAN."""

import pytest
import torch

from iidgan.methods.gan import GAN
from iidgan.methods.mrgan import MRGAN
from tests.helpers.networks import (
    flat_gradient,
    function_nets,
    make_batch,
    random_nets,
    real_loss,
    total_loss,
)


@pytest.mark.usefixtures("float64")
def test_mrgan_losses_by_hand():
    method = MRGAN(reconstruction=0.5, modes=0.25)
    batch = make_batch(method)
    nets = function_nets(F=lambda x: 2 * x, G=lambda z: z, D=lambda x: x.sum(2))
    losses = method.loss_G(nets, batch)
    torch.testing.assert_close(losses["reconstruction"], 0.5 * batch.x.square().flatten(1).mean(1))
    torch.testing.assert_close(losses["modes"], 0.25 * real_loss(2 * batch.x.sum(2)))
    torch.testing.assert_close(losses["adversarial"], real_loss(batch.z.sum(2)))


def test_mrgan_without_weights_is_gan():
    method = MRGAN(reconstruction=0, modes=0)
    nets, batch = random_nets(method)
    plain = {player.name: player.loss(nets, batch) for player in GAN().players}
    for player in method.players:
        assert total_loss(player.loss(nets, batch)).equal(total_loss(plain[player.name]))


def test_mrgan_makes_reconstructions_real():
    """A move of F down the addend raises D's logits of G(F(x))."""
    nets, batch = random_nets(MRGAN())
    downwards = -flat_gradient(MRGAN().loss_G(nets, batch)["modes"], nets["F"])
    upwards = flat_gradient(nets.D(nets.G(nets.F(batch.x))), nets["F"])
    assert downwards @ upwards > 0
