r"""Gradients of networks with respect to their inputs, for penalties: differentiable again."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from iidgan.functional.reduce import mean


def gradient(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    r"""Computes \(\nabla_x \sum_j f(x)_j\), itself differentiable in all that f depends on.

    Arguments:
        f: Map of samples to one number each, (S, B, ...) -> (S, B).
        x: Where; with shape (S, B, ...). No gradient flows back into it.

    Returns:
        The gradient of each sample, with the shape of `x`.
    """
    return gradient_by_value(f, x).reshape_as(x)


def gradient_by_value(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Computes `gradient`, laid flat by values of f: of a value of m samples, in all of them.

    Arguments:
        f: Map of samples to one number each, or to one for every m that follow each other,
            (S, m B, ...) -> (S, B).
        x: Where; with shape (S, m B, ...). No gradient flows back into it.

    Returns:
        One gradient for each value, with shape (S, B, N).
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        values = f(x)
        (found,) = torch.autograd.grad(values.sum(), x, create_graph=True)
    return found.reshape(*values.shape, -1)


def norm(x: Tensor) -> Tensor:
    """Computes norms over all but seeds and samples, whose own gradient at 0 is 0.

    (S, B, ...) -> (S, B).
    """
    found: Tensor = torch.linalg.vector_norm(x.flatten(2), dim=2)
    return found


def between(x: Tensor, y: Tensor, share: Tensor) -> Tensor:
    """Computes x + share (y - x), one share per sample: (S, B, ...), (S, B) -> (S, B, ...)."""
    return torch.lerp(x, y, share.view(*share.shape, *[1] * (x.dim() - 2)))


def slope_penalty(
    f: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, share: Tensor, centre: float = 1.0
) -> Tensor:
    r"""Computes \(E (|\nabla f| - c)^2\) between x and y, one `share` per sample: (S,)."""
    slopes = norm(gradient_by_value(f, between(x, y, share)))
    return mean((slopes - centre).square())


def mean_squared_slope(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    r"""Computes \(E |\nabla f|^2\) at x: (S,)."""
    return mean(gradient_by_value(f, x).square().sum(-1))
