"""Gradients of networks with respect to their inputs, themselves differentiable."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from iidgan.functional.reduce import mean_per_seed


def input_gradient(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    r"""Compute \(\nabla_x \sum_j f(x)_j\), itself differentiable in all that f depends on.

    Arguments:
        f: Map of samples to one number each, (S, B, ...) -> (S, B).
        x: Samples, with shape (S, B, ...). No gradient flows back to them.

    Returns:
        The gradient of each sample, with the shape of `x`.
    """
    return gradient_per_value(f, x).reshape_as(x)


def gradient_per_value(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Compute one flat gradient per value of f, with respect to all samples of that value.

    Arguments:
        f: Map of samples to one number each, or to one for every m consecutive samples,
            (S, m B, ...) -> (S, B).
        x: Samples, with shape (S, m B, ...). No gradient flows back to them.

    Returns:
        One gradient for each value, with shape (S, B, N).
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        values = f(x)
        (gradients,) = torch.autograd.grad(values.sum(), x, create_graph=True)
    return gradients.reshape(*values.shape, -1)


def sample_norms(values: Tensor) -> Tensor:
    """Compute the norm of each sample, with gradient 0 at 0: (S, B, ...) -> (S, B)."""
    norms: Tensor = torch.linalg.vector_norm(values.flatten(2), dim=2)
    return norms


def interpolate_samples(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """Compute x + w (y - x), with one weight w per sample: (S, B, ...), (S, B) -> (S, B, ...)."""
    return torch.lerp(x, y, weights.view(*weights.shape, *[1] * (x.dim() - 2)))


def gradient_norm_penalty(
    f: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, weights: Tensor, target_norm: float = 1.0
) -> Tensor:
    r"""Compute \(E (|\nabla f| - c)^2\) at `interpolate_samples(x, y, weights)`: (S,)."""
    gradient_norms = sample_norms(gradient_per_value(f, interpolate_samples(x, y, weights)))
    return mean_per_seed((gradient_norms - target_norm).square())


def mean_squared_gradient_norm(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    r"""Compute \(E |\nabla f|^2\) at x: (S,)."""
    return mean_per_seed(gradient_per_value(f, x).square().sum(-1))
