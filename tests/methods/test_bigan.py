"""The bidirectional GAN."""

import pytest
import torch

from iidgan.methods.bigan import BiGAN
from tests.helpers.networks import fake_loss, function_nets, make_batch, real_loss, total_loss


@pytest.mark.usefixtures("float64")
def test_bigan_swaps_labels():
    method = BiGAN()
    batch = make_batch(method)
    encoded, generated = batch.x.sum(2), 3 * batch.z.prod(2)
    nets = function_nets(
        F=lambda x: x[..., :2] + 9,
        G=lambda z: z,
        D=lambda x, z: torch.where((z == x[..., :2] + 9).all(2), x.sum(2), 3 * z.prod(2)),
    )
    torch.testing.assert_close(
        total_loss(method.loss_D(nets, batch)), real_loss(encoded) + fake_loss(generated)
    )
    torch.testing.assert_close(
        total_loss(method.loss_G(nets, batch)), fake_loss(encoded) + real_loss(generated)
    )
