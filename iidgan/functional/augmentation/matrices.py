"""Affine maps as homogeneous matrices, and random ones among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from iidgan.functional.augmentation.draws import is_applied

Shape = tuple[int, ...]
"""Shape of an image, (C, H, W)."""


def homogeneous(linear: Tensor, shift: Tensor) -> Tensor:
    """Return the matrices [[A, b], [0, 1]] of the affine maps x -> A x + b.

    Arguments:
        linear: Matrices A, with shape (..., n, n), which is broadcast.
        shift: Vectors b, with shape (..., n).

    Returns:
        Matrices, with shape (..., n + 1, n + 1).

    Examples:
        >>> homogeneous(torch.tensor([[2.0]]), torch.tensor([3.0]))
        tensor([[2., 3.],
                [0., 1.]])
    """
    n = shift.shape[-1]
    upper = torch.cat([linear.expand(*shift.shape, n), shift.unsqueeze(-1)], -1)
    return torch.cat([upper, pad(torch.ones_like(upper[..., :1, :1]), (n, 0))], -2)


@dataclass(frozen=True)
class RandomMatrix:
    """A random matrix, which is the identity where it is not applied.

    Arguments:
        build: Function of normal numbers, (S, B, num_draws), and the shape of an image; it returns
            matrices, with shape (S, B, n, n).
        num_draws: Number of normal numbers that it depends on.
        share: Function of the strength p that returns the probability of its application.
    """

    build: Callable[[Tensor, Shape], Tensor]
    num_draws: int = 1
    share: Callable[[Tensor], Tensor] = lambda p: p

    def draw(self, normals: Tensor, p: Tensor, shape: Shape) -> Tensor:
        """Return the matrix of each sample.

        Arguments:
            normals: Normal numbers, with shape (S, B, 1 + num_draws), of which the first decides
                whether the matrix is applied.
            p: Strength of each seed, with shape (S,).
            shape: Shape of an image.

        Returns:
            Matrices, with shape (S, B, n, n).
        """
        matrix = self.build(normals[..., 1:], shape)
        identity = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
        chosen = is_applied(normals[..., 0], self.share(p))
        return torch.where(chosen[..., None, None], matrix, identity)


def count_draws(factors: Sequence[RandomMatrix]) -> int:
    """Return how many normal numbers the product of random matrices depends on.

    Arguments:
        factors: The matrices.
    """
    return sum(1 + factor.num_draws for factor in factors)


def draw_product(
    factors: Sequence[RandomMatrix], normals: Tensor, p: Tensor, shape: Shape
) -> Tensor:
    """Return the product of random matrices, in the order in which they are given.

    Arguments:
        factors: The matrices, all of one size; at least one.
        normals: Normal numbers, with shape (S, B, count_draws(factors)).
        p: Strength of each seed, with shape (S,).
        shape: Shape of an image.

    Returns:
        Matrices, with shape (S, B, n, n).
    """
    parts = normals.split([1 + factor.num_draws for factor in factors], -1)
    product, *others = (factor.draw(part, p, shape) for factor, part in zip(factors, parts))
    for matrix in others:
        product = product @ matrix
    return product
