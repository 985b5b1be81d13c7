"""Fully connected layers for S seeds at once: one batched product instead of S small ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from iidgan.nn.layers.weight import Weight

Weighting = Callable[[Tensor], nn.Module]


class Linear(nn.Module):
    """Creates an affine layer (S, B, in) -> (S, B, out), each seed with its own weights.

    Initialised like `torch.nn.Linear`: uniform within one over the root of `in_features`.
    """

    def __init__(self, in_features: int, out_features: int, *, weight: Weighting = Weight) -> None:
        super().__init__()
        bound = in_features**-0.5
        self.weight = weight(torch.empty(1, in_features, out_features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(1, 1, out_features).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x, self.weight())


def hidden_layers(
    in_features: int, widths: tuple[int, ...], *, weight: Weighting = Weight
) -> nn.Sequential:
    """Creates linear layers with a ReLU after each."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += [Linear(in_features, width, weight=weight), nn.ReLU()]
        in_features = width
    return nn.Sequential(*layers)
