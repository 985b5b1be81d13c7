"""Reductions that leave the seed axis alone."""

from __future__ import annotations

from torch import Tensor


def mean(values: Tensor) -> Tensor:
    """Averages everything but the seed axis: (S, ...) -> (S,)."""
    return values.flatten(1).mean(1)
