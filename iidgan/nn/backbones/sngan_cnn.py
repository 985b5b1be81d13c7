"""The convolutional networks of SNGAN, which IID-GAN has for CelebA and LSUN at 64 pixels.

| G | side | D | side |
|---|---|---|---|
| linear 512 | 8 | SN convolution 64; 64 | 64; 32 |
| transposed convolution 256, BN, ReLU | 16 | SN convolution 128; 128 | 32; 16 |
| transposed convolution 128, BN, ReLU | 32 | SN convolution 256; 256 | 16; 8 |
| transposed convolution 64, BN, ReLU | 64 | SN convolution 512 | 8 |
| convolution 3, tanh | 64 | flatten, linear 1 | |

A LeakyReLU follows every convolution of D. The inverse is D with M outputs. What the tables leave
open is as in the code of the authors' next paper: kernels of 4 where the side halves or doubles,
else of 3, slope 0.1, Glorot's start, D's last layer spectrally normalised too. That code has no
bias; the layers of D have one here, as in SNGAN, for without any D(t x) would be t D(x).
At 32 and 48 pixels all sides are 1/2 and 3/4 of these.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437, Tables 9 and 10;
    https://github.com/yangco-le/AdvLatGAN;
    Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018),
    https://arxiv.org/abs/1802.05957
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from torch import nn

from iidgan.core import cites
from iidgan.nn.backbones.image import (
    Generator,
    Head,
    ImageBackbone,
    Spread,
    Trunk,
    side_of,
    weighting,
)
from iidgan.nn.init import xavier
from iidgan.nn.layers.conv import BatchNorm, Conv2d, ConvTranspose2d, Dense
from iidgan.nn.references import SNGAN

STAGES = 3


@cites(SNGAN)
@dataclass(frozen=True, kw_only=True)
class SNGANCNN(ImageBackbone):
    """SNGAN's plain convolutions: no batch norm in D and F, spectral norm instead."""

    latent: int = 128
    """Dimension M of the prior."""
    width: int = 64
    """Channels of the layers next to the image; doubled at every halving."""
    spectral_norm: bool = True
    """Spectral normalisation in D and F, but for F's last layer: its codes need variance 1."""

    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        inner = self._side(shape) // 2**STAGES
        counts = [self.width * 2**stage for stage in reversed(range(STAGES + 1))]
        layers: list[nn.Module] = [
            Dense(self.latent, counts[0] * inner**2, start=xavier),
            Spread(inner),
        ]
        for before, count in pairwise(counts):
            up = ConvTranspose2d(before, count, 4, stride=2, padding=1, bias=False, start=xavier)
            layers += [up, BatchNorm(count), nn.ReLU()]
        last = Conv2d(self.width, shape[0], 3, padding=1, start=xavier)
        return Generator(nn.Sequential(*layers), last)

    def _trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        self._side(shape)
        weight = weighting(spectral or self.spectral_norm)
        conv = partial(Conv2d, padding=1, weight=weight, start=xavier)
        layers: list[nn.Module] = []
        before = shape[0]
        for stage in range(STAGES):
            count = self.width * 2**stage
            layers += [conv(before, count, 3), nn.LeakyReLU(0.1)]
            layers += [conv(count, count, 4, stride=2), nn.LeakyReLU(0.1)]
            before = count
        return Trunk(*layers, conv(before, 2 * before, 3), nn.LeakyReLU(0.1))

    def _head(self, hidden: tuple[int, int], outputs: int, *, spectral: bool) -> nn.Module:
        return Head(hidden, outputs, weight=weighting(spectral), start=xavier)

    def _hidden(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return self.width * 2**STAGES, self._side(shape) // 2**STAGES

    @staticmethod
    def _side(shape: tuple[int, ...]) -> int:
        return side_of(shape, "sngan-cnn", multiple=2**STAGES)
