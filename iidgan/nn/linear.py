"""Fully connected layers for S seeds at once: one batched product instead of S small ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Linear(nn.Module):
    """Creates an affine layer (S, B, in) -> (S, B, out), each seed with its own weights.

    Initialised like `torch.nn.Linear`: uniform within one over the root of `in_features`.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        bound = in_features**-0.5
        self.weight = nn.Parameter(torch.empty(1, in_features, out_features))
        self.bias = nn.Parameter(torch.empty(1, 1, out_features))
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x, self.weight)


def perceptron(in_features: int, hidden: tuple[int, ...], out_features: int) -> nn.Sequential:
    """Creates linear layers with a ReLU after each but the last."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [Linear(in_features, width), nn.ReLU()]
        in_features = width
    return nn.Sequential(*layers, Linear(in_features, out_features))
