"""Weights that increase over a run."""

from __future__ import annotations

import math

from torch import Tensor

RAMP_START = 0.25  # share of the run by which codes are in order and only precision is lacking


def weight_schedule(final_factor: float, t: Tensor) -> Tensor | float:
    """Compute the factor of a weight at the share t of the run.

        c^max(0, (t - t₀) / (1 - t₀)), with t₀ = 1/4

    Arguments:
        final_factor: The factor c at the end of the run.
        t: Completed share of the run, in [0, 1], of shape ().

    Returns:
        The factor: 1 until t₀, then growing exponentially to c.

    Examples:
        >>> import torch
        >>> shares = torch.tensor([0.0, 0.25, 0.625, 1.0])
        >>> weight_schedule(100.0, shares)
        tensor([  1.,   1.,  10., 100.])
    """
    if final_factor == 1:
        return 1.0
    factor: Tensor = final_factor ** ((t - RAMP_START) / (1 - RAMP_START)).clamp_min(0)
    return factor


def cosine_schedule(final_factor: float, t: Tensor) -> Tensor | float:
    """Compute the factor of a weight that changes along half a cosine over the run.

        c + (1 - c) (1 + cos(π t)) / 2

    Arguments:
        final_factor: The factor c at the end of the run.
        t: Completed share of the run, in [0, 1], of shape ().

    Examples:
        >>> import torch
        >>> cosine_schedule(0.5, torch.tensor([0.0, 0.5, 1.0]))
        tensor([1.0000, 0.7500, 0.5000])
    """
    if final_factor == 1:
        return 1.0
    share: Tensor = (1 + (math.pi * t).cos()) / 2
    return final_factor + (1 - final_factor) * share
