"""DCGAN for small square images: 28 and 32 pixels, or any side that halves three times.

References:
    Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks
    (Radford, Metz and Chintala, 2015), https://arxiv.org/abs/1511.06434
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from iidgan.core import Backbone
from iidgan.errors import InputError
from iidgan.nn.conv import (
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    SpectralWeight,
    Weight,
    group,
    ungroup,
)
from iidgan.nn.mlp import Discriminator as LatentDiscriminator

STAGES = 3


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
        self.convs = nn.ModuleList([first])
        for stage in range(STAGES):
            self.convs.append(
                ConvTranspose2d(
                    channels[stage],
                    channels[stage + 1],
                    4,
                    stride=2,
                    padding=1,
                    output_padding=size[stage + 1] - 2 * size[stage],
                    bias=stage == STAGES - 1,
                )
            )
        self.norms = nn.ModuleList(BatchNorm(count) for count in channels[:-1])

    def forward(self, z: Tensor) -> Tensor:
        *hidden, last = self.convs
        x = group(z[..., None, None])
        for conv, norm in zip(hidden, self.norms):
            x = relu(norm(conv(x)))
        return ungroup(last(x).tanh(), len(z))


class Trunk(nn.Module):
    """Maps images (S, B, C, H, H) to (S, B, outputs): all of D and F but their last names."""

    def __init__(
        self,
        shape: tuple[int, ...],
        width: int,
        outputs: int,
        *,
        spectral: bool,
        spectral_last: bool,
    ) -> None:
        super().__init__()
        channels = [shape[0]] + [width * 2**stage for stage in range(STAGES)]
        conv = partial(Conv2d, weight=SpectralWeight if spectral else Weight)
        self.convs = nn.ModuleList(
            conv(channels[i], channels[i + 1], 4, stride=2, padding=1, bias=i == 0)
            for i in range(STAGES)
        )
        self.norms = nn.ModuleList(BatchNorm(count) for count in channels[2:])
        self.last = Conv2d(
            channels[-1],
            outputs,
            sides(shape)[-1],
            weight=SpectralWeight if spectral_last else Weight,
        )

    def forward(self, images: Tensor) -> Tensor:
        first, *others = self.convs
        x = leaky_relu(first(group(images)), 0.2)
        for conv, norm in zip(others, self.norms):
            x = leaky_relu(norm(conv(x)), 0.2)
        return ungroup(self.last(x), len(images)).flatten(2)


class Discriminator(nn.Module):
    """Maps images (S, B, C, H, H) to logits (S, B)."""

    def __init__(self, shape: tuple[int, ...], width: int, *, spectral: bool) -> None:
        super().__init__()
        self.trunk = Trunk(shape, width, 1, spectral=spectral, spectral_last=spectral)

    def forward(self, x: Tensor) -> Tensor:
        return self.trunk(x).squeeze(-1)


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

    def discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        return Discriminator(self._image(shape), self.width, spectral=self.spectral_norm)

    def inverse(self, shape: tuple[int, ...]) -> nn.Module:
        return Trunk(
            self._image(shape),
            self.width,
            self.latent,
            spectral=self.spectral_norm,
            spectral_last=False,
        )

    def latent_discriminator(self) -> nn.Module:
        return LatentDiscriminator((self.latent,), (1024, 1024))

    def _image(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) != 3 or shape[1] != shape[2] or shape[1] < 2**STAGES:
            raise InputError(
                f"arch: dcgan needs square images of at least {2**STAGES} pixels, "
                f"not samples of shape {shape}; use --arch mlp"
            )
        return shape
