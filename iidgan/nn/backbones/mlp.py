"""Multilayer perceptrons, the networks of the synthetic experiments."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from iidgan.core import Backbone
from iidgan.errors import InputError
from iidgan.nn.layers.linear import Linear, build_hidden_layers
from iidgan.nn.layers.weight import SpectralWeight, Weight, WeightFactory


class MLPNetwork(nn.Module):
    """Map (S, B, *input_shape) to (S, B, *output_shape); features are the last hidden layer.

    Arguments:
        input_shape: Shape of one input.
        hidden_widths: Widths of the hidden layers, each followed by a ReLU.
        output_shape: Shape of one output; () for one number.
        make_weight: Wraps the weights, `Weight` or `SpectralWeight`.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        hidden_widths: tuple[int, ...],
        output_shape: tuple[int, ...],
        *,
        make_weight: WeightFactory = Weight,
    ) -> None:
        super().__init__()
        num_inputs = prod(input_shape)
        self.body = build_hidden_layers(num_inputs, hidden_widths, make_weight=make_weight)
        num_features = (num_inputs, *hidden_widths)[-1]
        self.head = LinearHead(num_features, output_shape, make_weight=make_weight)

    def features(self, x: Tensor) -> Tensor:
        """Compute the last hidden layer, (S, B, units)."""
        hidden: Tensor = self.body(x.flatten(2))
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.features(x))
        return output


class LinearHead(nn.Module):
    """Affine map (S, B, in) -> (S, B, *output_shape).

    Arguments:
        in_features: Size of each input.
        output_shape: Shape of one output; () for one number.
        make_weight: Wraps the weight, `Weight` or `SpectralWeight`.
    """

    def __init__(
        self,
        in_features: int,
        output_shape: tuple[int, ...],
        *,
        make_weight: WeightFactory = Weight,
    ) -> None:
        super().__init__()
        self.output_shape = output_shape
        self.layer = Linear(in_features, prod(output_shape), make_weight=make_weight)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.layer(hidden).reshape(*hidden.shape[:2], *self.output_shape)


class MLPJointDiscriminator(nn.Module):
    """Map samples (S, B, *shape) and codes (S, B, M) to logits (S, B).

    Arguments:
        shape: Shape of a sample.
        latent: Dimension M of the codes.
        hidden_widths: Widths of the hidden layers.
    """

    def __init__(
        self, shape: tuple[int, ...], latent: int, hidden_widths: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.net = MLPNetwork((prod(shape) + latent,), hidden_widths, ())

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        logits: Tensor = self.net(torch.cat([x.flatten(2), z], dim=-1))
        return logits


@dataclass(frozen=True, kw_only=True)
class MLP(Backbone):
    """Perceptrons with ReLU; generator, discriminator and inverse have the same hidden layers.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437, section 5.1: hidden layers of 100, 200
        and 100.

    Examples:
        >>> import torch
        >>> from iidgan import MLP
        >>> backbone = MLP(latent=3, hidden=(100, 200, 100))
        >>> G, D = backbone.build_generator((2,)), backbone.build_discriminator((2,))
        >>> points = G(torch.zeros(1, 5, 3))  # of one seed
        >>> points.shape, D(points).shape, D.features(points).shape
        (torch.Size([1, 5, 2]), torch.Size([1, 5]), torch.Size([1, 5, 100]))
    """

    latent: int = 2
    """Dimension M of the prior."""
    hidden: tuple[int, ...] = (100, 200, 100)
    """Widths of the hidden layers."""

    def __post_init__(self) -> None:
        if self.latent < 1:
            raise InputError(f"latent: must be >= 1, got {self.latent}")
        if min(self.hidden, default=1) < 1:
            raise InputError(f"hidden: widths must be >= 1, got {self.hidden}")

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        return MLPNetwork((self.latent,), self.hidden, shape)

    def build_discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        make_weight = SpectralWeight if spectral else Weight
        return MLPNetwork(shape, self.hidden, (), make_weight=make_weight)

    def build_encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return MLPNetwork(shape, self.hidden, (outputs,))

    def build_inverse(self, shape: tuple[int, ...]) -> nn.Module:
        return self.build_encoder(shape, self.latent)

    def build_joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        return MLPJointDiscriminator(shape, self.latent, self.hidden)

    def build_latent_discriminator(self) -> nn.Module:
        return MLPNetwork((self.latent,), self.hidden, ())

    def build_head(
        self, shape: tuple[int, ...], outputs: int, *, spectral: bool = False
    ) -> nn.Module:
        num_features = (prod(shape), *self.hidden)[-1]
        make_weight = SpectralWeight if spectral else Weight
        return LinearHead(num_features, (outputs,), make_weight=make_weight)
