"""Convolutional layers in grouped layout."""

import pytest
import torch
from torch import nn

from iidgan.nn import DCGAN
from iidgan.nn.layers.conv import (
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Dense,
    group_seeds,
    ungroup_seeds,
)
from tests.helpers.layers import (
    BATCH_SIZE,
    NUM_SEEDS,
    assert_same_map,
    draw_parameters,
    keep_value,
    ungrouped_layer,
)

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


class TestGroupedLayout:
    def test_ungroup_seeds_inverts_group_seeds(self):
        x = torch.randn(NUM_SEEDS, BATCH_SIZE, 2, 4, 6)
        assert group_seeds(x).shape == (BATCH_SIZE, NUM_SEEDS * 2, 4, 6)
        assert torch.equal(ungroup_seeds(group_seeds(x), NUM_SEEDS), x)

    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 2, 1), (3, 1, 0), (3, 1, 1)])
    def test_conv2d_equals_torch_per_seed(self, kernel, stride, padding, bias):
        layer = draw_parameters(Conv2d(2, 4, kernel, stride=stride, padding=padding, bias=bias))
        parameters = {"weight": layer.weight.value} | ({"bias": layer.bias} if bias else {})
        twins = [nn.Conv2d(2, 4, kernel, stride, padding, bias=bias) for _ in range(NUM_SEEDS)]
        assert_same_map(
            ungrouped_layer(layer),
            parameters,
            twins,
            torch.randn(NUM_SEEDS, BATCH_SIZE, 2, 7, 7),
            keep_value,
        )

    def test_conv2d_with_groups_equals_torch_per_seed(self):
        layer = draw_parameters(Conv2d(6, 4, 3, padding=1, groups=2))
        assert_same_map(
            ungrouped_layer(layer),
            {"weight": layer.weight.value, "bias": layer.bias},
            [nn.Conv2d(6, 4, 3, padding=1, groups=2) for _ in range(NUM_SEEDS)],
            torch.randn(NUM_SEEDS, BATCH_SIZE, 6, 5, 7),
            keep_value,
        )

    @pytest.mark.parametrize("bias", [True, False])
    def test_dense_equals_linear_per_seed(self, bias):
        layer = draw_parameters(Dense(2 * 3 * 3, 4, bias=bias))
        parameters = {"weight": layer.weight.value} | ({"bias": layer.bias} if bias else {})
        twins = [nn.Linear(2 * 3 * 3, 4, bias=bias) for _ in range(NUM_SEEDS)]
        assert_same_map(
            lambda x: ungrouped_layer(layer)(x).flatten(2),
            {f"1.{name}": value for name, value in parameters.items()},
            [nn.Sequential(nn.Flatten(), twin) for twin in twins],
            torch.randn(NUM_SEEDS, BATCH_SIZE, 2, 3, 3),
            lambda name, value: value[0] if name == "1.bias" else value,
        )

    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize(
        ("kernel", "stride", "padding", "more"), [(4, 2, 1, 0), (4, 2, 1, 1), (3, 1, 0, 0)]
    )
    def test_conv_transpose2d_equals_torch_per_seed(self, kernel, stride, padding, more, bias):
        options = {"stride": stride, "padding": padding, "output_padding": more, "bias": bias}
        layer = draw_parameters(ConvTranspose2d(2, 4, kernel, **options))
        parameters = {"weight": layer.weight} | ({"bias": layer.bias} if bias else {})
        twins = [nn.ConvTranspose2d(2, 4, kernel, **options) for _ in range(NUM_SEEDS)]
        assert_same_map(
            ungrouped_layer(layer),
            parameters,
            twins,
            torch.randn(NUM_SEEDS, BATCH_SIZE, 2, 3, 3),
            keep_value,
        )

    def test_batch_norm_training_equals_torch(self):
        layer = draw_parameters(BatchNorm(4))
        parameters = {"weight": layer.weight, "bias": layer.bias}
        twins = [nn.BatchNorm2d(4) for _ in range(NUM_SEEDS)]
        assert_same_map(
            ungrouped_layer(layer),
            parameters,
            twins,
            torch.randn(NUM_SEEDS, BATCH_SIZE, 4, 3, 3),
            keep_value,
        )

    def test_batch_norm_evaluation_equals_torch(self):
        layer = draw_parameters(BatchNorm(4)).eval()
        twins = [nn.BatchNorm2d(4).eval() for _ in range(NUM_SEEDS)]
        for seed, twin in enumerate(twins):
            twin.running_mean.copy_(layer.mean[seed])
            twin.running_var.copy_(layer.var[seed])
        parameters = {"weight": layer.weight, "bias": layer.bias}
        assert_same_map(
            ungrouped_layer(layer),
            parameters,
            twins,
            torch.randn(NUM_SEEDS, BATCH_SIZE, 4, 3, 3),
            keep_value,
        )

    def test_batch_norm_forward_changes_nothing(self):
        layer = draw_parameters(BatchNorm(2))
        before = {name: value.clone() for name, value in layer.state_dict().items()}
        layer(torch.randn(BATCH_SIZE, NUM_SEEDS * 2, 3, 3))
        assert all(torch.equal(before[name], value) for name, value in layer.state_dict().items())

    def test_batch_norm_standing_statistics(self):
        """With the moments of a batch it normalises that batch as in training."""
        layer, x = (
            draw_parameters(BatchNorm(2)),
            3 + 2 * torch.randn(BATCH_SIZE, NUM_SEEDS * 2, 4, 4),
        )
        expected = layer(x)
        layer.set_statistics(*layer.batch_moments(x))
        assert torch.allclose(layer.eval()(x), expected, atol=1e-12)
        assert torch.allclose(layer.mean, x.mean((0, 2, 3)).view(NUM_SEEDS, 2))
        variance = x.var((0, 2, 3), correction=0).view(NUM_SEEDS, 2)
        assert torch.allclose(layer.var, variance, rtol=1e-10)

    def test_batch_norm_of_constant_is_finite(self):
        """In float32 the variance of a large constant rounds to less than zero."""
        layer, x = BatchNorm(1).float().eval(), torch.full((7, 1, 3, 3), 1234.567).float()
        mean, square = layer.batch_moments(x)
        layer.set_statistics(mean, square * (1 - 1e-6))
        assert (layer.var >= 0).all()
        assert layer(x).isfinite().all()

    @pytest.mark.parametrize("px", [8, 28])
    @pytest.mark.parametrize("role", ["generator", "discriminator"])
    def test_nonfinite_seed_stays_in_its_group(self, role, px):
        """Kernels may pad and block channels; what is not finite must stay in its group."""
        backbone, shape = DCGAN(latent=4, width=4, spectral_norm=True), (1, px, px)
        net = draw_parameters(getattr(backbone, f"build_{role}")(shape)).float()
        x = torch.randn(NUM_SEEDS, BATCH_SIZE, *((4,) if role == "generator" else shape)).float()
        healthy = net(x)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter[0] = torch.nan
        spoilt = net(x)
        assert spoilt[0].isnan().all()
        assert torch.equal(spoilt[1:], healthy[1:])
        gradients = torch.autograd.grad(spoilt.sum(), list(net.parameters()))
        assert all(gradient[1:].isfinite().all() for gradient in gradients)


def test_batch_norm_of_bfloat16_has_float32_statistics():
    """From 256 on, bfloat16 has even numbers only: the mean of 256 and 258 is none of them."""
    norm = BatchNorm(1).float()
    nn.init.ones_(norm.weight)
    x = torch.tensor([256.0, 258.0] * 8, dtype=torch.bfloat16).view(-1, 1, 1, 1)
    with torch.autocast("cpu", torch.bfloat16):
        y = norm(x)
    assert y.dtype == torch.bfloat16
    assert y.flatten().tolist() == [-1.0, 1.0] * 8
