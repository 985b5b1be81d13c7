r"""Steps of an optimiser as a function: differentiable in all that the loss depends on.

A loss never sees an optimiser, so these steps start with moments of their own, all zero.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Parameters = dict[str, Tensor]


def adam(
    loss: Callable[[Parameters], Tensor],
    parameters: Parameters,
    steps: int,
    lr: float,
    *,
    betas: tuple[float, float] = (0.5, 0.999),
    eps: float = 1e-8,
    second_order: bool = True,
) -> Parameters:
    r"""Computes where Adam gets to from `parameters`, with moments m = v = 0 at the start.

    .. math:: \theta \leftarrow \theta - lr \, \hat m \, / \sqrt{\hat v + \epsilon^2}

    Here \(\epsilon\) stands within the root: outside, as usual, the root has an infinite slope
    where a gradient is exactly zero, as it is behind a dead ReLU. All parameters are laid out in
    one vector, so that a step is a few operations however many layers there are.

    Kingma & Ba, *Adam: A Method for Stochastic Optimization*, 2014,
    https://arxiv.org/abs/1412.6980.

    Arguments:
        loss: What is minimised, parameters -> (S,); seeds share no parameter.
        parameters: Where to start, by name.
        steps: How many steps; none gives the parameters themselves.
        lr: Learning rate.
        betas: Decay of the averages of the gradient and of its square.
        eps: Gradients well below it give steps in proportion to them.
        second_order: Whether the steps are functions, or constants, of what the loss depends on.
    """
    with torch.enable_grad():
        flat = torch.cat([value.flatten() for value in parameters.values()]).requires_grad_()
        mean = square = torch.zeros_like(flat)
        for step in range(1, steps + 1):
            value = loss(_unflatten(flat, parameters)).sum()
            (slope,) = torch.autograd.grad(value, flat, create_graph=second_order)
            mean = torch.lerp(mean, slope, 1 - betas[0])
            square = torch.lerp(square, slope.square(), 1 - betas[1])
            shrink = 1 - betas[1] ** step
            rate = lr * shrink**0.5 / (1 - betas[0] ** step)
            flat = torch.addcmul(flat, mean, (square + shrink * eps**2).rsqrt(), value=-rate)
    return _unflatten(flat, parameters)


def _unflatten(flat: Tensor, like: Parameters) -> Parameters:
    parts = flat.split([value.numel() for value in like.values()])
    return {
        name: part.view(value.shape)
        for (name, value), part in zip(like.items(), parts, strict=True)
    }
