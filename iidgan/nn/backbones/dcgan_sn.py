"""The networks of IID-GAN for CIFAR-10: DCGAN with spectral normalisation in D and F."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import cites
from iidgan.core.references import IID_GAN
from iidgan.nn.backbones.dcgan import build_dcgan_generator
from iidgan.nn.backbones.image import (
    NORMS,
    ConvTrunk,
    FeatureShape,
    ImageBackbone,
    ImageSize,
    Norm,
    check_image_size,
    halve_size,
)
from iidgan.nn.layers.conv import Conv2d
from iidgan.nn.layers.weight import SpectralWeight

NUM_STAGES = 4


@cites(IID_GAN)
@dataclass(frozen=True, kw_only=True)
class DCGANSN(ImageBackbone):
    """DCGAN with spectral normalisation in D and F: IID-GAN's networks for CIFAR-10.

    | G | side | D | side |
    |---|---|---|---|
    | transposed convolution 1024, BN, ReLU | 2 | SN convolution 64, LeakyReLU | 16 |
    | transposed convolution 512, BN, ReLU | 4 | SN convolution 128, LeakyReLU, BN | 8 |
    | transposed convolution 256, BN, ReLU | 8 | SN convolution 256, LeakyReLU, BN | 4 |
    | transposed convolution 128, BN, ReLU | 16 | SN convolution 512, LeakyReLU, BN | 2 |
    | transposed convolution 3, tanh | 32 | flatten 2048, linear 1 | |

    The inverse is D with M outputs. Choices that the tables leave open are as in the code of the
    authors' next paper: kernels of 4 with stride 2 in G, of 5 with stride 2 in D, slope 0.2. Other
    sides are also halved four times: 48, 24, 12, 6, 3; 28, 14, 7, 3, 1 in G, and 28, 14, 7, 4, 2
    in D.

    References:
        * IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
          2023), https://www.ijcai.org/proceedings/2023/437, Tables 7 and 8
        * https://github.com/yangco-le/AdvLatGAN

    Examples:
        >>> import torch
        >>> from iidgan import DCGANSN
        >>> D = DCGANSN(width=4).build_discriminator((3, 32, 32))
        >>> D.features(torch.zeros(1, 2, 3, 32, 32)).shape
        torch.Size([1, 2, 32, 2, 2])
    """

    latent: int = 128
    """Dimension M of the prior."""
    width: int = 64
    """Number of channels of D's first layer; G's last but one has twice as many."""
    norm: Norm = "batch"
    """Normalisation in D and F; use `none` with a gradient penalty on D (WGAN-GP, R1, R2)."""

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        size = self._check_size(shape)
        sizes = [halve_size(size, stage) for stage in reversed(range(NUM_STAGES + 1))]
        channels = [2 * self.width * 2**stage for stage in reversed(range(NUM_STAGES))]
        return build_dcgan_generator(self.latent, sizes, [*channels, shape[0]])

    def _build_trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        self._check_size(shape)
        norm = NORMS["none" if spectral else self.norm]
        layers: list[nn.Module] = []
        in_channels = shape[0]
        for stage in range(NUM_STAGES):
            out_channels = self.width * 2**stage
            layers += [
                Conv2d(
                    in_channels, out_channels, 5, stride=2, padding=2, make_weight=SpectralWeight
                ),
                nn.LeakyReLU(0.2),
                norm(out_channels) if stage else nn.Identity(),
            ]
            in_channels = out_channels
        return ConvTrunk(*layers)

    def _feature_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        height, width = self._check_size(shape)
        num_pixels = 2**NUM_STAGES  # of an image beside one of a feature; D rounds up
        return (
            self.width * 2 ** (NUM_STAGES - 1),
            -(-height // num_pixels),
            -(-width // num_pixels),
        )

    @staticmethod
    def _check_size(shape: tuple[int, ...]) -> ImageSize:
        return check_image_size(shape, "dcgan-sn", min_side=2**NUM_STAGES)
