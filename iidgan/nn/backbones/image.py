"""What families of networks for images have in common.

A family says what its layers are: a body that makes an image, and a trunk that D, F and all other
encoders share. Bodies and trunks are layers in grouped layout (see `iidgan.nn.layers.conv`).
Unless a paper says otherwise, a convolution without batch normalisation after it has a bias.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from iidgan.core import Backbone
from iidgan.errors import InputError, unknown
from iidgan.nn.backbones.mlp import Perceptron
from iidgan.nn.init import Start, normal
from iidgan.nn.layers.conv import BatchNorm, Dense, group, ungroup
from iidgan.nn.layers.linear import Weighting
from iidgan.nn.layers.weight import SpectralWeight, Weight

Norm = Literal["batch", "none"]
NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": BatchNorm, "none": nn.Identity}


def weighting(spectral: bool) -> Weighting:
    """Chooses how the weights of a network are kept."""
    return SpectralWeight if spectral else Weight


class ToImage(nn.Module):
    """A generator's last layer: (S, B, C', H', W') to pixels (S, B, C, H, W) in [-1, 1]."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, hidden: Tensor) -> Tensor:
        return ungroup(self.conv(group(hidden)).tanh(), len(hidden))


class Generator(nn.Module):
    """Maps latents (S, B, M) to images (S, B, C, H, W) in [-1, 1].

    Arguments:
        body: Maps images of one pixel and M channels, in grouped layout, to features.
        last: The layer before the hyperbolic tangent, in grouped layout.
    """

    def __init__(self, body: nn.Module, last: nn.Module) -> None:
        super().__init__()
        self.body, self.head = body, ToImage(last)

    def features(self, z: Tensor) -> Tensor:
        return ungroup(self.body(group(z[..., None, None])), len(z))

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.head(self.features(z))
        return images


class Spread(nn.Module):
    """Lays out one pixel's channels as an image: (B, S * C * H * H, 1, 1) to (B, S * C, H, H).

    After a `Dense` it completes the linear layer that generators begin with.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), -1, self.side, self.side)


class Trunk(nn.Module):
    """Maps images (S, B, C, H, W) to features (S, B, C', H', W'): all of D but its end.

    Arguments:
        layers: The same in grouped layout.
    """

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        return ungroup(self.layers(group(images)), len(images))


class Head(nn.Module):
    """An affine map from a trunk's features (S, B, C, H, H) to (S, B, outputs).

    Arguments:
        hidden: Channels C and side H of the features.
        outputs: How many numbers come out.
        weight: How the weights are kept.
        start: What they start from.
    """

    def __init__(
        self,
        hidden: tuple[int, int],
        outputs: int,
        *,
        weight: Weighting = Weight,
        start: Start = normal,
    ) -> None:
        super().__init__()
        channels, side = hidden
        self.layer = Dense(channels * side**2, outputs, weight=weight, start=start)

    def forward(self, hidden: Tensor) -> Tensor:
        return ungroup(self.layer(group(hidden)), len(hidden)).flatten(2)


class Encoder(nn.Module):
    """Maps images (S, B, C, H, W) to what `head` makes of the features of `trunk`."""

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
    """Maps images (S, B, C, H, W) and codes (S, B, M) to logits (S, B).

    A trunk reads the image, a hidden layer of 512 what it found and the code.
    """

    def __init__(self, trunk: nn.Module, hidden: tuple[int, int], latent: int) -> None:
        super().__init__()
        channels, side = hidden
        self.trunk = trunk
        self.end = Perceptron((channels * side**2 + latent,), (512,), ())

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        logits: Tensor = self.end(torch.cat([self.trunk(x).flatten(2), z], dim=-1))
        return logits


class ImageBackbone(Backbone):
    """A family for square images: what D, F and other encoders are, once their trunk is known.

    Attributes:
        width: Channels that all others are multiples of.
        spectral_norm: Whether D's every layer, and those of F but for its last, are spectrally
            normalised unasked. Codes need variance 1, which a last layer of norm one denies them.
        norm: How the trunk's layers are normalised otherwise, in a family that has the choice.
    """

    width: int
    spectral_norm: bool = False
    norm: Norm = "none"

    def __post_init__(self) -> None:
        for name in ("latent", "width"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)} is too small; at least 1")
        if self.norm not in NORMS:
            raise unknown("norm", self.norm, NORMS)

    @abstractmethod
    def _trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        """Creates a map (S, B, *shape) -> (S, B, C, H, H), where C, H are `_hidden(shape)`.

        Arguments:
            shape: Shape of a sample.
            spectral: Whether a method asks for layers of norm one. Then none is batch-normalised,
                which would give them any other norm.
        """

    @abstractmethod
    def _hidden(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Counts channels and side of the trunk's features."""

    def _head(self, hidden: tuple[int, int], outputs: int, *, spectral: bool) -> nn.Module:
        return Head(hidden, outputs, weight=weighting(spectral))

    def discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        trunk = self._trunk(shape, spectral=spectral)
        spectral = spectral or self.spectral_norm
        return Encoder(trunk, Logit(self._head(self._hidden(shape), 1, spectral=spectral)))

    def encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return Encoder(self._trunk(shape, spectral=False), self.head(shape, outputs))

    def inverse(self, shape: tuple[int, ...]) -> nn.Module:
        return self.encoder(shape, self.latent)

    def joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        return Joint(self._trunk(shape, spectral=False), self._hidden(shape), self.latent)

    def latent_discriminator(self) -> nn.Module:
        return Perceptron((self.latent,), (1024, 1024), ())

    def head(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return self._head(self._hidden(shape), outputs, spectral=False)


def side_of(
    shape: tuple[int, ...],
    arch: str,
    *,
    least: int = 1,
    multiple: int = 1,
    of: tuple[int, ...] = (),
) -> int:
    """Gives the side of the square images that a family is for.

    Arguments:
        shape: Shape of a sample.
        arch: Name of the family.
        least: The smallest side.
        multiple: What the side is a multiple of.
        of: All sides that there are, or none if there are more.

    Raises:
        InputError: The samples are others.
    """
    square = len(shape) == 3 and shape[1] == shape[2]
    side = shape[1] if square else 0
    if square and side >= least and side % multiple == 0 and side in (of or (side,)):
        return side
    sides = f"at least {least}" if multiple == 1 else f"a multiple of {multiple}"
    if of:
        sides = " or ".join(map(str, of))
    other = "dcgan" if side >= 8 else "mlp"
    raise InputError(
        f"arch: {arch} needs square images of {sides} pixels, not samples of shape {shape}; "
        f"use --arch {other}"
    )
