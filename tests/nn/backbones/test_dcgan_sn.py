"""The networks of `DCGANSN`: numbers of parameters and sizes of feature maps in the papers."""

import pytest
import torch

from iidgan.functional.gradient import input_gradient
from iidgan.nn import DCGANSN
from tests.helpers.backbones import BATCH_SIZE, count_parameters, spectral_layers


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


class TestDCGANSN:
    """IID-GAN (IJCAI 2023), Tables 7 and 8; latent dimension 128."""

    def test_table_7_generator_parameters(self):
        first = 128 * 1024 * 2 * 2
        inside = 16 * (1024 * 512 + 512 * 256 + 256 * 128)
        norms = 2 * (1024 + 512 + 256 + 128)
        expected = first + inside + norms + (16 * 128 * 3 + 3)
        assert count_parameters(DCGANSN().build_generator, (3, 32, 32)) == expected == 11_544_323

    def test_table_8_discriminator_and_inverse(self):
        convs = 25 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + (64 + 128 + 256 + 512)
        trunk = convs + 2 * (128 + 256 + 512)
        assert (
            count_parameters(DCGANSN().build_discriminator, (3, 32, 32))
            == trunk + 2048 + 1
            == 4_310_401
        )
        assert (
            count_parameters(DCGANSN().build_inverse, (3, 32, 32))
            == trunk + 128 * (2048 + 1)
            == 4_570_624
        )

    def test_table_8_layer_order(self):
        trunk = DCGANSN(width=1).build_discriminator((3, 32, 32)).trunk
        layer_types = [type(part).__name__ for part in trunk.layers]
        assert layer_types == [
            *("Conv2d", "LeakyReLU", "Identity"),
            *("Conv2d", "LeakyReLU", "BatchNorm") * 3,
        ]

    def test_table_8_spectral_norm_layers(self):
        net = DCGANSN(width=1).build_discriminator((3, 32, 32))
        assert len(spectral_layers(net)) == len(spectral_layers(net.trunk)) == 4
        assert len(spectral_layers(DCGANSN(width=1).build_inverse((3, 32, 32)))) == 4

    def test_batch_norm_zeroes_input_gradient(self):
        """Normalised last, at a single pixel, logits of a batch always have one sum.

        So the slope that a penalty sees is zero, whatever D does.
        """
        x = torch.randn(1, 6, 1, 16, 16)
        for norm, has_gradient in (("batch", False), ("none", True)):
            net = DCGANSN(latent=3, width=2, norm=norm).build_discriminator((1, 16, 16))
            assert (input_gradient(net, x).abs().max() > 1e-9) == has_gradient

    @pytest.mark.parametrize(("side", "inner"), [(28, 2), (32, 2), (48, 3), (64, 4)])
    def test_feature_sides_by_image_side(self, side, inner):
        x = torch.randn(1, BATCH_SIZE, 3, side, side)
        hidden = DCGANSN(width=1).build_discriminator((3, side, side)).features(x)
        assert hidden.shape == (1, BATCH_SIZE, 8, inner, inner)
