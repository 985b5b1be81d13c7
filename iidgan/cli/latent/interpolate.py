"""`iidgan interpolate`: the way from one sample to another in the latent space."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import tyro
from torch import Tensor

from iidgan.cli.latent.grid_output import GRID_SUFFIXES, save_grid
from iidgan.cli.latent.inputs import read_inputs
from iidgan.cli.latent.model_options import ClassOptions, check_suffix
from iidgan.cli.options import SIZE, check_positive
from iidgan.cli.parse import parse_options
from iidgan.data.prepare.resize import TargetSize
from iidgan.errors import InputError
from iidgan.latent.paths import PathKind, interpolate_codes
from iidgan.training.model import Model, missing_inverse_error


@dataclass(frozen=True, kw_only=True)
class InterpolateOptions(ClassOptions):
    """Show samples on paths between codes: of your images, or of the prior.

    With --a and --b, the ends are F(a) and F(b), so G(F(a)) is shown rather than a itself. Of a
    conditional run, probabilities of classes change linearly, unless --label names a class.
    """

    a: Annotated[str | None, tyro.conf.arg(metavar="IMAGES|ARRAY")] = None
    """Samples at the start, one for each row: an image, or whatever `iidgan invert` reads."""
    b: Annotated[str | None, tyro.conf.arg(metavar="IMAGES|ARRAY")] = None
    """Samples at the end, as many."""
    size: Annotated[TargetSize | None, SIZE] = None
    """Side in pixels, or HEIGHTxWIDTH, to which images are cropped and resized first."""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 4
    """Number of pairs that are drawn from the prior, without --a and --b."""
    stream: int = 1
    """Number of the random stream of these pairs."""
    steps: int = 12
    """Number of samples of a path, with both ends."""
    path: PathKind = "slerp"
    """slerp: on the sphere, with a norm between those of the ends; linear: a straight line."""
    out: str = "interpolation.png"
    """.png; .gif: images of all rows, moving along their paths; .npz: arrays x and z."""


def interpolate_command(arguments: list[str]) -> int:
    """Run `iidgan interpolate` and return its exit code.

    Arguments:
        arguments: Words of the command line after `interpolate`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(InterpolateOptions, "iidgan interpolate", arguments)
    check_positive("num", options.num)
    out_path = check_suffix(options.out, GRID_SUFFIXES)
    model = options.load_model()
    start, stop = _find_ends(options, model)
    grid = interpolate_codes(start, stop, options.steps, options.path, latent_dim=model.latent)
    if options.label is not None:
        latents, _ = model.split_codes(grid.z)
        grid = replace(grid, z=options.add_class(latents, model))
    save_grid(out_path, grid, model)
    return 0


def _find_ends(options: InterpolateOptions, model: Model) -> tuple[Tensor, Tensor]:
    if options.a is None and options.b is None:
        prior = model.sample_prior(2 * options.num, stream=options.stream)
        return prior[: options.num], prior[options.num :]
    if options.a is None or options.b is None:
        present, missing = ("a", "b") if options.b is None else ("b", "a")
        raise InputError(f"{missing}: missing; --{present} alone is no path")
    if not model.has_inverse:
        raise InputError(f"{missing_inverse_error()}; or leave out --a and --b")
    start, stop = (
        model.invert(read_inputs(path, model, options.size)) for path in (options.a, options.b)
    )
    return start, stop
