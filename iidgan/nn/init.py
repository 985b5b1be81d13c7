"""Initial values of weights, as functions of their shape (1, fan, fan, *kernel)."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor

Initializer = Callable[..., Tensor]


def normal_init(*shape: int) -> Tensor:
    """Draw from N(0, 0.02^2) (Radford et al., 2015, https://arxiv.org/abs/1511.06434)."""
    return 0.02 * torch.randn(shape)


def xavier_uniform(*shape: int, gain: float = 1.0) -> Tensor:
    r"""Draw uniformly with variance \(2 g^2 / (n_{in} + n_{out})\).

    References:
        Understanding the difficulty of training deep feedforward neural networks (Glorot and
        Bengio, 2010), https://proceedings.mlr.press/v9/glorot10a.html
    """
    bound = gain * (6 / ((shape[1] + shape[2]) * prod(shape[3:]))) ** 0.5
    return torch.empty(shape).uniform_(-bound, bound)


def fan_in_uniform(*shape: int) -> Tensor:
    """Draw uniformly within one over the square root of the fan-in of (1, out, in, *kernel).

    This is the default initialisation of `torch.nn.Conv2d`.
    """
    bound = prod(shape[2:]) ** -0.5
    return torch.empty(shape).uniform_(-bound, bound)
