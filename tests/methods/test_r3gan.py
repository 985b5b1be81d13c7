"""Relativistic losses with and without penalties."""

from functools import partial

import pytest
import torch

from iidgan.core import Nets
from iidgan.methods.r3gan import RelativisticGAN, r3gan
from iidgan.terms.r1 import R1
from iidgan.terms.r2 import R2
from iidgan.testing.mini_run import ARCH, MiniRun
from tests.helpers.networks import FunctionModule, draw_vector_batch, paraboloid
from tests.helpers.training_runs import assert_same_values

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture
def batch():
    return draw_vector_batch()


def test_relativistic_gan_ignores_logit_offset(batch):
    G, D = FunctionModule(lambda z: 3 * z), partial(paraboloid, 0.1)
    method = RelativisticGAN()
    nets, raised = (Nets({"G": G, "D": FunctionModule(lambda x, c=c: D(x) + c)}) for c in (0, 9))
    gap = D(3 * batch.z) - D(batch.x)
    for loss, sign in ((method.loss_D, 1), (method.loss_G, -1)):
        (value,), (other,) = loss(nets, batch).values(), loss(raised, batch).values()
        expected = (1 + (sign * gap).exp()).log().mean(1)
        torch.testing.assert_close(value, expected, rtol=1e-13, atol=0)
        torch.testing.assert_close(value, other, rtol=1e-13, atol=0)


def test_r3gan_sums_its_losses(batch):
    mini_run = MiniRun(r3gan(R1(weight=0.3), R2(weight=0.4)), ARCH)
    nets = Nets(dict(mini_run.init_state().nets.items()))
    D, G = mini_run.method.players
    parts = RelativisticGAN().loss_D, R1(weight=0.3).compute_loss, R2(weight=0.4).compute_loss
    expected = {name: value for part in parts for name, value in part(nets, batch).items()}
    assert list(expected) == ["adversarial", "r1", "r2"]
    losses = D.loss(nets, batch)
    assert_same_values(list(losses.values()), list(expected.values()))
    assert list(G.loss(nets, batch)) == ["adversarial"]
