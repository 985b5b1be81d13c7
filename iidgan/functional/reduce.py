"""Reductions over all axes but the seed axis."""

from __future__ import annotations

from torch import Tensor


def mean_per_seed(values: Tensor) -> Tensor:
    """Compute the mean over everything but the seed axis.

    Arguments:
        values: Tensor with shape (S, ...).

    Returns:
        One value per seed, with shape (S,): what a loss of a `Player` or a `Term` returns.

    Examples:
        >>> import torch
        >>> mean_per_seed(torch.tensor([[1.0, 3.0], [10.0, 20.0]]))
        tensor([ 2., 15.])
    """
    return values.flatten(1).mean(1)
