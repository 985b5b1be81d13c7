"""The networks of IID-GAN's first version for CIFAR-10 and CIFAR-100.

| G (Table 10) | side | D (Table 11) | side | F (Table 9) | side |
|---|---|---|---|---|---|
| linear 16384, BN, ReLU | 8 | conv 64, LeakyReLU | 16 | conv 64, BN, ReLU | 16 |
| transposed conv 128, BN, ReLU | 8 | conv 128, BN, LeakyReLU | 8 | conv 128, BN, ReLU | 8 |
| transposed conv 64, BN, ReLU | 16 | conv 256, BN, LeakyReLU | 4 | conv 256, BN, ReLU | 8 |
| transposed conv 3, BN, tanh | 32 | flatten, linear 1 | | flatten, linear 100 | |

Table 9 prints 3, 64 and 128 beside F's output sizes. These are read as what goes into its layers:
then F is G backwards, layer by layer; as what comes out, its first layer would keep 3 channels of
a quarter of the pixels. The tables leave open, and here are: kernels of 4 where the side halves or
doubles, else of 3; batch normalisation before activations; slope 0.2. G's last layer is
normalised, as Table 10 says. Linear layers are normalised per number, not per channel.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Shi, Li and Yan, 2021),
    https://arxiv.org/abs/2106.00563v1, Tables 9, 10 and 11
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import nn

from iidgan.core import cites
from iidgan.nn.backbones.image import (
    NORMS,
    Encoder,
    Generator,
    Head,
    ImageBackbone,
    Norm,
    Spread,
    Trunk,
    side_of,
    weighting,
)
from iidgan.nn.layers.conv import BatchNorm, Conv2d, ConvTranspose2d, Dense
from iidgan.nn.references import IID_GAN_2021

halving = partial(Conv2d, kernel=4, stride=2, padding=1)
keeping = partial(Conv2d, kernel=3, padding=1)
doubling = partial(ConvTranspose2d, kernel=4, stride=2, padding=1, bias=False)


@cites(IID_GAN_2021)
@dataclass(frozen=True, kw_only=True)
class ArxivCIFAR(ImageBackbone):
    """The networks of IID-GAN's first version for CIFAR: few layers; F is G backwards."""

    latent: int = 100
    """Dimension M of the prior."""
    width: int = 64
    """Channels of the layers next to the image; doubled twice."""
    norm: Norm = "batch"
    """Normalisation in D and F; a penalty on D's slope (WGAN-GP, R1, R2) wants `none`."""

    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        inner, n = self._side(shape) // 4, self.width
        body = nn.Sequential(
            Dense(self.latent, 4 * n * inner**2, bias=False),
            BatchNorm(4 * n * inner**2),
            nn.ReLU(),
            Spread(inner),
            *(
                ConvTranspose2d(4 * n, 2 * n, 3, padding=1, bias=False),
                BatchNorm(2 * n),
                nn.ReLU(),
            ),
            *(doubling(2 * n, n), BatchNorm(n), nn.ReLU()),
        )
        return Generator(body, nn.Sequential(doubling(n, shape[0]), BatchNorm(shape[0])))

    def inverse(self, shape: tuple[int, ...]) -> nn.Module:
        n, norm = self.width, NORMS[self.norm]
        hidden = 4 * n, self._side(shape) // 4
        bias = norm is not BatchNorm
        trunk = Trunk(
            *(halving(shape[0], n, bias=bias), norm(n), nn.ReLU()),
            *(halving(n, 2 * n, bias=bias), norm(2 * n), nn.ReLU()),
            *(keeping(2 * n, 4 * n, bias=bias), norm(4 * n), nn.ReLU()),
        )
        return Encoder(trunk, Head(hidden, self.latent))

    def _trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        self._side(shape)
        n, norm = self.width, NORMS["none" if spectral else self.norm]
        first = partial(halving, weight=weighting(spectral))
        other = partial(first, bias=norm is not BatchNorm)
        return Trunk(
            *(first(shape[0], n), nn.LeakyReLU(0.2)),
            *(other(n, 2 * n), norm(2 * n), nn.LeakyReLU(0.2)),
            *(other(2 * n, 4 * n), norm(4 * n), nn.LeakyReLU(0.2)),
        )

    def _hidden(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 4 * self.width, self._side(shape) // 8

    @staticmethod
    def _side(shape: tuple[int, ...]) -> int:
        return side_of(shape, "arxiv-cifar", multiple=4, least=8)
