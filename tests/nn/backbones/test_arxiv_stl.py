"""The networks of `ArxivSTL`: numbers of parameters and sizes of feature maps in the papers."""

import pytest
import torch

from iidgan.nn import ArxivSTL
from iidgan.nn.backbones.arxiv_stl import ResidualBlock
from tests.helpers.backbones import BATCH_SIZE, count_parameters


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


class TestArxivSTL:
    """IID-GAN (arXiv, 2021), Tables 12 to 14; InvertGAN, Tables 3 and 4; latent dimension 20."""

    @staticmethod
    def block(before, count):
        inside = min(before, count)
        shortcut = 0 if before == count else before * count
        return (9 * before + 1) * inside + (9 * inside + 1) * count + shortcut

    def test_table_12_generator_parameters(self):
        blocks = [(512, 256), (256, 128), (128, 64), (64, 64)]
        expected = (20 + 1) * 8192 + sum(self.block(*pair) for pair in blocks) + 9 * 64 * 3 + 3
        assert count_parameters(ArxivSTL().build_generator, (3, 32, 32)) == expected == 2_742_979

    def test_table_13_inverse_parameters(self):
        blocks = [(64, 64), (64, 128), (128, 256), (256, 512)]
        trunk = 9 * 3 * 64 + 64 + sum(self.block(*pair) for pair in blocks)
        expected = trunk + (4 * 4 * 512 + 1) * 20
        assert count_parameters(ArxivSTL().build_inverse, (3, 32, 32)) == expected == 2_735_316

    def test_table_14_discriminator_parameters(self):
        blocks = [(64, 64), (64, 128), (128, 256)]
        trunk = 9 * 3 * 64 + 64 + sum(self.block(*pair) for pair in blocks)
        expected = trunk + (8 * 8 * 256 + 1) * 10 + 10 + 1
        assert count_parameters(ArxivSTL().build_discriminator, (3, 32, 32)) == expected == 834_005

    def test_block_output_sizes(self):
        backbone, shape, x = ArxivSTL(width=1), (3, 32, 32), torch.randn(1, BATCH_SIZE, 3, 32, 32)

        def block_output_sizes(net, x):
            sides = []
            for part in net.modules():
                if isinstance(part, ResidualBlock):
                    part.register_forward_hook(lambda part, x, y: sides.append(y.shape[1:3]))
            net(x)
            return [tuple(each_backbone) for each_backbone in sides]

        halved = [(1, 32), (2, 16), (4, 8), (8, 4)]
        assert block_output_sizes(backbone.build_inverse(shape), x) == halved
        assert block_output_sizes(backbone.build_discriminator(shape), x) == halved[:3]
        z = torch.randn(1, BATCH_SIZE, 20)
        assert block_output_sizes(backbone.build_generator(shape), z) == [
            (4, 4),
            (2, 8),
            (1, 16),
            (1, 32),
        ]

    def test_residual_block_adds_scaled_residual(self):
        block, x = ResidualBlock(3, 3), torch.randn(BATCH_SIZE, 3, 4, 4)
        first_conv, second_conv = block.convs
        leaky_relu = lambda x: torch.where(x > 0, x, 0.2 * x)  # noqa: E731
        torch.testing.assert_close(
            block(x), x + 0.1 * second_conv(leaky_relu(first_conv(leaky_relu(x))))
        )

    def test_networks_keep_samples_independent(self):
        backbone, shape, x = ArxivSTL(width=2), (3, 32, 32), torch.randn(1, 6, 3, 32, 32)
        for net in (backbone.build_inverse(shape), backbone.build_discriminator(shape)):
            torch.testing.assert_close(net(x)[:, :2], net(x[:, :2]))
