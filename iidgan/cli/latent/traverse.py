"""`iidgan traverse`: vary one latent at a time, or two in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from iidgan.cli.latent.grid_output import GRID_SUFFIXES, BaseOptions, save_grid
from iidgan.cli.latent.model_options import check_suffix
from iidgan.cli.parse import parse_options
from iidgan.errors import InputError
from iidgan.latent.grid import LatentGrid, cartesian_plane, polar_plane, traverse_latents
from iidgan.latent.spacing import Spacing, space_angles, space_latents, space_radii
from iidgan.training.model import Model

MAX_DEFAULT_ROWS = 8


def parse_dims(words: Sequence[str]) -> tuple[int, ...]:
    """Convert the value of a flag such as `0,3` to numbers.

    Arguments:
        words: The words of the value, of which there is one.

    Raises:
        ValueError: It has other words than numbers.

    Examples:
        >>> parse_dims(["0,3"])
        (0, 3)
    """
    try:
        return tuple(int(number) for number in words[0].split(","))
    except ValueError:
        raise ValueError(f"must be whole numbers such as 0,3, got {words[0]!r}") from None


DIMS = PrimitiveConstructorSpec[tuple[int, ...] | None](
    nargs=1,
    metavar="I,J,...",
    instance_from_str=parse_dims,
    is_instance=lambda value: value is None or isinstance(value, tuple),
    str_from_instance=lambda value: ["None" if value is None else ",".join(map(str, value))],
)
"""Flag of positions of latents."""


@dataclass(frozen=True, kw_only=True)
class TraverseOptions(BaseOptions):
    """Show what the latents of a generator control.

    One row per latent, with all others kept. Of two latents, by default where there are no more,
    a grid in their plane: the first from left to right, the second from bottom to top.
    """

    dims: Annotated[tuple[int, ...] | None, DIMS] = None
    """Latents of the rows, from 0; by default the first 8."""
    plane: Annotated[tuple[int, ...] | None, DIMS] = None
    """Two latents of a plane, instead of rows."""
    polar: bool = False
    """Show the plane in polar coordinates: a radius per row, the angle from left to right."""
    start: Annotated[float | None, tyro.conf.arg(name="from")] = None
    """First value; by default -2, or the radius 0."""
    stop: Annotated[float | None, tyro.conf.arg(name="to")] = None
    """Last value; by default 2, or the radius 3."""
    steps: int = 9
    """Number of values, and of angles."""
    spacing: Spacing = "uniform"
    """uniform: equal steps; quantiles: steps that are equally probable under the prior."""
    out: str = "traversal.png"
    """.png; .gif: images of all rows, moving through the columns; .npz: arrays x and z."""


def traverse_command(arguments: list[str]) -> int:
    """Run `iidgan traverse` and return its exit code.

    Arguments:
        arguments: Words of the command line after `traverse`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(TraverseOptions, "iidgan traverse", arguments)
    out_path = check_suffix(options.out, GRID_SUFFIXES)
    model = options.load_model()
    grid = _make_grid(options, model)
    save_grid(out_path, replace(grid, z=options.add_class(grid.z, model)), model)
    return 0


def _make_grid(options: TraverseOptions, model: Model) -> LatentGrid:
    base, plane = options.find_base(model), _choose_plane(options, model)
    if options.polar:
        if plane is None:
            raise InputError(
                f"polar: needs a plane; choose two of the {model.latent} latents with --plane I,J"
            )
        start, stop = _choose_bounds(options, 0.0, 3.0)
        radii = space_radii(start, stop, options.steps, options.spacing)
        return polar_plane(base, plane, radii, space_angles(options.steps))
    start, stop = _choose_bounds(options, -2.0, 2.0)
    values = space_latents(start, stop, options.steps, options.spacing)
    if plane is not None:
        return cartesian_plane(base, plane, values)
    dims = options.dims or tuple(range(min(model.latent, MAX_DEFAULT_ROWS)))
    return traverse_latents(base, dims, values)


def _choose_plane(options: TraverseOptions, model: Model) -> tuple[int, int] | None:
    """Return the two latents of a plane, or None for rows of one latent each."""
    if options.plane is None:
        return (0, 1) if model.latent == 2 and options.dims is None else None
    if options.dims is not None:
        raise InputError("plane: rows are chosen with --dims; leave out one of them")
    if len(options.plane) != 2:
        raise InputError(f"plane: expected two latents such as 0,1, got {options.plane}")
    return options.plane[0], options.plane[1]


def _choose_bounds(
    options: TraverseOptions, default_start: float, default_stop: float
) -> tuple[float, float]:
    return (
        default_start if options.start is None else options.start,
        default_stop if options.stop is None else options.stop,
    )
