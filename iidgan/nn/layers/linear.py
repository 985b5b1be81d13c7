"""Fully connected layers for S seeds at once: one batched product instead of S small ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from iidgan.nn.init import Initializer
from iidgan.nn.layers.weight import EqualisedWeight, Weight, WeightFactory


class Linear(nn.Module):
    """Affine layer (S, B, in) -> (S, B, out) with separate weights for each seed.

    Initialised like `torch.nn.Linear`, uniformly within one over the square root of
    `in_features`, unless there is another initialiser of the weight; the bias is then 0.

    Arguments:
        in_features: Size of each input.
        out_features: Size of each output.
        make_weight: Wraps the weight, `Weight` or `SpectralWeight`.
        init: Initial weight by its shape; None for that of `torch.nn.Linear`.

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.linear import Linear
        >>> layer = Linear(2, 3)
        >>> layer(torch.zeros(1, 5, 2)).shape, layer.weight().shape
        (torch.Size([1, 5, 3]), torch.Size([1, 2, 3]))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        make_weight: WeightFactory = Weight,
        init: Initializer | None = None,
    ) -> None:
        super().__init__()
        if init is None:
            bound = in_features**-0.5
            weight = torch.empty(1, in_features, out_features).uniform_(-bound, bound)
            bias = torch.empty(1, 1, out_features).uniform_(-bound, bound)
        else:
            weight = init(1, in_features, out_features)
            bias = torch.zeros(1, 1, out_features)
        self.weight = make_weight(weight)
        self.bias = nn.Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x, self.weight())

    def input_matrix(self) -> Tensor:
        weight: Tensor = self.weight()
        return weight.mT


class EqualisedLinear(nn.Module):
    """Affine layer (S, B, in) -> (S, B, out) with an equalised learning rate.

    Arguments:
        in_features: Size of each input.
        out_features: Size of each output.
        bias: Initial value of all biases.
        lr_multiplier: Factor on the updates of weight and bias, as of `EqualisedWeight`.

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.linear import EqualisedLinear
        >>> EqualisedLinear(2, 3, bias=1.0)(torch.zeros(1, 1, 2)).detach()
        tensor([[[1., 1., 1.]]])
    """

    def __init__(
        self, in_features: int, out_features: int, *, bias: float = 0.0, lr_multiplier: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = EqualisedWeight(torch.randn(1, out_features, in_features), lr_multiplier)
        self.bias = nn.Parameter(torch.full((1, 1, out_features), bias / lr_multiplier))
        self.lr_multiplier = lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.lr_multiplier * self.bias, x, self.weight().mT)


def build_hidden_layers(
    in_features: int,
    widths: tuple[int, ...],
    *,
    make_weight: WeightFactory = Weight,
    activation: Callable[[], nn.Module] = nn.ReLU,
    init: Initializer | None = None,
) -> nn.Sequential:
    """Build linear layers of the given widths with an activation after each.

    Arguments:
        in_features: Size of each input.
        widths: Sizes of the outputs of the layers.
        make_weight: Wraps the weights, `Weight` or `SpectralWeight`.
        activation: Creates the activation.
        init: Initial weights by their shapes; None for those of `torch.nn.Linear`.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers += [Linear(in_features, width, make_weight=make_weight, init=init), activation()]
        in_features = width
    return nn.Sequential(*layers)
