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


def test_mlp_of_unrolled_gan():
    """Two hidden layers of 128 with tanh; orthogonal weights with gain 1.4, biases of 0."""
    backbone = MLP(latent=256, hidden=(128, 128), activation="tanh", init="orthogonal")
    G, D = backbone.build_generator((2,)), backbone.build_discriminator((2,))
    assert [type(layer).__name__ for layer in G.body] == ["Linear", "Tanh"] * 2
    for layer in (*G.body[::2], G.head.layer, *D.body[::2], D.head.layer):
        singular_values = torch.linalg.svdvals(layer.weight())
        torch.testing.assert_close(singular_values, torch.full_like(singular_values, 1.4))
        assert not layer.bias.any()


def test_mlp_default_weights_stay():
    """Published runs start from them: uniform draws of weight and bias, layer by layer."""
    torch.manual_seed(1)
    layer = MLP(hidden=(3,)).build_discriminator((2,)).body[0]
    torch.manual_seed(1)
    weight, bias = torch.empty(1, 2, 3), torch.empty(1, 1, 3)
    bound = 2**-0.5
    torch.testing.assert_close(layer.weight(), weight.uniform_(-bound, bound))
    torch.testing.assert_close(layer.bias, bias.uniform_(-bound, bound))
