"""Paths between two codes."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

from iidgan.errors import InputError
from iidgan.latent.grid import LatentGrid

PathKind = Literal["slerp", "linear"]
MIN_PERPENDICULAR = 1e-7
"""Length of a perpendicular part of a unit vector below which it is taken for rounding."""


def slerp(a: Tensor, b: Tensor, shares: Tensor) -> Tensor:
    """Interpolate on the sphere: directions on their great circle, norms linearly.

        z(t) = ((1 - t) |a| + t |b|) (cos(t θ) u + sin(t θ) v)

    with u = a / |a|, the angle θ between a and b, and v the unit vector perpendicular to u in
    their plane. The norm never falls below that of the shorter code, as it does halfway on a
    straight line: in many dimensions no sample of the prior is there.

    Opposite codes have no plane of their own: v is then the axis that is closest to perpendicular,
    made so. In one dimension there is none, and the path is through 0. A code 0 has no direction,
    and gets that of the other one.

    Arguments:
        a: Codes at t = 0, (..., M).
        b: Codes at t = 1, (..., M).
        shares: Values of t, (T,).

    Returns:
        Codes, (..., T, M).

    References:
        * Animating Rotation with Quaternion Curves (Shoemake, 1985),
          https://doi.org/10.1145/325334.325242
        * Sampling Generative Networks (White, 2016), https://arxiv.org/abs/1609.04468

    Examples:
        >>> path = slerp(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 4.0]), torch.tensor([0.5]))
        >>> path  # at 45 degrees, with the mean norm of 3
        tensor([[2.1213, 2.1213]])
    """
    start, stop, t = a.double()[..., None, :], b.double()[..., None, :], shares.double()[:, None]
    start_norm, stop_norm = (code.norm(dim=-1, keepdim=True) for code in (start, stop))
    u = normalize(torch.where(start_norm > 0, start, stop), dim=-1)
    w = normalize(torch.where(stop_norm > 0, stop, start), dim=-1)
    v = _perpendicular_part(w, u)
    is_flat = v.norm(dim=-1, keepdim=True) < MIN_PERPENDICULAR
    v = normalize(torch.where(is_flat, _perpendicular_part(_least_axis(u), u), v), dim=-1)
    angle = 2 * torch.atan2((u - w).norm(dim=-1, keepdim=True), (u + w).norm(dim=-1, keepdim=True))
    directions = (t * angle).cos() * u + (t * angle).sin() * v
    return (torch.lerp(start_norm, stop_norm, t) * directions).to(a.dtype)


def _perpendicular_part(vectors: Tensor, units: Tensor) -> Tensor:
    return vectors - (vectors * units).sum(-1, keepdim=True) * units


def _least_axis(units: Tensor) -> Tensor:
    """Return the axis along which each vector has its smallest component."""
    dims = units.abs().argmin(dim=-1)
    return torch.nn.functional.one_hot(dims, units.shape[-1]).to(units.dtype)


def interpolate_linearly(a: Tensor, b: Tensor, shares: Tensor) -> Tensor:
    """Interpolate on a straight line, z(t) = (1 - t) a + t b.

    Arguments:
        a: Codes at t = 0, (..., M).
        b: Codes at t = 1, (..., M).
        shares: Values of t, (T,).

    Returns:
        Codes, (..., T, M).
    """
    return torch.lerp(a[..., None, :], b[..., None, :], shares[:, None])


def interpolate_codes(
    a: Tensor, b: Tensor, steps: int, path: PathKind = "slerp", *, latent_dim: int
) -> LatentGrid:
    """Interpolate between codes [z; c]: latents on a path, probabilities of classes linearly.

    Arguments:
        a: First codes, (n, M + K).
        b: Last codes, (n, M + K).
        steps: Number of codes of a path, with both ends.
        path: `slerp` or `linear`.
        latent_dim: Number M of latents.

    Raises:
        InputError: As for `interpolate`.

    Examples:
        >>> a, b = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[4.0, 0.0, 1.0]])
        >>> interpolate_codes(a, b, 3, latent_dim=1).z[0]
        tensor([[2.0000, 1.0000, 0.0000],
                [3.0000, 0.5000, 0.5000],
                [4.0000, 0.0000, 1.0000]])
    """
    latents = interpolate(a[:, :latent_dim], b[:, :latent_dim], steps, path)
    classes = interpolate(a[:, latent_dim:], b[:, latent_dim:], steps, "linear")
    return replace(latents, z=torch.cat([latents.z, classes.z], dim=-1))


PATHS = {"slerp": slerp, "linear": interpolate_linearly}


def interpolate(a: Tensor, b: Tensor, steps: int, path: PathKind = "slerp") -> LatentGrid:
    """Interpolate between pairs of codes, one pair per row, in equal steps from a to b.

    Arguments:
        a: First codes, (n, M).
        b: Last codes, (n, M).
        steps: Number of codes of a path, with both ends.
        path: `slerp` or `linear`.

    Raises:
        InputError: There are fewer than 2 steps, or the codes have different shapes.

    Examples:
        >>> grid = interpolate(torch.zeros(1, 2), torch.ones(1, 2), 3, "linear")
        >>> grid.z[0]
        tensor([[0.0000, 0.0000],
                [0.5000, 0.5000],
                [1.0000, 1.0000]])
    """
    if steps < 2:
        raise InputError(f"steps: must be >= 2, got {steps}")
    if a.shape != b.shape:
        raise InputError(f"b: expected as many codes as in a, got {len(b)} and {len(a)}")
    shares = torch.linspace(0, 1, steps)
    return LatentGrid(
        z=PATHS[path](a, b, shares),
        row_names=tuple(f"pair {row}" for row in range(len(a))),
        column_axis=path,
        column_values=tuple(shares.tolist()),
    )
