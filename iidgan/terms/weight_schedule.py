"""Weights that increase over a run."""

from __future__ import annotations

from torch import Tensor

RAMP_START = 0.25  # share of the run by which codes are in order and only precision is lacking


def weight_schedule(final_factor: float, t: Tensor) -> Tensor | float:
    r"""Compute the factor of a weight at the share t of the run.

    .. math:: c^{\max(0, (t - t_0) / (1 - t_0))}, \quad t_0 = 1/4

    Arguments:
        final_factor: The factor c at the end of the run.
        t: Completed share of the run, in [0, 1], of shape ().
    """
    if final_factor == 1:
        return 1.0
    factor: Tensor = final_factor ** ((t - RAMP_START) / (1 - RAMP_START)).clamp_min(0)
    return factor
