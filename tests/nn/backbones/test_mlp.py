"""Multilayer perceptrons."""

import pytest
import torch

from iidgan.nn import MLP
from tests.helpers.backbones import BATCH_SIZE, count_parameters


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


def test_mlp_parameter_counts_of_paper():
    """2 -> 100 -> 200 -> 100 -> out, weights and biases."""
    hidden = (2 * 100 + 100) + (100 * 200 + 200) + (200 * 100 + 100)
    backbone = MLP()
    assert count_parameters(backbone.build_generator, (2,)) == hidden + 100 * 2 + 2 == 40_802
    assert count_parameters(backbone.build_inverse, (2,)) == 40_802
    assert count_parameters(backbone.build_discriminator, (2,)) == hidden + 100 + 1 == 40_701
    assert count_parameters(backbone.build_latent_discriminator) == 40_701


def test_mlp_samples_independent_of_batch():
    net, z = MLP(latent=2, hidden=(5,)).build_generator((2,)), torch.randn(1, BATCH_SIZE, 2)
    assert torch.allclose(net(z)[:, :2], net(z[:, :2]), atol=1e-14)
