"""Two discriminators with opposite roles."""

import math

import pytest
import torch
from torch import nn

from iidgan.core import Batch, Nets
from iidgan.methods.d2gan import D2GAN
from tests.helpers.networks import FunctionModule

pytestmark = pytest.mark.usefixtures("float64")


def test_d2gan_at_optimal_discriminators():
    """On two points: data (3/4, 1/4), samples (1/2, 1/2); what is left are the divergences."""
    p, q = torch.tensor([0.75, 0.25]), torch.tensor([0.5, 0.5])
    alpha, beta = 0.6, 0.9
    batch = Batch(
        x=torch.tensor([0.0, 0, 0, 1])[None, :, None],
        z=torch.tensor([0.0, 0, 1, 1])[None, :, None],
        u=torch.zeros(1, 4),
    )
    best = {"D1": alpha * p / q, "D2": beta * q / p}
    tables = {name: value.expm1().log().requires_grad_() for name, value in best.items()}
    looks = {
        name: FunctionModule(lambda x, t=t: t[x[..., 0].long()]) for name, t in tables.items()
    }
    nets, method = Nets({"G": nn.Identity()} | looks), D2GAN(alpha=alpha, beta=beta)
    value = 0.0
    for player in method.players[:2]:
        (loss,) = player.loss(nets, batch).values()
        (slope,) = torch.autograd.grad(loss, tables[player.name])
        torch.testing.assert_close(slope, torch.zeros(2), rtol=0, atol=1e-14)
        value -= loss.item()
    kl, reverse = (p * (p / q).log()).sum().item(), (q * (q / p).log()).sum().item()
    expected = alpha * (kl + math.log(alpha) - 1) + beta * (reverse + math.log(beta) - 1)
    assert value == pytest.approx(expected, abs=1e-14)
    (loss,) = method.loss_G(nets, batch).values()
    assert loss.item() == pytest.approx(beta * (reverse + math.log(beta)) - alpha, abs=1e-14)
