"""Adversarial losses of methods, compared with their formulas."""

import pytest
from torch.nn.functional import relu, softplus

from iidgan.functional.gradient import gradient_norm_penalty
from iidgan.methods import GAN, SNGAN, lsgan, wgan_gp
from tests.helpers.losses import assert_loss, compute_losses, make_nets_and_batch

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize(
    ("method", "loss_of_d", "loss_of_g"),
    [
        (
            SNGAN(),
            lambda real, fake: (relu(1 - real) + relu(1 + fake)).mean(-1),
            lambda fake: -fake.mean(-1),
        ),
        (
            lsgan(),
            lambda real, fake: ((real - 1).square() + fake.square()).mean(-1) / 2,
            lambda fake: (fake - 1).square().mean(-1) / 2,
        ),
        (
            GAN(),
            lambda real, fake: (softplus(-real) + softplus(fake)).mean(-1),
            lambda fake: softplus(-fake).mean(-1),
        ),
    ],
    ids=["sngan", "lsgan", "gan"],
)
def test_adversarial_losses_of_method(method, loss_of_d, loss_of_g):
    nets, batch = make_nets_and_batch(method)
    real, fake = nets.D(batch.x), nets.D(nets.G(batch.z))
    losses_of_d = compute_losses(method, "D", nets, batch)
    assert_loss(losses_of_d["adversarial"], loss_of_d(real, fake))
    losses_of_g = compute_losses(method, "G", nets, batch)
    assert_loss(losses_of_g["adversarial"], loss_of_g(fake))


def test_wgan_gp_losses():
    method = wgan_gp()
    nets, batch = make_nets_and_batch(method)
    losses = compute_losses(method, "D", nets, batch)
    fake = nets.G(batch.z)
    assert_loss(losses["adversarial"], (nets.D(fake) - nets.D(batch.x)).mean(-1))
    penalty = gradient_norm_penalty(nets.D, fake, batch.x, batch.u, 1.0)
    assert_loss(losses["gradient_penalty"], 10 * penalty)
