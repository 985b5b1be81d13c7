"""The Wasserstein GAN with clipping or a term."""

import pytest
import torch

from iidgan.core import Nets
from iidgan.methods.gan import GAN
from iidgan.methods.pacgan import PacGAN
from iidgan.methods.wgan import WGAN, Wasserstein
from iidgan.methods.wgan_gp import wgan_gp
from iidgan.terms.gradient_penalty import GradientPenalty
from iidgan.testing.mini_run import ARCH, MiniRun
from tests.helpers.networks import draw_vector_batch
from tests.helpers.training_runs import assert_same_values, final_values

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture
def batch():
    return draw_vector_batch()


@pytest.mark.parametrize(
    "method",
    [
        Wasserstein(critic_steps=1),
        WGAN(critic_steps=1, clip=1e9),
        wgan_gp(1, GradientPenalty(weight=0.0)),
    ],
)
def test_wasserstein_variants_without_constraint(method):
    parameters = final_values(GAN(loss="wasserstein"))[:-2]  # the last are losses
    assert_same_values(final_values(method)[: len(parameters)], parameters)


def test_wgan_clips_parameters():
    mini_run = MiniRun(WGAN(clip=0.02), ARCH)
    for state in (mini_run.init_state(), mini_run.trajectory.state):
        assert max(p.abs().max() for p in state.nets["D"].parameters()) == 0.02
        assert max(p.abs().max() for p in state.nets["G"].parameters()) > 0.1


def test_wrappers_have_head_and_features(batch):
    for method in (WGAN(), PacGAN()):
        module = MiniRun(method, ARCH).init_state().nets["D"]
        assert hasattr(module, "head")
        assert torch.equal(Nets({"D": module}).D(batch.x), module(batch.x))
