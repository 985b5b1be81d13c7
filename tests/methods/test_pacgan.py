"""A discriminator of packs of samples."""

import pytest
import torch
from torch import nn

from iidgan.core import Batch, concatenate_batches
from iidgan.functional import adversarial
from iidgan.methods.gan import GAN
from iidgan.methods.pacgan import PacGAN, PackedDiscriminator
from iidgan.terms.gradient_penalty import GradientPenalty
from iidgan.terms.r1 import R1
from iidgan.terms.r2 import R2
from iidgan.testing import check_method, check_term
from iidgan.testing.mini_run import ARCH
from tests.helpers.networks import IMAGES, FunctionModule
from tests.helpers.training_runs import assert_same_values, final_values

TERMS = {"r1": R1(), "r2": R2(), "gradient-penalty": GradientPenalty()}


pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize("loss", adversarial.LOSS_PAIRS)
def test_pacgan_with_all_losses(loss):
    check_method(PacGAN(loss=loss))


@pytest.mark.slow
@pytest.mark.parametrize("arch", [None, IMAGES], ids=["vectors", "images"])
@pytest.mark.parametrize("name", TERMS)
def test_pacgan_with_penalties(name, arch):
    check_term(TERMS[name], PacGAN(), arch)


@pytest.mark.parametrize("arch", [ARCH, IMAGES], ids=["vectors", "images"])
def test_pacgan_of_one_is_gan(arch):
    assert_same_values(final_values(PacGAN(m=1), arch), final_values(GAN(), arch))


@pytest.mark.parametrize("shape", [(2,), (3, 4, 4)], ids=["vectors", "images"])
def test_packed_discriminator_concatenates_samples(shape):
    batches = [torch.randn(3, 4, *shape) for _ in range(2)]
    joined = concatenate_batches([Batch(x=x, z=x, u=x) for x in batches]).x
    packs = []
    net = FunctionModule(lambda x: x)
    net.features, net.head = lambda x: packs.append(x) or x.flatten(2).sum(2), nn.Identity()
    assert PackedDiscriminator(net, 2)(joined).shape == (3, 4)
    assert torch.equal(packs[0], torch.cat([joined[:, 0::2], joined[:, 1::2]], dim=2))


def test_pacgan_batches_per_update():
    assert {player.batches_per_update for player in PacGAN(m=3).players} == {3}
    packed = PacGAN(m=3).networks(IMAGES)["D"]
    assert packed(torch.randn(1, 12, 1, 8, 8)).shape == (1, 4)


def test_pacgan_generator_steps():
    players = {player.name: player for player in PacGAN(m=3, generator_steps=2).players}
    assert (players["D"].updates_per_step, players["G"].updates_per_step) == (1, 2)
    assert players["G"].batches_per_update == 3
