"""Networks for digits from a latent space of two dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

from iidgan.core import Reference, cites
from iidgan.nn.backbones.image import (
    NORMS,
    ConvTrunk,
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

PAPER = Reference(
    title="InfoGAN: Interpretable Representation Learning by Information Maximizing Generative "
    "Adversarial Nets",
    authors="Xi Chen, Yan Duan, Rein Houthooft, John Schulman, Ilya Sutskever and Pieter Abbeel",
    year=2016,
    url="https://arxiv.org/abs/1606.03657",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class MnistNet(ImageBackbone):
    """InfoGAN's networks for MNIST, with a latent space that can be plotted.

    IID-GAN's papers show the plane of codes of MNIST but do not specify networks for it. These are
    InfoGAN's for MNIST: two fully connected layers transform the plane nonlinearly before it
    becomes an image, whereas the first layer of a DCGAN is linear.

    | G | size | D | size |
    |---|---|---|---|
    | linear 1024, BN, ReLU | 1 | convolution 64, LeakyReLU | 14 |
    | linear 6272, BN, ReLU | 7 | convolution 128, BN, LeakyReLU | 7 |
    | transposed convolution 64, BN, ReLU | 14 | linear 1024, BN, LeakyReLU | 1 |
    | transposed convolution 1, tanh | 28 | linear 1 | |

    Kernels are 4 with stride 2, the slope is 0.1. The inverse is D with M outputs. Images of 32
    pixels have feature maps of sides 16 and 8.

    References:
        * InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
          Adversarial Nets (Chen et al., 2016), https://arxiv.org/abs/1606.03657, appendix C.1
        * https://github.com/openai/InfoGAN

    Examples:
        >>> import torch
        >>> from iidgan import MnistNet
        >>> F = MnistNet(width=4).build_inverse((1, 28, 28))
        >>> F(torch.zeros(1, 2, 1, 28, 28)).shape  # codes in the plane
        torch.Size([1, 2, 2])
    """

    latent: int = 2
    """Dimension M of the prior."""
    width: int = 64
    """Number of channels of the layer next to the image; linear layers have 16 times as many."""
    norm: Norm = "batch"
    """Normalisation in D and F; use `none` with a gradient penalty on D (WGAN-GP, R1, R2)."""

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        inner_size, n = self._inner_size(shape), self.width
        flat_size = 2 * n * math.prod(inner_size)
        body = nn.Sequential(
            *(Dense(self.latent, 16 * n, bias=False), BatchNorm(16 * n), nn.ReLU()),
            *(Dense(16 * n, flat_size, bias=False), BatchNorm(flat_size), nn.ReLU()),
            Reshape(inner_size),
            ConvTranspose2d(2 * n, n, 4, stride=2, padding=1, bias=False),
            *(BatchNorm(n), nn.ReLU()),
        )
        return Generator(body, ConvTranspose2d(n, shape[0], 4, stride=2, padding=1))

    def _build_trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        inner_size, n = self._inner_size(shape), self.width
        norm = NORMS["none" if spectral else self.norm]
        make_weight = choose_weight(spectral)
        bias = norm is not BatchNorm
        return ConvTrunk(
            Conv2d(shape[0], n, 4, stride=2, padding=1, make_weight=make_weight),
            nn.LeakyReLU(0.1),
            Conv2d(n, 2 * n, 4, stride=2, padding=1, bias=bias, make_weight=make_weight),
            *(norm(2 * n), nn.LeakyReLU(0.1)),
            Dense(2 * n * math.prod(inner_size), 16 * n, bias=bias, make_weight=make_weight),
            *(norm(16 * n), nn.LeakyReLU(0.1)),
        )

    def _feature_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        self._inner_size(shape)  # checks it
        return 16 * self.width, 1, 1

    @staticmethod
    def _inner_size(shape: tuple[int, ...]) -> ImageSize:
        """Return the size of the smallest feature maps."""
        return halve_size(check_image_size(shape, "mnist-net", multiple_of=4), 2)
