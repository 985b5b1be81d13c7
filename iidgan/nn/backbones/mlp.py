"""Multilayer perceptrons, the networks of the synthetic experiments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

from iidgan.core import OMIT_IF_DEFAULT, Backbone
from iidgan.errors import InputError
from iidgan.nn.init import Initializer, orthogonal
from iidgan.nn.layers.linear import Linear, build_hidden_layers
from iidgan.nn.layers.weight import SpectralWeight, Weight, WeightFactory

Activation = Literal["relu", "tanh"]
ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}
INITIALIZERS: dict[str, Initializer | None] = {
    "fan-in": None,
    "orthogonal": partial(orthogonal, gain=1.4),
}


class MLPNetwork(nn.Module):
    """Map (S, B, *input_shape) to (S, B, *output_shape); features are the last hidden layer.

    Arguments:
        input_shape: Shape of one input.
        hidden_widths: Widths of the hidden layers, each followed by the activation.
        output_shape: Shape of one output; () for one number.
        make_weight: Wraps the weights, `Weight` or `SpectralWeight`.
        activation: Creates the activation.
        init: Initial weights by their shapes; None for those of `torch.nn.Linear`.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        hidden_widths: tuple[int, ...],
        output_shape: tuple[int, ...],
        *,
        make_weight: WeightFactory = Weight,
        activation: Callable[[], nn.Module] = nn.ReLU,
        init: Initializer | None = None,
    ) -> None:
        super().__init__()
        num_inputs = prod(input_shape)
        self.body = build_hidden_layers(
            num_inputs, hidden_widths, make_weight=make_weight, activation=activation, init=init
        )
        num_features = (num_inputs, *hidden_widths)[-1]
        self.head = LinearHead(num_features, output_shape, make_weight=make_weight, init=init)

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
        init: Initial weight by its shape; None for that of `torch.nn.Linear`.
    """

    def __init__(
        self,
        in_features: int,
        output_shape: tuple[int, ...],
        *,
        make_weight: WeightFactory = Weight,
        init: Initializer | None = None,
    ) -> None:
        super().__init__()
        self.output_shape = output_shape
        self.layer = Linear(in_features, prod(output_shape), make_weight=make_weight, init=init)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.layer(hidden).reshape(*hidden.shape[:2], *self.output_shape)


class MLPJointDiscriminator(nn.Module):
    """Map samples (S, B, *shape) and codes (S, B, M) to logits (S, B).

    Arguments:
        network: Maps samples and codes, (S, B, d + M), to logits.
    """

    def __init__(self, network: MLPNetwork) -> None:
        super().__init__()
        self.net = network

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        logits: Tensor = self.net(torch.cat([x.flatten(2), z], dim=-1))
        return logits


@dataclass(frozen=True, kw_only=True)
class MLP(Backbone):
    """Perceptrons; generator, discriminator and inverse have the same hidden layers.

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
    activation: Activation = field(default="relu", metadata=OMIT_IF_DEFAULT)
    """Activation of the hidden layers."""
    init: Literal["fan-in", "orthogonal"] = field(default="fan-in", metadata=OMIT_IF_DEFAULT)
    """Initial weights: uniform within one over the square root of the fan-in, or orthogonal with a
    gain of 1.4 and biases of 0, as in the script of Unrolled GAN and those that follow it."""

    def __post_init__(self) -> None:
        if self.latent < 1:
            raise InputError(f"latent: must be >= 1, got {self.latent}")
        if min(self.hidden, default=1) < 1:
            raise InputError(f"hidden: widths must be >= 1, got {self.hidden}")

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        return self._build_network((self.latent,), shape)

    def build_discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        return self._build_network(shape, (), spectral=spectral)

    def build_encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return self._build_network(shape, (outputs,))

    def build_inverse(self, shape: tuple[int, ...]) -> nn.Module:
        return self.build_encoder(shape, self.latent)

    def build_joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        return MLPJointDiscriminator(self._build_network((prod(shape) + self.latent,), ()))

    def build_latent_discriminator(self) -> nn.Module:
        return self._build_network((self.latent,), ())

    def build_head(
        self, shape: tuple[int, ...], outputs: int, *, spectral: bool = False
    ) -> nn.Module:
        num_features = (prod(shape), *self.hidden)[-1]
        return LinearHead(
            num_features,
            (outputs,),
            make_weight=SpectralWeight if spectral else Weight,
            init=INITIALIZERS[self.init],
        )

    def _build_network(
        self,
        input_shape: tuple[int, ...],
        output_shape: tuple[int, ...],
        *,
        spectral: bool = False,
    ) -> MLPNetwork:
        return MLPNetwork(
            input_shape,
            self.hidden,
            output_shape,
            make_weight=SpectralWeight if spectral else Weight,
            activation=ACTIVATIONS[self.activation],
            init=INITIALIZERS[self.init],
        )
