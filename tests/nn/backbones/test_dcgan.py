"""The networks of `DCGAN`: numbers of parameters and sizes of feature maps in the papers."""

import pytest
import torch

from iidgan.core import HasPostUpdate
from iidgan.nn import DCGAN
from iidgan.nn.layers.conv import BatchNorm
from iidgan.nn.layers.weight import SpectralWeight, Weight
from tests.helpers.backbones import BATCH_SIZE, conv_layers, count_parameters, spectral_layers


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


class TestDCGAN:
    def test_parameter_counts_at_28_pixels(self):
        """The innermost feature map is 3 x 3; kernels inside are 4 x 4."""
        backbone = DCGAN(latent=64, width=64)
        inside = 16 * (64 * 128 + 128 * 256)
        generator = 64 * 256 * 9 + inside + (16 * 64 + 1) + 2 * (256 + 128 + 64)
        assert count_parameters(backbone.build_generator, (1, 28, 28)) == generator == 804_737
        trunk = (16 * 64 + 64) + inside + 2 * (128 + 256)
        assert (
            count_parameters(backbone.build_discriminator, (1, 28, 28))
            == trunk + 256 * 9 + 1
            == 659_521
        )
        assert (
            count_parameters(backbone.build_inverse, (1, 28, 28))
            == trunk + 64 * (256 * 9 + 1)
            == 804_736
        )
        latent = (64 * 1024 + 1024) + (1024 * 1024 + 1024) + (1024 + 1)
        assert count_parameters(backbone.build_latent_discriminator) == latent

    def test_parameter_counts_at_64_pixels(self):
        """Radford et al., Fig. 1, at half the width, as in PyTorch's example of DCGAN.

        That has 3,576,704 and 2,765,568; ours are more by the biases of the layers next to the
        image and of the logit.
        """
        backbone, shape = DCGAN(latent=100, width=64), (3, 64, 64)
        assert count_parameters(backbone.build_generator, shape) == 3_576_704 + 3
        assert count_parameters(backbone.build_discriminator, shape) == 2_765_568 + 64 + 1

    @pytest.mark.parametrize(
        ("side", "halvings", "inner"),
        [(8, 3, 1), (28, 3, 3), (32, 3, 4), (48, 3, 6), (64, 4, 4), (96, 4, 6), (128, 5, 4)],
    )
    def test_feature_sides_by_image_side(self, side, halvings, inner):
        shape, backbone = (1, side, side), DCGAN(latent=3, width=1)
        hidden = backbone.build_discriminator(shape).features(torch.randn(1, BATCH_SIZE, *shape))
        assert hidden.shape == (1, BATCH_SIZE, 2 ** (halvings - 1), inner, inner)
        assert backbone.build_generator(shape)(torch.randn(1, BATCH_SIZE, 3)).shape == (
            1,
            BATCH_SIZE,
            *shape,
        )

    def test_spectral_norm_not_in_inverse_head(self):
        backbone, shape = DCGAN(latent=4, width=2, spectral_norm=True), (1, 28, 28)
        discriminator, inverse = backbone.build_discriminator(shape), backbone.build_inverse(shape)
        for net in (discriminator, inverse):
            assert len(spectral_layers(net.trunk)) == 3
            assert any(isinstance(part, BatchNorm) for part in net.modules())
        assert isinstance(discriminator.head.head.layer.weight, SpectralWeight)
        assert isinstance(inverse.head.layer.weight, Weight)
        assert not any(
            isinstance(part, HasPostUpdate) for part in backbone.build_generator(shape).modules()
        )

    def test_no_spectral_norm_by_default(self):
        backbone = DCGAN(latent=4, width=2)
        for net in (
            backbone.build_discriminator((1, 28, 28)),
            backbone.build_inverse((1, 28, 28)),
        ):
            assert not any(isinstance(part, HasPostUpdate) for part in net.modules())

    def test_norm_none_keeps_samples_independent(self):
        """Then the slope at a sample is that of D there, which a penalty takes it for."""
        x = torch.randn(1, 6, 1, 16, 16)
        free, bound = (DCGAN(latent=4, width=4, norm=norm) for norm in ("none", "batch"))
        critic = free.build_discriminator((1, 16, 16))
        assert torch.allclose(critic(x)[:, :2], critic(x[:, :2]), rtol=1e-10)
        critic = bound.build_discriminator((1, 16, 16))
        assert not torch.allclose(critic(x)[:, :2], critic(x[:, :2]), rtol=1e-3)
        assert all(
            conv.bias is not None for conv in conv_layers(free.build_discriminator((1, 16, 16)))
        )
        assert any(isinstance(m, BatchNorm) for m in free.build_generator((1, 16, 16)).modules())
