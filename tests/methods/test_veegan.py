"""VEEGAN."""

import math

import pytest
import torch

from iidgan.methods.veegan import VEEGAN
from tests.helpers.networks import (
    fake_loss,
    flat_gradient,
    function_nets,
    make_batch,
    random_nets,
    real_loss,
    total_loss,
)


@pytest.mark.usefixtures("float64")
def test_veegan_losses_by_hand():
    method = VEEGAN()
    batch = make_batch(method)
    nets = function_nets(
        F=lambda x: x[..., :2], G=lambda z: 2 * z, D=lambda x, z: (x[..., :2] * z).sum(2)
    )
    eps = batch.noise["posterior"]
    encoded = (batch.x[..., :2] * (batch.x[..., :2] + eps)).sum(2)
    generated = 2 * batch.z.square().sum(2)
    torch.testing.assert_close(
        total_loss(method.loss_D(nets, batch)), real_loss(generated) + fake_loss(encoded)
    )
    losses = method.loss_G(nets, batch)
    torch.testing.assert_close(losses["adversarial"], generated.mean(1))
    # F(G(z)) = 2 z, so that z lies at a distance of |z|: half its square, and log 2 pi for M = 2.
    expected = 0.5 * batch.z.square().sum(2).mean(1) + math.log(2 * math.pi)
    torch.testing.assert_close(losses["reconstruction"], expected)


def test_veegan_trains_inverse_by_likelihood():
    nets, batch = random_nets(VEEGAN())
    losses = VEEGAN().loss_G(nets, batch)
    assert not flat_gradient(losses["adversarial"], nets["F"]).any()
    assert flat_gradient(losses["reconstruction"], nets["F"]).any()
    assert flat_gradient(losses["adversarial"], nets["G"]).any()
    assert flat_gradient(losses["reconstruction"], nets["G"]).any()
