"""DCGAN for small square images: 28 and 32 pixels, or any side that halves three times.

References:
    Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks
    (Radford, Metz and Chintala, 2015), https://arxiv.org/abs/1511.06434
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from iidgan.core import Backbone, Reference, cites
from iidgan.errors import InputError
from iidgan.nn.conv import BatchNorm, Conv2d, ConvTranspose2d, group, ungroup
from iidgan.nn.mlp import Perceptron
from iidgan.nn.weight import SpectralWeight, Weight

STAGES = 3
PAPER = Reference(
    title="Unsupervised Representation Learning with Deep Convolutional Generative Adversarial "
    "Networks",
    authors="Alec Radford, Luke Metz and Soumith Chintala",
    year=2015,
    url="https://arxiv.org/abs/1511.06434",
)


def sides(shape: tuple[int, ...]) -> list[int]:
    """Lists the sides of the feature maps, the image's first: 28 -> 28, 14, 7, 3."""
    return [shape[1] // 2**stage for stage in range(STAGES + 1)]


class Generator(nn.Module):
    """Maps latents (S, B, M) to images (S, B, C, H, H) in [-1, 1]."""

    def __init__(self, latent: int, width: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        size = sides(shape)[::-1]
        channels = [width * 2**stage for stage in reversed(range(STAGES))] + [shape[0]]
        first = ConvTranspose2d(latent, channels[0], size[0], bias=False)
        convs = [first] + [
            ConvTranspose2d(
                channels[stage],
                channels[stage + 1],
                4,
                stride=2,
                padding=1,
                output_padding=size[stage + 1] - 2 * size[stage],
                bias=stage == STAGES - 1,
            )
            for stage in range(STAGES)
        ]
        self.convs = nn.ModuleList(convs[:-1])
        self.norms = nn.ModuleList(BatchNorm(count) for count in channels[:-1])
        self.head = ToImage(convs[-1])

    def features(self, z: Tensor) -> Tensor:
        x = group(z[..., None, None])
        for conv, norm in zip(self.convs, self.norms):
            x = relu(norm(conv(x)))
        return ungroup(x, len(z))

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.head(self.features(z))
        return images


class ToImage(nn.Module):
    """A generator's last layer: (S, B, C, H, H) to pixels in [-1, 1]."""

    def __init__(self, conv: ConvTranspose2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, hidden: Tensor) -> Tensor:
        return ungroup(self.conv(group(hidden)).tanh(), len(hidden))


class Trunk(nn.Module):
    """Maps images (S, B, C, H, H) to features (S, B, C', H', H'): all of D but its end."""

    def __init__(self, shape: tuple[int, ...], width: int, *, spectral: bool) -> None:
        super().__init__()
        channels = [shape[0]] + [width * 2**stage for stage in range(STAGES)]
        conv = partial(Conv2d, weight=SpectralWeight if spectral else Weight)
        self.convs = nn.ModuleList(
            conv(channels[i], channels[i + 1], 4, stride=2, padding=1, bias=i == 0)
            for i in range(STAGES)
        )
        self.norms = nn.ModuleList(BatchNorm(count) for count in channels[2:])

    def forward(self, images: Tensor) -> Tensor:
        first, *others = self.convs
        x = leaky_relu(first(group(images)), 0.2)
        for conv, norm in zip(others, self.norms):
            x = leaky_relu(norm(conv(x)), 0.2)
        return ungroup(x, len(images))


class Head(nn.Module):
    """An affine map from a trunk's features to (S, B, outputs): one convolution of full size."""

    def __init__(
        self, shape: tuple[int, ...], width: int, outputs: int, *, spectral: bool
    ) -> None:
        super().__init__()
        weight = SpectralWeight if spectral else Weight
        channels = width * 2 ** (STAGES - 1)
        self.conv = Conv2d(channels, outputs, sides(shape)[-1], weight=weight)

    def forward(self, hidden: Tensor) -> Tensor:
        return ungroup(self.conv(group(hidden)), len(hidden)).flatten(2)


class Encoder(nn.Module):
    """Maps images (S, B, C, H, H) to what `head` makes of the features of `trunk`."""

    def __init__(self, trunk: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    def features(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.trunk(x)
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.features(x))
        return output


class Logit(nn.Module):
    """Drops the axis of a head with a single output."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.head(hidden)
        return logits.squeeze(-1)


class Joint(nn.Module):
    """Maps images (S, B, C, H, H) and codes (S, B, M) to logits (S, B).

    A trunk reads the image, a hidden layer of 512 what it found and the code.
    """

    def __init__(self, shape: tuple[int, ...], width: int, latent: int, *, spectral: bool) -> None:
        super().__init__()
        self.trunk = Trunk(shape, width, spectral=spectral)
        found = width * 2 ** (STAGES - 1) * sides(shape)[-1] ** 2
        self.end = Perceptron((found + latent,), (512,), ())

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        logits: Tensor = self.end(torch.cat([self.trunk(x).flatten(2), z], dim=-1))
        return logits


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class DCGAN(Backbone):
    """Strided convolutions with batch normalisation; the inverse is D's trunk with M outputs."""

    latent: int = 64
    """Dimension M of the prior."""
    width: int = 64
    """Channels of the layer next to the image; doubled at every halving."""
    spectral_norm: bool = False
    """Spectral normalisation in D and F, but for F's last layer: its codes need variance 1."""

    def __post_init__(self) -> None:
        for name in ("latent", "width"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)} is too small; at least 1")

    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        return Generator(self.latent, self.width, self._image(shape))

    def discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        spectral = spectral or self.spectral_norm
        trunk = Trunk(self._image(shape), self.width, spectral=spectral)
        return Encoder(trunk, Logit(Head(shape, self.width, 1, spectral=spectral)))

    def encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        trunk = Trunk(self._image(shape), self.width, spectral=self.spectral_norm)
        return Encoder(trunk, self.head(shape, outputs))

    def inverse(self, shape: tuple[int, ...]) -> nn.Module:
        return self.encoder(shape, self.latent)

    def joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        return Joint(self._image(shape), self.width, self.latent, spectral=self.spectral_norm)

    def latent_discriminator(self) -> nn.Module:
        return Perceptron((self.latent,), (1024, 1024), ())

    def head(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return Head(self._image(shape), self.width, outputs, spectral=False)

    def _image(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) != 3 or shape[1] != shape[2] or shape[1] < 2**STAGES:
            raise InputError(
                f"arch: dcgan needs square images of at least {2**STAGES} pixels, "
                f"not samples of shape {shape}; use --arch mlp"
            )
        return shape
