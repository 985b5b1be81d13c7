"""Modulated convolutions beside their definition, one sample at a time."""

import pytest
import torch
from torch.nn.functional import conv2d

from iidgan.nn.layers.conv import group_seeds, ungroup_seeds
from iidgan.nn.layers.modulated_conv import ModulatedConv2d
from iidgan.nn.layers.resample import upsample
from tests.helpers.layers import BATCH_SIZE, NUM_SEEDS, draw_parameters


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


def convolve_each_sample(layer, x, styles, *, doubled=False, demodulated=True):
    """Convolve images (S, B, C, H, W), each by the weight of its style."""
    outputs = torch.empty(*x.shape[:2], layer.weight().shape[1], *x.shape[3:])
    outputs = upsample(outputs.flatten(0, 1)).unflatten(0, x.shape[:2]) if doubled else outputs
    for seed, sample in torch.cartesian_prod(torch.arange(len(x)), torch.arange(x.shape[1])):
        scales = layer.affine(styles)[seed, sample]
        weight = scales[:, None, None] * layer.weight()[seed]
        if demodulated:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        image = x[seed, sample][None]
        image = upsample(image) if doubled else image
        outputs[seed, sample] = conv2d(image, weight, padding=weight.shape[-1] // 2)[0]
    return outputs


@pytest.mark.parametrize(
    "options", [{}, {"demodulate": False, "kernel_size": 1}, {"upsample": True}], ids=str
)
def test_modulated_conv_equals_its_definition(options):
    layer = draw_parameters(ModulatedConv2d(3, 4, style_dim=5, **options))
    x, styles = torch.randn(NUM_SEEDS, BATCH_SIZE, 3, 6, 8), torch.randn(NUM_SEEDS, BATCH_SIZE, 5)
    outputs = ungroup_seeds(layer(group_seeds(x), styles), NUM_SEEDS)
    expected = convolve_each_sample(
        layer,
        x,
        styles,
        doubled="upsample" in options,
        demodulated="demodulate" not in options,
    )
    assert outputs.shape == expected.shape
    # Upsampling first cuts what the filter spreads beyond the image.
    inside = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(outputs[inside], expected[inside])


@pytest.mark.parametrize("upsampled", [False, True])
def test_modulated_conv_keeps_unit_variance(upsampled):
    layer = ModulatedConv2d(32, 64, style_dim=16, upsample=upsampled)
    x, styles = torch.randn(8, 32, 12, 12), 5 * torch.randn(1, 8, 16)
    variance = layer(x, styles)[..., 2:-2, 2:-2].var()
    # Of independent pixels, upsampling keeps (1² + 3²)² / 4⁴ of the variance.
    assert abs(variance / ((10 / 16) ** 2 if upsampled else 1) - 1) < 0.1


def test_modulated_conv_ignores_the_scale_of_its_scales():
    layer = ModulatedConv2d(3, 4, style_dim=2)
    x, styles = torch.randn(2, 3, 5, 5), torch.randn(1, 2, 2)
    outputs = layer(x, styles)
    with torch.no_grad():
        for parameter in layer.affine.parameters():
            parameter.mul_(7)
    torch.testing.assert_close(layer(x, styles), outputs, rtol=1e-6, atol=1e-6)


def test_modulated_conv_gradients():
    layer = ModulatedConv2d(2, 2, style_dim=2, upsample=True)
    x = torch.randn(1, 2, 3, 3, requires_grad=True)
    styles = torch.randn(1, 1, 2, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, (x, styles))
