"""Weights that are spectrally normalised, or have an equalised learning rate."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from iidgan.nn.layers.conv import (
    Conv2d,
)
from iidgan.nn.layers.weight import EqualisedWeight, SpectralWeight
from tests.helpers.layers import BATCH_SIZE, NUM_SEEDS, draw_parameters, ungrouped_layer

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


class TestSpectralWeight:
    def test_sigma_converges_to_spectral_norm(self):
        layer = draw_parameters(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        norm = torch.linalg.matrix_norm(layer.value.flatten(2), ord=2)
        errors = []
        for _ in range(3):
            for _ in range(100):
                layer.update_singular_vectors()
            sigma = torch.linalg.matrix_norm(layer().flatten(2), ord=2)
            errors.append((sigma - 1).abs().max().item())
        assert errors == sorted(errors, reverse=True)
        assert errors[-1] < 1e-6
        assert torch.allclose(layer.value / layer(), norm.view(NUM_SEEDS, 1, 1, 1, 1), rtol=1e-5)

    def test_sigma_at_most_spectral_norm(self):
        layer = draw_parameters(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        layer.update_singular_vectors()
        norm = torch.linalg.matrix_norm(layer.value.flatten(2), ord=2)
        sigma = (layer.value / layer())[:, 0, 0, 0, 0]
        assert (sigma <= norm + 1e-12).all()
        assert (sigma > 0).all()

    def test_sigma_in_full_precision_under_autocast(self):
        layer = draw_parameters(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = layer()
        assert torch.equal(rough, layer())

    def test_initial_singular_vectors_are_unit(self):
        layer = SpectralWeight(torch.randn(1, 6, 2, 3, 3))
        for vector in (layer.u, layer.v):
            assert torch.allclose(vector.norm(dim=1), torch.ones(1, 1))

    def test_forward_changes_nothing(self):
        layer = draw_parameters(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        before = layer.u.clone(), layer.v.clone()
        layer.train()()
        assert torch.equal(layer.u, before[0])
        assert torch.equal(layer.v, before[1])

    def test_spectral_weight_equals_torch(self):
        layer = Conv2d(2, 6, 3, make_weight=SpectralWeight)
        draw_parameters(layer)
        for _ in range(3):
            layer.weight.update_singular_vectors()
        for seed in range(NUM_SEEDS):
            torch_layer = parametrizations.spectral_norm(nn.Conv2d(2, 6, 3)).eval()
            inner = torch_layer.parametrizations.weight
            with torch.no_grad():
                inner.original.copy_(layer.weight.value[seed])
                inner[0]._u.copy_(layer.weight.u[seed, :, 0])
                inner[0]._v.copy_(layer.weight.v[seed, :, 0])
                torch_layer.bias.copy_(layer.bias[seed])
            x = torch.randn(NUM_SEEDS, BATCH_SIZE, 2, 5, 5)
            output, torch_output = ungrouped_layer(layer)(x)[seed], torch_layer(x[seed])
            assert torch.allclose(output, torch_output, atol=1e-12)
            weights = torch.randn_like(torch_output)
            gradient = torch.autograd.grad((weights * output).sum(), layer.weight.value)[0]
            expected = torch.autograd.grad((weights * torch_output).sum(), inner.original)[0]
            assert torch.allclose(gradient[seed], expected, atol=1e-12)
            assert not gradient[[s for s in range(NUM_SEEDS) if s != seed]].any()

    def test_update_singular_vectors_per_seed(self):
        layer = draw_parameters(SpectralWeight(torch.zeros(1, 4, 3, 1, 1)))
        u = layer.u.clone()
        layer.update_singular_vectors()
        for seed in range(NUM_SEEDS):
            matrix = layer.value[seed].flatten(1)
            v = matrix.T @ u[seed]
            v /= v.norm()
            expected = matrix @ v
            assert torch.allclose(layer.v[seed], v)
            assert torch.allclose(layer.u[seed], expected / expected.norm())


class TestEqualisedWeight:
    @pytest.mark.parametrize("lr_multiplier", [1.0, 0.01])
    def test_weights_have_variance_of_one_over_fan_in(self, lr_multiplier):
        initial = torch.randn(1, 200, 20, 3, 3)
        weight = EqualisedWeight(initial, lr_multiplier)
        torch.testing.assert_close(weight(), initial / (20 * 9) ** 0.5)

    def test_multiplier_scales_updates(self):
        """An update of the parameter by a learning rate moves the weight by r times as much."""
        moves = []
        for lr_multiplier in (1.0, 0.01):
            weight = EqualisedWeight(torch.randn(1, 5, 4), lr_multiplier)
            before = weight().clone()
            with torch.no_grad():
                weight.value.add_(0.1)
            moves.append((weight() - before).detach())
        torch.testing.assert_close(moves[1], 0.01 * moves[0])
