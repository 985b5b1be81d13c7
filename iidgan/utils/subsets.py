"""Random parts of a set, the same every time."""

from __future__ import annotations

import torch


def choose_indices(num_samples: int, num: int | None, *, seed: int = 0) -> list[int]:
    """Choose a random part of a set, in increasing order.

    Arguments:
        num_samples: Number of samples of the set.
        num: Number of samples to choose; None or a larger number: all.
        seed: Seed of the choice, by an own generator.

    Examples:
        >>> choose_indices(5, None), len(choose_indices(1000, 10))
        ([0, 1, 2, 3, 4], 10)
    """
    if num is None or num >= num_samples:
        return list(range(num_samples))
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(num_samples, generator=generator)[:num].sort().values.tolist()
