"""Weights that grow over a run."""

from __future__ import annotations

from torch import Tensor

START = 0.25  # of the run: by then codes lie in their order, and it is precision that is lacking


def grown(factor: float, t: Tensor) -> Tensor | float:
    r"""Computes by how much a weight has grown at the share t of the run.

    .. math:: c^{\max(0, (t - t_0) / (1 - t_0))}, \quad t_0 = 1/4

    Arguments:
        factor: The c to which it grows.
        t: Share of the run that is done, in [0, 1], with shape ().
    """
    if factor == 1:
        return 1.0
    made: Tensor = factor ** ((t - START) / (1 - START)).clamp_min(0)
    return made
