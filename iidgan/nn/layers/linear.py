"""Fully connected layers for S seeds at once: one batched product instead of S small ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from iidgan.nn.layers.weight import Weight, WeightFactory


class Linear(nn.Module):
    """Affine layer (S, B, in) -> (S, B, out) with separate weights for each seed.

    Initialised like `torch.nn.Linear`: uniformly within one over the square root of
    `in_features`.

    Arguments:
        in_features: Size of each input.
        out_features: Size of each output.
        make_weight: Wraps the weight, `Weight` or `SpectralWeight`.

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.linear import Linear
        >>> layer = Linear(2, 3)
        >>> layer(torch.zeros(1, 5, 2)).shape, layer.weight().shape
        (torch.Size([1, 5, 3]), torch.Size([1, 2, 3]))
    """

    def __init__(
        self, in_features: int, out_features: int, *, make_weight: WeightFactory = Weight
    ) -> None:
        super().__init__()
        bound = in_features**-0.5
        self.weight = make_weight(
            torch.empty(1, in_features, out_features).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(1, 1, out_features).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x, self.weight())

    def input_matrix(self) -> Tensor:
        weight: Tensor = self.weight()
        return weight.mT


def build_hidden_layers(
    in_features: int, widths: tuple[int, ...], *, make_weight: WeightFactory = Weight
) -> nn.Sequential:
    """Build linear layers of the given widths with a ReLU after each.

    Arguments:
        in_features: Size of each input.
        widths: Sizes of the outputs of the layers.
        make_weight: Wraps the weights, `Weight` or `SpectralWeight`.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers += [Linear(in_features, width, make_weight=make_weight), nn.ReLU()]
        in_features = width
    return nn.Sequential(*layers)
