"""Grids of latents: one latent per row, or a plane of two latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.training.model import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class LatentGrid:
    """Latents in rows and columns, and what changes along them.

    Arguments:
        z: Latents, (rows, columns, M).
        row_names: Name of each row; empty if rows have values.
        row_axis: What changes from row to row, if rows have values.
        row_values: Its value in each row; empty if rows have names.
        column_axis: What changes from column to column.
        column_values: Its value in each column.
        is_closed: Whether the last column is a neighbour of the first one.
    """

    z: Tensor
    row_names: tuple[str, ...] = ()
    row_axis: str = ""
    row_values: tuple[float, ...] = ()
    column_axis: str = ""
    column_values: tuple[float, ...] = ()
    is_closed: bool = False

    def generate(self, model: Model) -> Tensor:
        """Generate the samples of all latents.

        A mixture of generators chooses between them by the position in a batch. One batch is
        one column, so that the samples of a row are all of one generator.

        Arguments:
            model: The model.

        Returns:
            Samples, (rows, columns, *shape).
        """
        return torch.stack([model.generate(column) for column in self.z.unbind(1)], 1)


def traverse_latents(base: Tensor, dims: Sequence[int], values: Tensor) -> LatentGrid:
    """Vary one latent per row, and keep all others as in `base`.

    Arguments:
        base: Latents that are kept, (M,).
        dims: The varied latents, from 0.
        values: Their values, (columns,).

    Raises:
        InputError: There is no such latent, or none is varied.

    Examples:
        >>> grid = traverse_latents(torch.zeros(3), [2], torch.tensor([-1.0, 1.0]))
        >>> grid.z
        tensor([[[ 0.,  0., -1.],
                 [ 0.,  0.,  1.]]])
    """
    _check_dims("dims", dims, base)
    z = base.repeat(len(dims), len(values), 1)
    for row, dim in enumerate(dims):
        z[row, :, dim] = values
    names = tuple(name_latent(dim) for dim in dims)
    return LatentGrid(z=z, row_names=names, column_axis="z", column_values=tuple(values.tolist()))


def traverse_directions(
    base: Tensor, directions: Tensor, values: Tensor, names: Sequence[str]
) -> LatentGrid:
    """Move from `base` along one direction per row: z = base + value * direction.

    Arguments:
        base: Latents to start from, (M,).
        directions: Directions, (rows, M).
        values: Steps along each of them, (columns,).
        names: Names of the directions.

    Examples:
        >>> grid = traverse_directions(
        ...     torch.ones(2), torch.eye(2), torch.tensor([0.0, 3.0]), ["right", "up"]
        ... )
        >>> grid.z[1]
        tensor([[1., 1.],
                [1., 4.]])
    """
    z = base + values[None, :, None] * directions[:, None]
    return LatentGrid(
        z=z, row_names=tuple(names), column_axis="step", column_values=tuple(values.tolist())
    )


def cartesian_plane(base: Tensor, dims: tuple[int, int], values: Tensor) -> LatentGrid:
    """Vary two latents: the first one from left to right, the second one from bottom to top.

    Arguments:
        base: Latents that are kept, (M,).
        dims: The two varied latents, from 0.
        values: Values of both of them, (num,).

    Raises:
        InputError: There is no such latent, or both are the same.
    """
    _check_dims("plane", dims, base)
    column_grid, row_grid = torch.meshgrid(values, values.flip(0), indexing="xy")
    return LatentGrid(
        z=_set_plane(base, dims, column_grid, row_grid),
        row_axis=name_latent(dims[1]),
        row_values=tuple(values.flip(0).tolist()),
        column_axis=name_latent(dims[0]),
        column_values=tuple(values.tolist()),
    )


def polar_plane(base: Tensor, dims: tuple[int, int], radii: Tensor, angles: Tensor) -> LatentGrid:
    """Vary two latents in polar coordinates: the radius by row, the angle by column.

    Arguments:
        base: Latents that are kept, (M,).
        dims: The two varied latents, from 0.
        radii: Values of the radius, (rows,).
        angles: Values of the angle in radians, all around the circle, such as of `space_angles`,
            (columns,).

    Raises:
        InputError: There is no such latent, or both are the same.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Shi, Li and Yan,
        2021), https://arxiv.org/abs/2106.00563v1, Figures 10 and 11

    Examples:
        >>> from iidgan.latent import space_angles
        >>> grid = polar_plane(torch.zeros(2), (0, 1), torch.tensor([1.0, 2.0]), space_angles(4))
        >>> grid.z.norm(dim=-1)
        tensor([[1., 1., 1., 1.],
                [2., 2., 2., 2.]])
        >>> grid.column_values
        (0.0, 90.0, 180.0, 270.0)
    """
    _check_dims("plane", dims, base)
    angle_grid, radius_grid = torch.meshgrid(angles, radii, indexing="xy")
    z = _set_plane(base, dims, radius_grid * angle_grid.cos(), radius_grid * angle_grid.sin())
    return LatentGrid(
        z=z,
        row_axis="radius",
        row_values=tuple(radii.tolist()),
        column_axis="angle in degrees",
        column_values=tuple(angles.rad2deg().tolist()),
        is_closed=True,
    )


def name_latent(dim: int) -> str:
    """Return the name of a latent, as Python would index it.

    Arguments:
        dim: Its position, from 0.
    """
    return f"z[{dim}]"


def _set_plane(base: Tensor, dims: tuple[int, int], first: Tensor, second: Tensor) -> Tensor:
    z = base.repeat(*first.shape, 1)
    z[..., dims[0]], z[..., dims[1]] = first, second
    return z


def _check_dims(field: str, dims: Sequence[int], base: Tensor) -> None:
    if not dims or len(set(dims)) < len(dims):
        raise InputError(f"{field}: expected different latents, got {tuple(dims)}")
    for dim in dims:
        if not 0 <= dim < len(base):
            raise InputError(f"{field}: must be between 0 and {len(base) - 1}, got {dim}")
