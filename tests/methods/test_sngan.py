"""Spectral normalisation of D."""

import pytest

from iidgan.core import NetworkFactory
from iidgan.functional.gradient import input_gradient, sample_norms
from iidgan.methods.gan import GAN
from iidgan.methods.sngan import SNGAN
from iidgan.nn import DCGANSN
from iidgan.nn.layers.conv import Conv2d
from iidgan.nn.layers.weight import SpectralWeight
from iidgan.testing.mini_run import ARCH, MiniRun
from tests.helpers.networks import draw_vector_batch
from tests.helpers.training_runs import have_same_generator

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture
def batch():
    return draw_vector_batch()


def test_sngan_bounds_slope(batch):
    D = MiniRun(SNGAN(), ARCH).trajectory.state.nets["D"]
    for _ in range(300):
        for module in D.modules():
            if hasattr(module, "post_update"):
                module.post_update(batch)
    steepest = sample_norms(input_gradient(D, 3 * batch.x)).max()
    assert 1e-3 < steepest < 1 + 1e-9


def test_sngan_with_discriminator_of_table_8():
    """IID-GAN, IJCAI 2023, Table 8: SN convolutions, batch norm but in the first, linear 1."""
    networks = SNGAN(discriminator="backbone").networks(
        NetworkFactory(DCGANSN(width=4), (3, 32, 32))
    )
    kinds = [type(layer).__name__ for layer in networks["D"].trunk.layers]
    stage = ["Conv2d", "LeakyReLU", "BatchNorm"]
    assert kinds == ["Conv2d", "LeakyReLU", "Identity", *stage * 3]
    convolutions = [layer for layer in networks["D"].trunk.layers if isinstance(layer, Conv2d)]
    assert all(isinstance(layer.weight, SpectralWeight) for layer in convolutions)
    assert not any(isinstance(module, SpectralWeight) for module in networks["D"].head.modules())


def test_sngan_of_backbone_is_hinge_gan():
    assert have_same_generator(SNGAN(discriminator="backbone"), GAN(loss="hinge"))
    assert not have_same_generator(SNGAN(), GAN(loss="hinge"))
