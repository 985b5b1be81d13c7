"""Values that weights start from, as functions of shapes (1, fan, fan, *kernel)."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor

Start = Callable[..., Tensor]


def normal(*shape: int) -> Tensor:
    """Draws from N(0, 0.02) (Radford et al., 2015, https://arxiv.org/abs/1511.06434)."""
    return 0.02 * torch.randn(shape)


def xavier(*shape: int, gain: float = 1.0) -> Tensor:
    r"""Draws uniformly, with variance \(2 g^2 / (n_{in} + n_{out})\).

    References:
        Understanding the difficulty of training deep feedforward neural networks (Glorot and
        Bengio, 2010), https://proceedings.mlr.press/v9/glorot10a.html
    """
    bound = gain * (6 / ((shape[1] + shape[2]) * prod(shape[3:]))) ** 0.5
    return torch.empty(shape).uniform_(-bound, bound)


def fan_in(*shape: int) -> Tensor:
    """Draws uniformly within one over the root of the inputs of (1, out, in, *kernel).

    It is what `torch.nn.Conv2d` starts from.
    """
    bound = prod(shape[2:]) ** -0.5
    return torch.empty(shape).uniform_(-bound, bound)
