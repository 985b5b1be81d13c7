"""The networks of IID-GAN's first version for CIFAR-10 and CIFAR-100."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from torch import nn

from iidgan.core import cites
from iidgan.nn.backbones.image import (
    NORMS,
    ConvTrunk,
    DenseHead,
    Encoder,
    FeatureShape,
    Generator,
    ImageBackbone,
    ImageSize,
    Norm,
    Reshape,
    check_image_size,
    choose_weight,
    halve_size,
)
from iidgan.nn.layers.conv import BatchNorm, Conv2d, ConvTranspose2d, Dense
from iidgan.nn.references import IID_GAN_2021

downsampling_conv = partial(Conv2d, kernel_size=4, stride=2, padding=1)
same_size_conv = partial(Conv2d, kernel_size=3, padding=1)
upsampling_conv = partial(ConvTranspose2d, kernel_size=4, stride=2, padding=1, bias=False)


@cites(IID_GAN_2021)
@dataclass(frozen=True, kw_only=True)
class ArxivCIFAR(ImageBackbone):
    """The networks of IID-GAN's first version for CIFAR: few layers; F is the reverse of G.

    | G (Table 10) | side | D (Table 11) | side | F (Table 9) | side |
    |---|---|---|---|---|---|
    | linear 16384, BN, ReLU | 8 | conv 64, LeakyReLU | 16 | conv 64, BN, ReLU | 16 |
    | transposed conv 128, BN, ReLU | 8 | conv 128, BN, LeakyReLU | 8 | conv 128, BN, ReLU | 8 |
    | transposed conv 64, BN, ReLU | 16 | conv 256, BN, LeakyReLU | 4 | conv 256, BN, ReLU | 8 |
    | transposed conv 3, BN, tanh | 32 | flatten, linear 1 | | flatten, linear 100 | |

    Table 9 prints 3, 64 and 128 beside F's output sizes. They are read as numbers of input
    channels, which makes F the reverse of G, layer by layer; as numbers of output channels, the
    first layer would keep 3 channels of a quarter of the pixels. Choices that the tables leave
    open: kernels of 4 where the sides halve or double, otherwise of 3; batch normalisation before
    activations; slope 0.2. G's last layer is normalised, as in Table 10. Linear layers are
    normalised per unit, not per channel.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Shi, Li and Yan,
        2021), https://arxiv.org/abs/2106.00563v1, Tables 9, 10 and 11

    Examples:
        >>> import torch
        >>> from iidgan import ArxivCIFAR
        >>> backbone = ArxivCIFAR(latent=10, width=4)
        >>> G, F = backbone.build_generator((3, 32, 32)), backbone.build_inverse((3, 32, 32))
        >>> images = G(torch.zeros(1, 2, 10))
        >>> images.shape, F(images).shape
        (torch.Size([1, 2, 3, 32, 32]), torch.Size([1, 2, 10]))
    """

    latent: int = 100
    """Dimension M of the prior."""
    width: int = 64
    """Number of channels of the layers next to the image; doubled twice."""
    norm: Norm = "batch"
    """Normalisation in D and F; use `none` with a gradient penalty on D (WGAN-GP, R1, R2)."""

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        inner_size, n = halve_size(self._check_size(shape), 2), self.width
        flat_size = 4 * n * math.prod(inner_size)
        body = nn.Sequential(
            Dense(self.latent, flat_size, bias=False),
            BatchNorm(flat_size),
            nn.ReLU(),
            Reshape(inner_size),
            *(
                ConvTranspose2d(4 * n, 2 * n, 3, padding=1, bias=False),
                BatchNorm(2 * n),
                nn.ReLU(),
            ),
            *(upsampling_conv(2 * n, n), BatchNorm(n), nn.ReLU()),
        )
        return Generator(body, nn.Sequential(upsampling_conv(n, shape[0]), BatchNorm(shape[0])))

    def build_inverse(self, shape: tuple[int, ...]) -> nn.Module:
        n, norm = self.width, NORMS[self.norm]
        feature_shape = 4 * n, *halve_size(self._check_size(shape), 2)
        bias = norm is not BatchNorm
        trunk = ConvTrunk(
            *(downsampling_conv(shape[0], n, bias=bias), norm(n), nn.ReLU()),
            *(downsampling_conv(n, 2 * n, bias=bias), norm(2 * n), nn.ReLU()),
            *(same_size_conv(2 * n, 4 * n, bias=bias), norm(4 * n), nn.ReLU()),
        )
        return Encoder(trunk, DenseHead(feature_shape, self.latent))

    def _build_trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        self._check_size(shape)
        n, norm = self.width, NORMS["none" if spectral else self.norm]
        first_conv = partial(downsampling_conv, make_weight=choose_weight(spectral))
        conv = partial(first_conv, bias=norm is not BatchNorm)
        return ConvTrunk(
            *(first_conv(shape[0], n), nn.LeakyReLU(0.2)),
            *(conv(n, 2 * n), norm(2 * n), nn.LeakyReLU(0.2)),
            *(conv(2 * n, 4 * n), norm(4 * n), nn.LeakyReLU(0.2)),
        )

    def _feature_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        return 4 * self.width, *halve_size(self._check_size(shape), 3)

    @staticmethod
    def _check_size(shape: tuple[int, ...]) -> ImageSize:
        return check_image_size(shape, "arxiv-cifar", multiple_of=4, min_side=8)
