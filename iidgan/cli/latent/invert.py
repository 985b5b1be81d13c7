"""`iidgan invert`: map samples to their latent codes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from iidgan.cli.latent.inputs import read_inputs
from iidgan.cli.latent.model_options import ClassOptions, check_suffix, save_arrays
from iidgan.cli.options import SIZE
from iidgan.cli.parse import parse_options
from iidgan.data.prepare.resize import TargetSize
from iidgan.errors import InputError
from iidgan.figures.latent import plot_reconstructions
from iidgan.latent.inversion import Inversion, invert, refine
from iidgan.report import save_figure
from iidgan.training.model import Model, missing_inverse_error

MAX_LISTED = 16
"""Number of samples whose errors are printed."""


@dataclass(frozen=True, kw_only=True)
class InvertOptions(ClassOptions):
    """Map samples to their latent codes, and say how well G reproduces the samples.

    `error` is the mean squared difference of G(z) and x, and `quantile` the share of the prior
    that is closer to 0 than z: close to 1, G hardly ever makes such a sample. Of a conditional
    run, F also says the class, unless --label names it.
    """

    input: Annotated[str, tyro.conf.arg(aliases=["-i"], metavar="IMAGES|ARRAY")]
    """Samples: an image, a folder or an archive of images, or a run, as of `iidgan evaluate`; or
    an array (n, *shape) in a .npz (its array x, or its only one), .npy or .csv file, of images
    uint8 or in [-1, 1]."""
    size: Annotated[TargetSize | None, SIZE] = None
    """Side in pixels, or HEIGHTxWIDTH, to which images in files are cropped and resized first."""
    refine: int = 0
    """Steps of Adam on the codes, which start from F, or from 0 where a run has no F; such as
    200."""
    out: str = "codes.npz"
    """.npz: arrays z (n, M), x_cycled = G(z) (n, *shape), error and quantile (n,), and before
    refinement z_initial, x_initial and error_initial; of a conditional run, also probabilities of
    classes c (n, K)."""
    images: str | None = None
    """.png with the samples and their reconstructions, before and after refinement."""


def invert_command(arguments: list[str]) -> int:
    """Run `iidgan invert` and return its exit code.

    Arguments:
        arguments: Words of the command line after `invert`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(InvertOptions, "iidgan invert", arguments)
    out_path = check_suffix(options.out, (".npz",))
    if options.images is not None:
        check_suffix(options.images, (".png",), field="images")
    model = options.load_model()
    _check_inverse(options, model)
    inputs = read_inputs(options.input, model, options.size)
    initial = invert(model, inputs, label=options.label)
    refined = refine(model, initial, options.refine) if options.refine else initial
    stages = {"before": initial, "after": refined} if options.refine else {"": initial}
    if options.images is not None:
        save_figure(plot_reconstructions(stages), Path(options.images))
    _save_codes(out_path, initial, refined)
    _print_errors(stages)
    print(f"{out_path}: {len(refined.z)} codes of seed {model.point.seeds[0]}")
    return 0


def _check_inverse(options: InvertOptions, model: Model) -> None:
    """Check that codes have a start: F, or 0 if they are refined."""
    if model.has_inverse:
        return
    if not options.refine:
        raise InputError(f"{missing_inverse_error()}; or find codes without F by --refine 200")
    print("iidgan: this run has no inverse F; codes are refined from 0", file=sys.stderr)


def _save_codes(path: Path, initial: Inversion, refined: Inversion) -> None:
    arrays = {
        "z": refined.z,
        "x_cycled": refined.x_cycled,
        "error": refined.errors,
        "quantile": refined.radius_quantiles,
    }
    if refined.c.shape[1]:
        arrays["c"] = refined.c
    if refined is not initial:
        arrays |= {
            "z_initial": initial.z,
            "x_initial": initial.x_cycled,
            "error_initial": initial.errors,
        }
    save_arrays(path, **arrays)


def _print_errors(stages: Mapping[str, Inversion]) -> None:
    """Print a line per sample, of the first ones, and the means of all of them."""
    *_, last = stages.values()
    columns = {f"error {name}".strip(): stage.errors for name, stage in stages.items()}
    columns["quantile"] = last.radius_quantiles
    print("  ".join(["sample", *(f"{name:>12}" for name in columns)]))
    for row in range(min(len(last.z), MAX_LISTED)):
        _print_line(str(row), [values[row].item() for values in columns.values()])
    _print_line("mean", [values.mean().item() for values in columns.values()])


def _print_line(name: str, values: Sequence[float]) -> None:
    print("  ".join([f"{name:>6}", *(f"{value:12.4g}" for value in values)]))
