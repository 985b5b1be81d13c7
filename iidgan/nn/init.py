"""Initial values of weights, as functions of their shape (1, fan, fan, *kernel)."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor, nn

Initializer = Callable[..., Tensor]


def normal_init(*shape: int) -> Tensor:
    """Draw from N(0, 0.02²), the initial weights of DCGAN.

    Arguments:
        *shape: Shape of the weight.

    References:
        Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
        Networks (Radford, Metz and Chintala, 2015), https://arxiv.org/abs/1511.06434
    """
    return 0.02 * torch.randn(shape)


def xavier_uniform(*shape: int, gain: float = 1.0) -> Tensor:
    """Draw uniformly with variance `2 gain² / (fan_in + fan_out)`.

    Arguments:
        *shape: Shape of the weight: (1, fan, fan, *kernel), in either order of the fans.
        gain: Factor on the standard deviation; sqrt(2) for layers that follow a ReLU.

    References:
        Understanding the difficulty of training deep feedforward neural networks (Glorot and
        Bengio, 2010), https://proceedings.mlr.press/v9/glorot10a.html

    Examples:
        >>> import torch
        >>> from iidgan.nn.init import xavier_uniform
        >>> _ = torch.manual_seed(0)
        >>> weight = xavier_uniform(1, 300, 100)
        >>> round(weight.var().item(), 4)  # 2 / 400
        0.005
    """
    bound = gain * (6 / ((shape[1] + shape[2]) * prod(shape[3:]))) ** 0.5
    return torch.empty(shape).uniform_(-bound, bound)


def he_normal(*shape: int, gain: float = 1.0, negative_slope: float = 0.0) -> Tensor:
    """Draw from a normal distribution of variance `2 gain² / ((1 + slope²) fan_in)`.

    Layers before a ReLU, or a LeakyReLU of that slope, then keep the scale of their inputs.

    Arguments:
        *shape: Shape of the weight, (1, out, in, *kernel).
        gain: Factor on the standard deviation.
        negative_slope: Slope of the LeakyReLU.

    References:
        Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet Classification
        (He, Zhang, Ren and Sun, 2015), https://arxiv.org/abs/1502.01852

    Examples:
        >>> import torch
        >>> from iidgan.nn.init import he_normal
        >>> _ = torch.manual_seed(0)
        >>> round(he_normal(1, 300, 50).var().item(), 2)  # 2 / 50
        0.04
    """
    variance = 2 / ((1 + negative_slope**2) * prod(shape[2:]))
    return gain * variance**0.5 * torch.randn(shape)


def orthogonal(*shape: int, gain: float = 1.0) -> Tensor:
    """Draw a matrix with orthonormal rows or columns, whichever are fewer, times `gain`.

    Arguments:
        *shape: Shape of the weight, (1, fan, fan).
        gain: Length of the rows or columns.

    References:
        Exact solutions to the nonlinear dynamics of learning in deep linear neural networks
        (Saxe, McClelland and Ganguli, 2013), https://arxiv.org/abs/1312.6120

    Examples:
        >>> import torch
        >>> from iidgan.nn.init import orthogonal
        >>> weight = orthogonal(1, 2, 5, gain=3.0)[0]
        >>> (weight @ weight.T).abs().round(decimals=3)
        tensor([[9., 0.],
                [0., 9.]])
    """
    return nn.init.orthogonal_(torch.empty(shape[1:]), gain)[None]


def fan_in_uniform(*shape: int) -> Tensor:
    """Draw uniformly within one over the square root of the fan-in.

    This is the default initialisation of `torch.nn.Conv2d`.

    Arguments:
        *shape: Shape of the weight, (1, out, in, *kernel).
    """
    bound = prod(shape[2:]) ** -0.5
    return torch.empty(shape).uniform_(-bound, bound)
