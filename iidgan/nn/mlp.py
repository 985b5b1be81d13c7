"""Multilayer perceptrons: the nets of the synthetic experiments.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437, section 5.1: hidden layers of 100, 200 and 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from torch import Tensor, nn

from iidgan.core import Backbone
from iidgan.errors import InputError
from iidgan.nn.linear import perceptron


class Generator(nn.Module):
    """Maps latents (S, B, M) to samples (S, B, *shape)."""

    def __init__(self, latent: int, hidden: tuple[int, ...], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.layers = perceptron(latent, hidden, prod(shape))

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z).unflatten(-1, self.shape)


class Inverse(nn.Module):
    """Maps samples (S, B, *shape) to codes (S, B, outputs)."""

    def __init__(self, shape: tuple[int, ...], hidden: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.layers = perceptron(prod(shape), hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        codes: Tensor = self.layers(x.flatten(2))
        return codes


class Discriminator(nn.Module):
    """Maps samples (S, B, *shape) to logits (S, B)."""

    def __init__(self, shape: tuple[int, ...], hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = perceptron(prod(shape), hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(2)).squeeze(-1)


@dataclass(frozen=True, kw_only=True)
class MLP(Backbone):
    """Perceptrons with ReLU; generator, discriminator and inverse have the same hidden layers."""

    latent: int = 2
    """Dimension M of the prior."""
    hidden: tuple[int, ...] = (100, 200, 100)
    """Widths of the hidden layers."""

    def __post_init__(self) -> None:
        if self.latent < 1:
            raise InputError(f"latent: {self.latent} is too small; at least 1")
        if min(self.hidden, default=1) < 1:
            raise InputError(f"hidden: {self.hidden} has a width below 1")

    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        return Generator(self.latent, self.hidden, shape)

    def discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        return Discriminator(shape, self.hidden)

    def inverse(self, shape: tuple[int, ...]) -> nn.Module:
        return Inverse(shape, self.hidden, self.latent)

    def latent_discriminator(self) -> nn.Module:
        return Discriminator((self.latent,), self.hidden)
