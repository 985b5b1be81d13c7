"""The networks of R3GAN: parameters layer by layer, and Fixup initialisation."""

import pytest
import torch
from torch import nn
from torch.nn.functional import leaky_relu

from iidgan.core import NetworkFactory
from iidgan.methods import r3gan
from iidgan.nn import R3GANNet
from iidgan.nn.backbones.r3gan import (
    DiscriminativeBasis,
    GenerativeBasis,
    InvertedBottleneck,
    Resample,
)
from iidgan.nn.init import he_normal
from iidgan.nn.layers.conv import group_seeds, ungroup_seeds
from iidgan.nn.layers.resample import downsample, upsample
from iidgan.testing import check_compiled, check_method
from tests.helpers.backbones import count_parameters
from tests.helpers.layers import BATCH_SIZE, NUM_SEEDS, draw_parameters, ungrouped_layer

SMALL = NetworkFactory(R3GANNet(latent=3, width=2, blocks=1), (1, 8, 8))


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


class TestParameterCounts:
    @staticmethod
    def block(channels, hidden, group_size=16):
        """Kernels of 1, of 3 in groups, and of 1; biases before activations."""
        return 2 * channels * hidden + 9 * hidden * group_size + 2 * hidden

    def test_parameter_counts_at_32_pixels(self):
        """The widths of the paper for CIFAR-10: 768 everywhere, two blocks of each size."""
        backbone, shape = R3GANNet(width=768), (3, 32, 32)
        blocks = 8 * self.block(768, 1536)
        generator = 64 * 768 + 16 * 768 + blocks + 768 * 3
        assert count_parameters(backbone.build_generator, shape) == generator
        trunk = 3 * 768 + blocks + 16 * 768
        assert count_parameters(backbone.build_discriminator, shape) == trunk + 768 + 1

    def test_parameter_counts_with_changing_widths(self):
        backbone, shape = R3GANNet(latent=5, width=16, max_width=32, blocks=1), (1, 28, 28)
        generator = 5 * 32 + 7 * 7 * 32 + 2 * self.block(32, 64) + 32 * 16
        generator += self.block(16, 32) + 16
        assert count_parameters(backbone.build_generator, shape) == generator


def test_block_equals_torch_per_seed():
    block = draw_parameters(InvertedBottleneck(8, expansion=4, num_blocks=1))
    x = torch.randn(NUM_SEEDS, BATCH_SIZE, 8, 5, 6)
    outputs = ungrouped_layer(block)(x)
    for seed in range(NUM_SEEDS):
        hidden = x[seed]
        for conv, padding, groups in zip(block.convs, (0, 1, 0), (1, 2, 1)):
            bias = None if conv.bias is None else conv.bias[seed]
            hidden = nn.functional.conv2d(
                hidden, conv.weight()[seed], bias, padding=padding, groups=groups
            )
            hidden = hidden if bias is None else leaky_relu(hidden, 0.2)
        torch.testing.assert_close(outputs[seed], x[seed] + hidden)


def test_blocks_are_the_identity_at_the_start():
    x = torch.randn(2, 8, 5, 5)
    assert torch.equal(InvertedBottleneck(8, expansion=2, num_blocks=3)(x), x)


def test_first_convolutions_shrink_with_the_number_of_blocks():
    block = InvertedBottleneck(64, expansion=2, num_blocks=16)
    for conv in block.convs[:2]:
        fan_in = conv.weight().shape[2:].numel()
        expected = 16**-0.25 * (2 / (1.04 * fan_in)) ** 0.5
        assert conv.weight().std().item() == pytest.approx(expected, rel=0.05)


def test_he_normal_keeps_the_scale_of_activations():
    weight = he_normal(1, 500, 200, negative_slope=0.2)[0]
    hidden = leaky_relu(torch.randn(1000, 200) @ weight.T, 0.2)
    assert hidden.square().mean().item() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("out_channels", [3, 4])
def test_resampling_before_or_after_the_convolution(up, out_channels):
    layer = Resample(3, out_channels, up=up)
    x = torch.randn(2, 3, 6, 8)
    expected = upsample(layer.conv(x)) if up else downsample(layer.conv(x))
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer(x), layer.conv(upsample(x) if up else downsample(x)))


def test_learned_bases_per_seed():
    generative = draw_parameters(GenerativeBasis(2, 3, (4, 5)))
    z = torch.randn(NUM_SEEDS, BATCH_SIZE, 2)
    images = ungroup_seeds(generative(group_seeds(z[..., None, None])), NUM_SEEDS)
    coefficients = torch.einsum("sbm,scm->sbc", z, generative.linear.weight())
    expected = torch.einsum("sbc,schw->sbchw", coefficients, generative.basis)
    torch.testing.assert_close(images, expected)

    def make_weight(value):
        return lambda: value

    weight = torch.randn(NUM_SEEDS, 3, 4, 5)
    discriminative = DiscriminativeBasis(3, (4, 5), make_weight)
    discriminative.weight = make_weight(weight)
    sums = ungroup_seeds(discriminative(group_seeds(images)), NUM_SEEDS)[..., 0, 0]
    torch.testing.assert_close(sums, torch.einsum("sbchw,schw->sbc", images, weight))


def test_initial_scale_of_samples_and_features():
    """Activations neither shrink nor grow; samples of one colour, as filters keep no noise."""
    backbone, shape = R3GANNet(latent=32, width=32, max_width=32), (3, 16, 16)
    samples = backbone.build_generator(shape)(torch.randn(1, 64, 32))
    assert 0.2 < samples.square().mean() < 2
    x = torch.randn(1, 64, 3, 1, 1).expand(-1, -1, *shape)
    assert 0.3 < backbone.build_discriminator(shape).features(x).square().mean() < 3


@pytest.mark.slow
def test_check_method_and_capture_with_both_penalties():
    check_method(r3gan(), SMALL)
    check_compiled(r3gan(), SMALL, seeds=(0, 1), generate=False)
