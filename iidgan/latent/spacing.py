"""Values at which a latent is set: equally spaced, or equally probable under the prior."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from iidgan.errors import InputError

Spacing = Literal["uniform", "quantiles"]
MAX_QUANTILE_VALUE = 8.0
"""Largest latent whose probability differs from 1 in float64."""


def space_latents(start: float, stop: float, num: int, spacing: Spacing = "uniform") -> Tensor:
    """Compute values of one latent from `start` to `stop`.

    With `quantiles`, the prior N(0, 1) has the same probability between any two neighbours.

    Arguments:
        start: First value.
        stop: Last value, which may be smaller.
        num: Number of values.
        spacing: `uniform` or `quantiles`.

    Returns:
        Values, float32 (num,).

    Raises:
        InputError: There are fewer than 2 values, or the first and the last one are the same, not
            finite, or too far out for quantiles.

    Examples:
        >>> space_latents(-2, 2, 5)
        tensor([-2., -1.,  0.,  1.,  2.])
        >>> space_latents(-2, 2, 5, "quantiles")
        tensor([-2.0000, -0.6391,  0.0000,  0.6391,  2.0000])
    """
    if spacing == "uniform":
        return _space(start, stop, num)
    _check_quantile_bounds(start, stop)
    return _space_quantiles(start, stop, num, torch.special.ndtr, torch.special.ndtri)


def space_radii(start: float, stop: float, num: int, spacing: Spacing = "uniform") -> Tensor:
    """Compute values of the radius in a plane of two latents.

    With `quantiles`, the prior has the same probability between any two neighbours: the radius of
    N(0, I) in the plane has the chi distribution of two degrees of freedom,
    P(radius <= r) = 1 - exp(-r² / 2).

    Arguments:
        start: First value, at least 0.
        stop: Last value, at least 0.
        num: Number of values.
        spacing: `uniform` or `quantiles`.

    Returns:
        Values, float32 (num,).

    Raises:
        InputError: As for `space_latents`, or a radius is negative.

    Examples:
        >>> space_radii(0, 3, 4)
        tensor([0., 1., 2., 3.])
    """
    for name, radius in (("from", start), ("to", stop)):
        if radius < 0:
            raise InputError(f"{name}: a radius must be >= 0, got {radius:g}")
    if spacing == "uniform":
        return _space(start, stop, num)
    _check_quantile_bounds(start, stop)
    return _space_quantiles(start, stop, num, _radius_probability, _radius_quantile)


def space_angles(num: int) -> Tensor:
    """Compute angles around the circle, 0, 2 pi / num, ..., with none of them twice.

    Arguments:
        num: Number of angles.

    Returns:
        Angles in radians, float32 (num,).

    Examples:
        >>> space_angles(4).rad2deg()
        tensor([  0.,  90., 180., 270.])
    """
    return 2 * math.pi * torch.arange(num) / num


def _radius_probability(radii: Tensor) -> Tensor:
    return -torch.expm1(-radii.square() / 2)


def _radius_quantile(probabilities: Tensor) -> Tensor:
    return (-2 * torch.log1p(-probabilities)).sqrt()


def _space(start: float, stop: float, num: int) -> Tensor:
    if num < 2:
        raise InputError(f"steps: must be >= 2, got {num}")
    if start == stop:
        raise InputError(f"to: must differ from --from, got {stop:g} for both")
    for name, value in (("from", start), ("to", stop)):
        if not math.isfinite(value):
            raise InputError(f"{name}: must be finite, got {value}")
    position = torch.arange(num, dtype=torch.float64)
    values = ((num - 1 - position) * start + position * stop) / (num - 1)  # 0 is exact
    return values.float()


def _space_quantiles(
    start: float,
    stop: float,
    num: int,
    cdf: Callable[[Tensor], Tensor],
    inverse_cdf: Callable[[Tensor], Tensor],
) -> Tensor:
    _space(start, stop, num)  # checks them
    first, last = cdf(torch.tensor([start, stop], dtype=torch.float64)).tolist()
    return inverse_cdf(torch.linspace(first, last, num, dtype=torch.float64)).float()


def _check_quantile_bounds(*bounds: float) -> None:
    for name, bound in zip(("from", "to"), bounds):
        if abs(bound) > MAX_QUANTILE_VALUE:
            raise InputError(
                f"{name}: quantiles need values between -{MAX_QUANTILE_VALUE:g} and "
                f"{MAX_QUANTILE_VALUE:g}, got {bound:g}; use --spacing uniform"
            )
