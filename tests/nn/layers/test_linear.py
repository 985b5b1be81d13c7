"""Fully connected layers for several seeds."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from iidgan.nn.backbones.mlp import MLPNetwork
from iidgan.nn.layers.linear import EqualisedLinear, Linear, build_hidden_layers
from tests.helpers.layers import BATCH_SIZE, NUM_SEEDS, assert_same_map, draw_parameters

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


class TestEqualisedLinear:
    def test_equalised_linear_equals_torch_per_seed(self):
        """The multiplier changes updates, and not the map."""
        layer = draw_parameters(EqualisedLinear(4, 6, lr_multiplier=0.5))
        scales = {"weight": 0.5 / 4**0.5, "bias": 0.5}
        assert_same_map(
            layer,
            {"weight": layer.weight.value, "bias": layer.bias},
            [_ScaledLinear(4, 6, scales) for _ in range(NUM_SEEDS)],
            torch.randn(NUM_SEEDS, BATCH_SIZE, 4),
            lambda name, value: value if name == "weight" else value[0],
        )

    def test_initial_outputs_have_the_bias_as_mean_and_unit_variance(self):
        layer = EqualisedLinear(100, 400, bias=3.0, lr_multiplier=0.01)
        outputs = layer(torch.randn(1, 50, 100))
        assert outputs.mean().item() == pytest.approx(3.0, abs=0.05)
        assert outputs.std().item() == pytest.approx(1.0, rel=0.05)


class _ScaledLinear(nn.Linear):
    """A linear layer whose parameters are multiplied by constants."""

    def __init__(self, in_features, out_features, scales):
        super().__init__(in_features, out_features)
        self.scales = scales

    def forward(self, x):
        return functional.linear(
            x, self.scales["weight"] * self.weight, self.scales["bias"] * self.bias
        )


class TestLinear:
    def test_linear_equals_torch_per_seed(self):
        layer = draw_parameters(Linear(4, 6))
        assert_same_map(
            layer,
            {"weight": layer.weight.value, "bias": layer.bias},
            [nn.Linear(4, 6) for _ in range(NUM_SEEDS)],
            torch.randn(NUM_SEEDS, BATCH_SIZE, 4),
            lambda name, value: value.mT if name == "weight" else value[0],
        )

    def test_linear_init_equals_torch(self):
        layer = Linear(100, 200)
        for value in (layer.weight.value, layer.bias):
            assert value.abs().max() <= 0.1
            assert value.abs().max() > 0.098
            assert value.mean().abs() < 0.02
        assert layer.weight.value.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.02)

    def test_build_hidden_layers_and_mlp_network(self):
        kinds = [type(layer) for layer in build_hidden_layers(2, (3, 4))]
        assert kinds == [Linear, nn.ReLU, Linear, nn.ReLU]
        for hidden, before in (((3, 4), kinds), ((), [])):
            net = MLPNetwork((2,), hidden, (5,))
            assert [type(layer) for layer in (*net.body, net.head.layer)] == [*before, Linear]
