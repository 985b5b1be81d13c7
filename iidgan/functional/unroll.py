"""Optimiser steps as a differentiable function of everything that the loss depends on.

Losses have no access to an optimiser, so these steps start with moments of zero.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Parameters = dict[str, Tensor]


def unrolled_adam(
    loss: Callable[[Parameters], Tensor],
    parameters: Parameters,
    steps: int,
    lr: float,
    *,
    decay: float | Tensor = 1.0,
    betas: tuple[float, float] = (0.5, 0.999),
    eps: float = 1e-8,
    second_order: bool = True,
) -> Parameters:
    """Compute the parameters after some steps of Adam, with initial moments m = v = 0.

        θ ← θ - lr m̂ / √(v̂ + ε²)

    Here ε is inside the root: with ε outside, as usual, the root has an infinite derivative where
    a gradient is exactly zero, as behind a dead ReLU. All parameters are concatenated to one
    vector, so that a step takes few operations for any number of layers.

    Arguments:
        loss: Function to minimise, parameters -> (S,); seeds share no parameter.
        parameters: Initial parameters, by name.
        steps: Number of steps; 0 returns the parameters themselves.
        lr: Learning rate.
        decay: Factor of the learning rate, such as of a schedule; a tensor has the shape ().
        betas: Decay of the averages of the gradient and of its square.
        eps: Gradients well below it give steps proportional to them.
        second_order: Whether gradients flow through the steps to what the loss depends on.

    Returns:
        Parameters by name, connected to what the loss depends on if `second_order`.

    References:
        Adam: A Method for Stochastic Optimization (Kingma and Ba, 2014),
        https://arxiv.org/abs/1412.6980; Unrolled Generative Adversarial Networks (Metz et al.,
        2016), https://arxiv.org/abs/1611.02163, for gradients through the steps

    Examples:
        >>> target = torch.tensor([[5.0]], requires_grad=True)
        >>> loss = lambda parameters: (parameters["w"] - target).square().sum(1)
        >>> parameters = unrolled_adam(loss, {"w": torch.zeros(1, 1)}, steps=1, lr=0.1)
        >>> parameters["w"].detach()  # the first step has length lr
        tensor([[0.1000]])
    """
    with torch.enable_grad():
        theta = torch.cat([value.flatten() for value in parameters.values()]).requires_grad_()
        mean_gradient = mean_square = torch.zeros_like(theta)
        for step in range(1, steps + 1):
            value = loss(_split_parameters(theta, parameters)).sum()
            (gradient,) = torch.autograd.grad(value, theta, create_graph=second_order)
            mean_gradient = torch.lerp(mean_gradient, gradient, 1 - betas[0])
            mean_square = torch.lerp(mean_square, gradient.square(), 1 - betas[1])
            bias_correction = 1 - betas[1] ** step
            step_size = lr * bias_correction**0.5 / (1 - betas[0] ** step)
            theta = torch.addcmul(
                theta,
                mean_gradient,
                decay * (mean_square + bias_correction * eps**2).rsqrt(),
                value=-step_size,
            )
    return _split_parameters(theta, parameters)


def _split_parameters(theta: Tensor, template: Parameters) -> Parameters:
    slices = theta.split([value.numel() for value in template.values()])
    return {
        name: flat_value.view(value.shape)
        for (name, value), flat_value in zip(template.items(), slices, strict=True)
    }
