"""Networks for digits from a latent space of two dimensions.

IID-GAN's papers show the plane of codes of MNIST and print no networks for it. These are InfoGAN's
for MNIST: in them two fully connected layers bend the plane before it becomes an image, where the
first layer of a DCGAN would only spread it linearly.

| G | size | D | size |
|---|---|---|---|
| linear 1024, BN, ReLU | 1 | convolution 64, LeakyReLU | 14 |
| linear 6272, BN, ReLU | 7 | convolution 128, BN, LeakyReLU | 7 |
| transposed convolution 64, BN, ReLU | 14 | linear 1024, BN, LeakyReLU | 1 |
| transposed convolution 1, tanh | 28 | linear 1 | |

Kernels are 4 with stride 2, the slope is 0.1. The inverse is D with M outputs. Images of 32 pixels
have maps of 16 and 8.

References:
    InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
    Adversarial Nets (Chen et al., 2016), https://arxiv.org/abs/1606.03657, appendix C.1;
    https://github.com/openai/InfoGAN
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import Reference, cites
from iidgan.nn.backbones.image import (
    NORMS,
    Generator,
    ImageBackbone,
    Norm,
    Spread,
    Trunk,
    side_of,
    weighting,
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
    """InfoGAN's networks for MNIST, with a latent space that can be drawn."""

    latent: int = 2
    """Dimension M of the prior."""
    width: int = 64
    """Channels of the layer next to the image; the linear layers have 16 times as many."""
    norm: Norm = "batch"
    """Normalisation in D and F; a penalty on D's slope (WGAN-GP, R1, R2) wants `none`."""

    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        inner, n = self._side(shape) // 4, self.width
        spread = 2 * n * inner**2
        body = nn.Sequential(
            *(Dense(self.latent, 16 * n, bias=False), BatchNorm(16 * n), nn.ReLU()),
            *(Dense(16 * n, spread, bias=False), BatchNorm(spread), nn.ReLU()),
            Spread(inner),
            ConvTranspose2d(2 * n, n, 4, stride=2, padding=1, bias=False),
            *(BatchNorm(n), nn.ReLU()),
        )
        return Generator(body, ConvTranspose2d(n, shape[0], 4, stride=2, padding=1))

    def _trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        inner, n = self._side(shape) // 4, self.width
        norm, weight = NORMS["none" if spectral else self.norm], weighting(spectral)
        bias = norm is not BatchNorm
        return Trunk(
            Conv2d(shape[0], n, 4, stride=2, padding=1, weight=weight),
            nn.LeakyReLU(0.1),
            Conv2d(n, 2 * n, 4, stride=2, padding=1, bias=bias, weight=weight),
            *(norm(2 * n), nn.LeakyReLU(0.1)),
            Dense(2 * n * inner**2, 16 * n, bias=bias, weight=weight),
            *(norm(16 * n), nn.LeakyReLU(0.1)),
        )

    def _hidden(self, shape: tuple[int, ...]) -> tuple[int, int]:
        self._side(shape)
        return 16 * self.width, 1

    @staticmethod
    def _side(shape: tuple[int, ...]) -> int:
        return side_of(shape, "mnist-net", multiple=4)
