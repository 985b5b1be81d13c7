"""Layers for S seeds equal S ordinary layers; backbones have the shapes that they promise."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from iidgan.nn import DCGAN
from iidgan.nn.backbones.mlp import Perceptron
from iidgan.nn.layers.conv import BatchNorm, Conv2d, ConvTranspose2d, Dense, group, ungroup
from iidgan.nn.layers.linear import Linear, hidden_layers
from iidgan.nn.layers.weight import SpectralWeight

S, B = 3, 5

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def widen(module, seeds=S):
    """Gives every parameter and buffer random values for `seeds` seeds."""
    for part in module.modules():
        for name, value in part._parameters.items():
            if value is not None:
                part._parameters[name] = nn.Parameter(torch.randn(seeds, *value.shape[1:]))
        for name, value in part._buffers.items():
            part._buffers[name] = torch.rand(seeds, *value.shape[1:]) + 0.5
    return module


def grouped(module):
    """Lifts a layer in grouped layout to (S, B, C, H, W)."""
    return lambda x: ungroup(module(group(x)), len(x))


def assert_same_map(ours, parameters, twins, x, copy):
    """Compares values and all gradients of `ours` with those of one ordinary module per seed.

    Arguments:
        ours: Map of (S, B, ...).
        parameters: Our parameters by the name that the twins' have.
        twins: One ordinary module per seed.
        x: Inputs.
        copy: Turns one seed of our parameter `name` into what the twin has.
    """
    for seed, twin in enumerate(twins):
        with torch.no_grad():
            for name, value in parameters.items():
                twin.get_parameter(name).copy_(copy(name, value[seed]))
    x = x.requires_grad_()
    y = ours(x)
    weights = torch.randn_like(y)
    gradients = torch.autograd.grad((weights * y).sum(), [x, *parameters.values()])
    for seed, twin in enumerate(twins):
        theirs = twin(x[seed])
        assert torch.allclose(y[seed], theirs, rtol=1e-12, atol=1e-12)
        wanted = [x, *(twin.get_parameter(name) for name in parameters)]
        expected = torch.autograd.grad((weights[seed] * theirs).sum(), wanted)
        assert torch.allclose(gradients[0][seed], expected[0][seed], rtol=1e-12, atol=1e-12)
        for name, ours_, theirs_ in zip(parameters, gradients[1:], expected[1:]):
            assert torch.allclose(copy(name, ours_[seed]), theirs_, rtol=1e-11, atol=1e-11)


class TestLinear:
    def test_equals_one_linear_layer_per_seed(self):
        layer = widen(Linear(4, 6))
        assert_same_map(
            layer,
            {"weight": layer.weight.value, "bias": layer.bias},
            [nn.Linear(4, 6) for _ in range(S)],
            torch.randn(S, B, 4),
            lambda name, value: value.mT if name == "weight" else value[0],
        )

    def test_starts_like_an_ordinary_one(self):
        layer = Linear(100, 200)
        for value in (layer.weight.value, layer.bias):
            assert value.abs().max() <= 0.1
            assert value.abs().max() > 0.098
            assert value.mean().abs() < 0.02
        assert layer.weight.value.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.02)

    def test_perceptron_has_a_relu_after_each_layer_but_the_last(self):
        kinds = [type(layer) for layer in hidden_layers(2, (3, 4))]
        assert kinds == [Linear, nn.ReLU, Linear, nn.ReLU]
        for hidden, before in (((3, 4), kinds), ((), [])):
            net = Perceptron((2,), hidden, (5,))
            assert [type(layer) for layer in (*net.body, net.head.layer)] == [*before, Linear]


def as_is(name, value):
    return value


class TestGroupedLayers:
    def test_ungroup_undoes_group(self):
        x = torch.randn(S, B, 2, 4, 6)
        assert group(x).shape == (B, S * 2, 4, 6)
        assert torch.equal(ungroup(group(x), S), x)

    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 2, 1), (3, 1, 0), (3, 1, 1)])
    def test_convolution_equals_one_per_seed(self, kernel, stride, padding, bias):
        layer = widen(Conv2d(2, 4, kernel, stride=stride, padding=padding, bias=bias))
        parameters = {"weight": layer.weight.value} | ({"bias": layer.bias} if bias else {})
        twins = [nn.Conv2d(2, 4, kernel, stride, padding, bias=bias) for _ in range(S)]
        assert_same_map(grouped(layer), parameters, twins, torch.randn(S, B, 2, 7, 7), as_is)

    @pytest.mark.parametrize("bias", [True, False])
    def test_dense_layer_equals_one_linear_layer_per_seed(self, bias):
        layer = widen(Dense(2 * 3 * 3, 4, bias=bias))
        parameters = {"weight": layer.weight.value} | ({"bias": layer.bias} if bias else {})
        twins = [nn.Linear(2 * 3 * 3, 4, bias=bias) for _ in range(S)]
        assert_same_map(
            lambda x: grouped(layer)(x).flatten(2),
            {f"1.{name}": value for name, value in parameters.items()},
            [nn.Sequential(nn.Flatten(), twin) for twin in twins],
            torch.randn(S, B, 2, 3, 3),
            lambda name, value: value[0] if name == "1.bias" else value,
        )

    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize(
        ("kernel", "stride", "padding", "more"), [(4, 2, 1, 0), (4, 2, 1, 1), (3, 1, 0, 0)]
    )
    def test_transposed_convolution_equals_one_per_seed(self, kernel, stride, padding, more, bias):
        options = {"stride": stride, "padding": padding, "output_padding": more, "bias": bias}
        layer = widen(ConvTranspose2d(2, 4, kernel, **options))
        parameters = {"weight": layer.weight} | ({"bias": layer.bias} if bias else {})
        twins = [nn.ConvTranspose2d(2, 4, kernel, **options) for _ in range(S)]
        assert_same_map(grouped(layer), parameters, twins, torch.randn(S, B, 2, 3, 3), as_is)

    def test_batch_norm_equals_one_per_seed_in_training(self):
        layer = widen(BatchNorm(4))
        parameters = {"weight": layer.weight, "bias": layer.bias}
        twins = [nn.BatchNorm2d(4) for _ in range(S)]
        assert_same_map(grouped(layer), parameters, twins, torch.randn(S, B, 4, 3, 3), as_is)

    def test_batch_norm_equals_one_per_seed_in_evaluation(self):
        layer = widen(BatchNorm(4)).eval()
        twins = [nn.BatchNorm2d(4).eval() for _ in range(S)]
        for seed, twin in enumerate(twins):
            twin.running_mean.copy_(layer.mean[seed])
            twin.running_var.copy_(layer.var[seed])
        parameters = {"weight": layer.weight, "bias": layer.bias}
        assert_same_map(grouped(layer), parameters, twins, torch.randn(S, B, 4, 3, 3), as_is)

    def test_batch_norm_changes_nothing_in_a_forward_pass(self):
        layer = widen(BatchNorm(2))
        before = {name: value.clone() for name, value in layer.state_dict().items()}
        layer(torch.randn(B, S * 2, 3, 3))
        assert all(torch.equal(before[name], value) for name, value in layer.state_dict().items())

    def test_batch_norm_stands_on_its_moments(self):
        """With the moments of a batch it normalises that batch as in training."""
        layer, x = widen(BatchNorm(2)), 3 + 2 * torch.randn(B, S * 2, 4, 4)
        expected = layer(x)
        layer.stand(*layer.moments(x))
        assert torch.allclose(layer.eval()(x), expected, atol=1e-12)
        assert torch.allclose(layer.mean, x.mean((0, 2, 3)).view(S, 2))
        variance = x.var((0, 2, 3), correction=0).view(S, 2)
        assert torch.allclose(layer.var, variance, rtol=1e-10)

    def test_batch_norm_of_a_constant_is_finite(self):
        """In float32 the variance of a large constant rounds to less than zero."""
        layer, x = BatchNorm(1).float().eval(), torch.full((7, 1, 3, 3), 1234.567).float()
        mean, square = layer.moments(x)
        layer.stand(mean, square * (1 - 1e-6))
        assert (layer.var >= 0).all()
        assert layer(x).isfinite().all()

    @pytest.mark.parametrize("px", [8, 28])
    @pytest.mark.parametrize("role", ["generator", "discriminator"])
    def test_a_seed_that_is_not_finite_does_not_spread_in_float32(self, role, px):
        """Kernels may pad and block channels; what is not finite must stay in its group."""
        backbone, shape = DCGAN(latent=4, width=4, spectral_norm=True), (1, px, px)
        net = widen(getattr(backbone, role)(shape)).float()
        x = torch.randn(S, B, *((4,) if role == "generator" else shape)).float()
        healthy = net(x)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter[0] = torch.nan
        spoilt = net(x)
        assert spoilt[0].isnan().all()
        assert torch.equal(spoilt[1:], healthy[1:])
        gradients = torch.autograd.grad(spoilt.sum(), list(net.parameters()))
        assert all(gradient[1:].isfinite().all() for gradient in gradients)


class TestSpectralWeight:
    def test_sigma_tends_to_the_largest_singular_value_of_each_seed(self):
        layer = widen(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        norm = torch.linalg.matrix_norm(layer.value.flatten(2), ord=2)
        errors = []
        for _ in range(3):
            for _ in range(100):
                layer.iterate()
            sigma = torch.linalg.matrix_norm(layer().flatten(2), ord=2)
            errors.append((sigma - 1).abs().max().item())
        assert errors == sorted(errors, reverse=True)
        assert errors[-1] < 1e-6
        assert torch.allclose(layer.value / layer(), norm.view(S, 1, 1, 1, 1), rtol=1e-5)

    def test_sigma_is_never_more_than_the_largest_singular_value(self):
        layer = widen(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        layer.iterate()
        norm = torch.linalg.matrix_norm(layer.value.flatten(2), ord=2)
        sigma = (layer.value / layer())[:, 0, 0, 0, 0]
        assert (sigma <= norm + 1e-12).all()
        assert (sigma > 0).all()

    def test_sigma_keeps_its_digits_where_networks_compute_in_half_precision(self):
        layer = widen(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = layer()
        assert torch.equal(rough, layer())

    def test_vectors_are_unit_vectors_from_the_start(self):
        layer = SpectralWeight(torch.randn(1, 6, 2, 3, 3))
        for vector in (layer.u, layer.v):
            assert torch.allclose(vector.norm(dim=1), torch.ones(1, 1))

    def test_a_forward_pass_changes_nothing(self):
        layer = widen(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        before = layer.u.clone(), layer.v.clone()
        layer.train()()
        assert torch.equal(layer.u, before[0])
        assert torch.equal(layer.v, before[1])

    def test_equals_the_ordinary_one_with_the_same_vectors(self):
        layer = Conv2d(2, 6, 3, weight=SpectralWeight)
        widen(layer)
        for _ in range(3):
            layer.weight.iterate()
        for seed in range(S):
            twin = parametrizations.spectral_norm(nn.Conv2d(2, 6, 3)).eval()
            inner = twin.parametrizations.weight
            with torch.no_grad():
                inner.original.copy_(layer.weight.value[seed])
                inner[0]._u.copy_(layer.weight.u[seed, :, 0])
                inner[0]._v.copy_(layer.weight.v[seed, :, 0])
                twin.bias.copy_(layer.bias[seed])
            x = torch.randn(S, B, 2, 5, 5)
            ours, theirs = grouped(layer)(x)[seed], twin(x[seed])
            assert torch.allclose(ours, theirs, atol=1e-12)
            weights = torch.randn_like(theirs)
            gradient = torch.autograd.grad((weights * ours).sum(), layer.weight.value)[0]
            expected = torch.autograd.grad((weights * theirs).sum(), inner.original)[0]
            assert torch.allclose(gradient[seed], expected, atol=1e-12)
            assert not gradient[[s for s in range(S) if s != seed]].any()

    def test_refresh_is_one_power_iteration_per_seed(self):
        layer = widen(SpectralWeight(torch.zeros(1, 4, 3, 1, 1)))
        u = layer.u.clone()
        layer.iterate()
        for seed in range(S):
            matrix = layer.value[seed].flatten(1)
            v = matrix.T @ u[seed]
            v /= v.norm()
            expected = matrix @ v
            assert torch.allclose(layer.v[seed], v)
            assert torch.allclose(layer.u[seed], expected / expected.norm())
