"""The networks of `SNGANCNN`: numbers of parameters and sizes of feature maps in the papers."""

import pytest
import torch

from iidgan.nn import SNGANCNN
from tests.helpers.backbones import (
    BATCH_SIZE,
    BUILDERS,
    conv_layers,
    count_parameters,
    feature_map_sizes,
)


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


class TestSNGANCNN:
    """IID-GAN (IJCAI 2023), Tables 9 and 10; latent dimension 128."""

    def test_table_9_generator_parameters(self):
        first = (128 + 1) * 8 * 8 * 512
        inside = 16 * (512 * 256 + 256 * 128 + 128 * 64) + 2 * (256 + 128 + 64)
        expected = first + inside + 9 * 64 * 3 + 3
        assert count_parameters(SNGANCNN().build_generator, (3, 64, 64)) == expected == 6_982_211

    def test_table_10_discriminator_and_inverse(self):
        threes = 9 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
        fours = 16 * (64 * 64 + 128 * 128 + 256 * 256)
        trunk = threes + fours + (64 + 64 + 128 + 128 + 256 + 256 + 512)
        flat = 8 * 8 * 512
        assert (
            count_parameters(SNGANCNN().build_discriminator, (3, 64, 64))
            == trunk + flat + 1
            == 2_960_449
        )
        assert (
            count_parameters(SNGANCNN().build_inverse, (3, 64, 64))
            == trunk + 128 * (flat + 1)
            == 7_122_112
        )

    def test_tables_9_and_10_sizes(self):
        """The sides of Tables 9 and 10 on the way, at a width of 1 for 64."""
        G, D = (
            BUILDERS[name](SNGANCNN(width=1), (3, 64, 64)) for name in ("generator", "spectral")
        )
        sizes = feature_map_sizes(G, torch.randn(1, BATCH_SIZE, 128))
        assert sizes == [(8, 8), (4, 16), (2, 32), (1, 64), (3, 64)]
        sizes = feature_map_sizes(D, torch.randn(1, BATCH_SIZE, 3, 64, 64))
        assert sizes == [(1, 64), (1, 32), (2, 32), (2, 16), (4, 16), (4, 8), (8, 8)]

    def test_discriminator_keeps_samples_independent(self):
        net, x = SNGANCNN(width=2).build_discriminator((1, 16, 16)), torch.randn(1, 6, 1, 16, 16)
        assert torch.allclose(net(x)[:, :2], net(x[:, :2]), rtol=1e-9)

    def test_discriminator_is_not_homogeneous(self):
        """It could not tell a bright image from a dim one by a threshold."""
        net, x = SNGANCNN(width=2).build_discriminator((1, 16, 16)), torch.randn(1, 6, 1, 16, 16)
        for part in conv_layers(net):
            part.bias.data.normal_()
        assert not torch.allclose(net(2 * x), 2 * net(x), rtol=1e-2)
