"""The networks of `ArxivCIFAR`: numbers of parameters and sizes of feature maps in the papers."""

import pytest
import torch
from torch import nn

from iidgan.nn import (
    ArxivCIFAR,
)
from iidgan.nn.layers.conv import BatchNorm
from tests.helpers.backbones import BATCH_SIZE, count_parameters, feature_map_sizes


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


class TestArxivCIFAR:
    """IID-GAN (arXiv, 2021), Tables 9, 10 and 11; latent dimension 100."""

    def test_table_9_inverse_parameters(self):
        convs = 16 * (3 * 64 + 64 * 128) + 9 * 128 * 256 + 2 * (64 + 128 + 256)
        expected = convs + (8 * 8 * 256 + 1) * 100
        assert count_parameters(ArxivCIFAR().build_inverse, (3, 32, 32)) == expected == 2_068_452

    def test_table_10_generator_parameters(self):
        first = 100 * 16_384 + 2 * 16_384
        convs = 9 * 256 * 128 + 16 * (128 * 64 + 64 * 3) + 2 * (128 + 64 + 3)
        assert (
            count_parameters(ArxivCIFAR().build_generator, (3, 32, 32))
            == first + convs
            == 2_100_614
        )

    def test_table_11_discriminator_parameters(self):
        convs = 16 * (3 * 64 + 64 * 128 + 128 * 256) + 64 + 2 * (128 + 256)
        expected = convs + 4 * 4 * 256 + 1
        assert (
            count_parameters(ArxivCIFAR().build_discriminator, (3, 32, 32)) == expected == 663_361
        )

    def test_feature_map_sizes_of_tables(self):
        backbone, shape = ArxivCIFAR(width=1), (3, 32, 32)
        x = torch.randn(1, BATCH_SIZE, *shape)
        assert feature_map_sizes(
            backbone.build_generator(shape), torch.randn(1, BATCH_SIZE, 100)
        ) == [*((4, 8), (2, 8), (1, 16), (3, 32))]
        assert feature_map_sizes(backbone.build_discriminator(shape), x) == [
            (1, 16),
            (2, 8),
            (4, 4),
        ]
        assert feature_map_sizes(backbone.build_inverse(shape), x) == [(1, 16), (2, 8), (4, 8)]

    def test_layer_order_of_tables(self):
        def layer_types(net):
            kinds = nn.ReLU | nn.LeakyReLU | BatchNorm
            return [type(part).__name__ for part in net.modules() if isinstance(part, kinds)]

        backbone, shape = ArxivCIFAR(width=1), (3, 32, 32)
        assert layer_types(backbone.build_inverse(shape)) == ["BatchNorm", "ReLU"] * 3
        assert layer_types(backbone.build_generator(shape)) == [
            *["BatchNorm", "ReLU"] * 3,
            "BatchNorm",
        ]
        inside = ["BatchNorm", "LeakyReLU"]
        assert layer_types(backbone.build_discriminator(shape)) == ["LeakyReLU", *inside * 2]
