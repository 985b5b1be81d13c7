"""DCGAN for small square images of 28, 32, 48, 64, ... pixels.

A side is halved until it is 4, 5, 6 or 7, and three times at least: 28, 14, 7, 3; 32, 16, 8, 4;
48, 24, 12, 6. At 64 pixels these are the four halvings, 64, 32, 16, 8, 4, of the paper.

References:
    Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks
    (Radford, Metz and Chintala, 2015), https://arxiv.org/abs/1511.06434
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import nn

from iidgan.core import Reference, cites
from iidgan.nn.backbones.image import (
    NORMS,
    Generator,
    ImageBackbone,
    Norm,
    Trunk,
    side_of,
    weighting,
)
from iidgan.nn.layers.conv import BatchNorm, Conv2d, ConvTranspose2d

PAPER = Reference(
    title="Unsupervised Representation Learning with Deep Convolutional Generative Adversarial "
    "Networks",
    authors="Alec Radford, Luke Metz and Soumith Chintala",
    year=2015,
    url="https://arxiv.org/abs/1511.06434",
)


def doubling(size: list[int], channels: list[int]) -> list[ConvTranspose2d]:
    """Creates transposed convolutions through maps of sides `size`, each twice the last or more.

    All have kernel 4, stride 2 and a bias only at the end, where no normalisation follows.
    """
    stages = range(len(size) - 1)
    return [
        ConvTranspose2d(
            channels[stage],
            channels[stage + 1],
            4,
            stride=2,
            padding=1,
            output_padding=size[stage + 1] - 2 * size[stage],
            bias=stage == stages[-1],
        )
        for stage in stages
    ]


def rising(latent: int, size: list[int], channels: list[int]) -> Generator:
    """Creates a generator whose feature maps, all normalised, have these sides and channels."""
    convs = [ConvTranspose2d(latent, channels[0], size[0], bias=False), *doubling(size, channels)]
    norms = [BatchNorm(count) for count in channels[:-1]]
    body = [layer for conv, norm in zip(convs, norms) for layer in (conv, norm, nn.ReLU())]
    return Generator(nn.Sequential(*body), convs[-1])


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class DCGAN(ImageBackbone):
    """Strided convolutions with batch normalisation; the inverse is D's trunk with M outputs."""

    latent: int = 64
    """Dimension M of the prior."""
    width: int = 64
    """Channels of the layer next to the image; doubled at every halving."""
    spectral_norm: bool = False
    """Spectral normalisation in D and F, but for F's last layer: its codes need variance 1."""
    norm: Norm = "batch"
    """Normalisation in D and F; a penalty on D's slope (WGAN-GP, R1, R2) wants `none`."""

    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        size = self._sides(shape)[::-1]
        channels = [self.width * 2**stage for stage in reversed(range(len(size) - 1))]
        return rising(self.latent, size, [*channels, shape[0]])

    def _trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        stages = len(self._sides(shape)) - 1
        channels = [shape[0]] + [self.width * 2**stage for stage in range(stages)]
        norm = NORMS["none" if spectral else self.norm]
        conv = partial(Conv2d, weight=weighting(spectral or self.spectral_norm))
        first, *convs = (
            conv(
                channels[i],
                channels[i + 1],
                4,
                stride=2,
                padding=1,
                bias=i == 0 or norm is not BatchNorm,
            )
            for i in range(stages)
        )
        norms = [norm(count) for count in channels[2:]]
        others = [x for pair in zip(convs, norms) for x in (*pair, nn.LeakyReLU(0.2))]
        return Trunk(first, nn.LeakyReLU(0.2), *others)

    def _hidden(self, shape: tuple[int, ...]) -> tuple[int, int]:
        sides = self._sides(shape)
        return self.width * 2 ** (len(sides) - 2), sides[-1]

    @staticmethod
    def _sides(shape: tuple[int, ...]) -> list[int]:
        """Lists the sides of the feature maps, the image's first: 28 -> 28, 14, 7, 3."""
        side = side_of(shape, "dcgan", least=8)
        stages = max(3, side.bit_length() - 3)
        return [side // 2**stage for stage in range(stages + 1)]
