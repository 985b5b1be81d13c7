"""Random numbers of augmentations, from standard normal numbers."""

from __future__ import annotations

import torch
from torch import Tensor


def to_uniform(normals: Tensor) -> Tensor:
    """Map standard normal numbers to uniform numbers in [0, 1], by their distribution function.

    Arguments:
        normals: Normal numbers, of any shape.

    Examples:
        >>> to_uniform(torch.tensor([-9.0, 0.0, 9.0]))
        tensor([0.0000, 0.5000, 1.0000])
    """
    return torch.special.ndtr(normals)


def choose_index(normals: Tensor, num_choices: int) -> Tensor:
    """Map standard normal numbers to indices, each of them equally likely.

    Arguments:
        normals: Normal numbers, of any shape.
        num_choices: Number of indices, which start at 0.

    Returns:
        Whole numbers with the shape and dtype of `normals`.

    Examples:
        >>> choose_index(torch.tensor([-1.0, -0.1, 0.1, 1.0]), 2)
        tensor([0., 0., 1., 1.])
    """
    return (num_choices * to_uniform(normals)).floor().clamp_max(num_choices - 1)


def is_applied(normals: Tensor, probability: Tensor) -> Tensor:
    """Decide for each sample whether it is augmented.

    Arguments:
        normals: Normal numbers, with shape (S, B, ...).
        probability: Probability of each seed, with shape (S,).

    Returns:
        Booleans with the shape of `normals`.

    Examples:
        >>> is_applied(torch.tensor([[-1.0, 1.0]]), torch.tensor([0.5]))
        tensor([[ True, False]])
    """
    return to_uniform(normals) < probability.view(-1, *[1] * (normals.dim() - 1))
