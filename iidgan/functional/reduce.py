"""Reductions over all axes but the seed axis."""

from __future__ import annotations

from torch import Tensor


def mean_per_seed(values: Tensor) -> Tensor:
    """Average everything but the seed axis: (S, ...) -> (S,)."""
    return values.flatten(1).mean(1)
