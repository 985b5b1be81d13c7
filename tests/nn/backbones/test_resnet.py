"""The networks of `ResNet`: numbers of parameters and sizes of feature maps in the papers."""

import pytest
import torch

from iidgan.nn import ResNet
from iidgan.nn.backbones.resnet import DownsamplingBlock, UpsamplingBlock
from iidgan.nn.layers.weight import Weight
from tests.helpers.backbones import BATCH_SIZE, count_parameters


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


class TestResNet:
    """SNGAN (Miyato et al., 2018), appendix B.4, and the authors' code for 64 pixels.

    Their G has three biases more in each block: 4,276,739 parameters at 32 pixels.
    """

    @staticmethod
    def up(before, count):
        """Parameters of a block of G: two norms, two convolutions, the shortcut's."""
        return 9 * (before + count) * count + before * count + 2 * (before + count)

    @staticmethod
    def down(before, count, *, first=False, same=False):
        inside = count if first else before
        convs = (9 * before + 1) * inside + (9 * inside + 1) * count
        return convs + (0 if same else (before + 1) * count)

    def test_parameter_counts_at_32_pixels(self):
        backbone, shape = ResNet(), (3, 32, 32)
        end = 2 * 256 + 9 * 256 * 3 + 3
        generator = (128 + 1) * 16 * 256 + 3 * self.up(256, 256) + end
        assert (
            count_parameters(backbone.build_generator, shape)
            == generator
            == 4_276_739 - 3 * 3 * 256
        )
        trunk = self.down(3, 128, first=True) + self.down(128, 128)
        trunk += 2 * self.down(128, 128, same=True)
        assert (
            count_parameters(backbone.build_discriminator, shape) == trunk + 128 + 1 == 1_053_825
        )
        assert count_parameters(backbone.build_inverse, shape) == trunk + 128 * (128 + 1)

    def test_parameter_counts_at_48_pixels(self):
        backbone, shape = ResNet(), (3, 48, 48)
        blocks = self.up(512, 256) + self.up(256, 128) + self.up(128, 64)
        generator = (128 + 1) * 36 * 512 + blocks + 2 * 64 + 9 * 64 * 3 + 3
        assert (
            count_parameters(backbone.build_generator, shape)
            == generator
            == 4_878_083 - 3 * (256 + 128 + 64)
        )
        trunk = self.down(3, 64, first=True)
        trunk += sum(self.down(64 * k, 128 * k) for k in (1, 2, 4, 8))
        assert (
            count_parameters(backbone.build_discriminator, shape) == trunk + 1024 + 1 == 10_141_441
        )

    def test_parameter_counts_at_64_pixels(self):
        backbone, shape = ResNet(), (3, 64, 64)
        blocks = sum(self.up(128 * k, 64 * k) for k in (8, 4, 2, 1))
        generator = (128 + 1) * 16 * 1024 + blocks + 2 * 64 + 9 * 64 * 3 + 3
        assert (
            count_parameters(backbone.build_generator, shape)
            == generator
            == 12_220_675 - 3 * (512 + 256 + 128 + 64)
        )
        assert count_parameters(backbone.build_discriminator, shape) == 10_141_441

    @pytest.mark.parametrize(("side", "inner"), [(32, 8), (48, 3), (64, 2)])
    def test_features_are_pixel_sums(self, side, inner):
        net = ResNet(width=1).build_discriminator((3, side, side))
        pool_calls = []
        net.trunk.layers[-1].register_forward_hook(lambda part, x, y: pool_calls.append((x[0], y)))
        net(torch.randn(1, BATCH_SIZE, 3, side, side))
        ((before, after),) = pool_calls
        assert before.shape[2:] == (inner, inner)
        torch.testing.assert_close(after[..., 0, 0], before.clamp_min(0).sum((2, 3)))

    def test_block_shortcuts_equal_paper(self):
        """There the mean comes after the convolution, and repetition before it."""
        down, up = (
            DownsamplingBlock(2, 5, downsample=True, is_first=False, make_weight=Weight),
            UpsamplingBlock(2, 5),
        )
        x = torch.randn(BATCH_SIZE, 2, 6, 6)
        for conv in (*down.convs, *up.convs):
            for parameter in conv.parameters():
                parameter.data.zero_()
        down.shortcut.bias.data.normal_()
        torch.testing.assert_close(down(x), torch.nn.functional.avg_pool2d(down.shortcut(x), 2))
        twice = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        torch.testing.assert_close(up(x), up.shortcut(twice))

    def test_downsampling_block_adds_residual(self):
        block, x = (
            DownsamplingBlock(3, 3, downsample=False, is_first=False, make_weight=Weight),
            torch.randn(BATCH_SIZE, 3, 4, 4),
        )
        first_conv, second_conv = block.convs
        torch.testing.assert_close(
            block(x), x + second_conv(first_conv(x.clamp_min(0)).clamp_min(0))
        )
