"""The networks of `MnistNet`: numbers of parameters and sizes of feature maps in the papers."""

import pytest
import torch

from iidgan.nn import MnistNet
from tests.helpers.backbones import BATCH_SIZE, count_parameters, feature_map_sizes


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


class TestMnistNet:
    """InfoGAN (Chen et al., 2016), appendix C.1; latent dimension 2."""

    def test_generator_parameter_count(self):
        linear = 2 * 1024 + 2 * 1024 + 1024 * 6272 + 2 * 6272
        expected = linear + 16 * 128 * 64 + 2 * 64 + 16 * 64 + 1
        assert count_parameters(MnistNet().build_generator, (1, 28, 28)) == expected == 6_571_393

    def test_discriminator_and_inverse_parameter_counts(self):
        convs = 16 * 64 + 64 + 16 * 64 * 128 + 2 * 128
        trunk = convs + 6272 * 1024 + 2 * 1024
        assert (
            count_parameters(MnistNet().build_discriminator, (1, 28, 28))
            == trunk + 1024 + 1
            == 6_558_017
        )
        assert count_parameters(MnistNet().build_inverse, (1, 28, 28)) == trunk + 2 * (1024 + 1)

    def test_feature_map_sizes_of_table(self):
        backbone, shape = MnistNet(width=1), (1, 28, 28)
        sizes = feature_map_sizes(
            backbone.build_discriminator(shape), torch.randn(1, BATCH_SIZE, *shape)
        )
        assert sizes == [(1, 14), (2, 7)]
        sizes = feature_map_sizes(backbone.build_generator(shape), torch.randn(1, BATCH_SIZE, 2))
        assert sizes == [(2, 7), (1, 14), (1, 28)]
