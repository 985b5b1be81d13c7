"""Multilayer perceptrons: the nets of the synthetic experiments.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437, section 5.1: hidden layers of 100, 200 and 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from iidgan.core import Backbone
from iidgan.errors import InputError
from iidgan.nn.layers.linear import Linear, Weighting, hidden_layers
from iidgan.nn.layers.weight import SpectralWeight, Weight


class Perceptron(nn.Module):
    """Maps (S, B, *inputs) to (S, B, *outputs); its features are the last hidden layer."""

    def __init__(
        self,
        inputs: tuple[int, ...],
        hidden: tuple[int, ...],
        outputs: tuple[int, ...],
        *,
        weight: Weighting = Weight,
    ) -> None:
        super().__init__()
        self.body = hidden_layers(prod(inputs), hidden, weight=weight)
        self.head = Head((prod(inputs), *hidden)[-1], outputs, weight=weight)

    def features(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.body(x.flatten(2))
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.features(x))
        return output


class Head(nn.Module):
    """An affine map (S, B, in) -> (S, B, *outputs)."""

    def __init__(
        self, in_features: int, outputs: tuple[int, ...], *, weight: Weighting = Weight
    ) -> None:
        super().__init__()
        self.outputs = outputs
        self.layer = Linear(in_features, prod(outputs), weight=weight)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.layer(hidden).reshape(*hidden.shape[:2], *self.outputs)


class Joint(nn.Module):
    """Maps (S, B, *shape) and (S, B, M) to logits (S, B)."""

    def __init__(self, shape: tuple[int, ...], latent: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.net = Perceptron((prod(shape) + latent,), hidden, ())

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        logits: Tensor = self.net(torch.cat([x.flatten(2), z], dim=-1))
        return logits


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
        return Perceptron((self.latent,), self.hidden, shape)

    def discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        weight = SpectralWeight if spectral else Weight
        return Perceptron(shape, self.hidden, (), weight=weight)

    def encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return Perceptron(shape, self.hidden, (outputs,))

    def inverse(self, shape: tuple[int, ...]) -> nn.Module:
        return self.encoder(shape, self.latent)

    def joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        return Joint(shape, self.latent, self.hidden)

    def latent_discriminator(self) -> nn.Module:
        return Perceptron((self.latent,), self.hidden, ())

    def head(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return Head((prod(shape), *self.hidden)[-1], (outputs,))
