"""`iidgan invert`: map samples to their latent codes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import tyro

from iidgan.cli.latent.model_options import ModelOptions, check_suffix, save_arrays
from iidgan.cli.parse import parse_options
from iidgan.data.array_files import read_samples
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class InvertOptions(ModelOptions):
    """Map samples to their latent codes."""

    input: Annotated[str, tyro.conf.arg(aliases=["-i"])]
    """Samples (n, *shape), in a .npz (its array x, or its only one), .npy or .csv file; images
    uint8 or in [-1, 1]."""
    out: str = "codes.npz"
    """.npz: arrays z (n, M) and x_cycled = G(z) (n, *shape)."""


def invert_command(arguments: list[str]) -> int:
    """Run `iidgan invert` and return its exit code.

    Arguments:
        arguments: Words of the command line after `invert`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(InvertOptions, "iidgan invert", arguments)
    out_path = check_suffix(options.out, (".npz",))
    model = options.load_model()
    samples = read_samples(options.input)
    for note in samples.notes:
        print(f"iidgan: {note}", file=sys.stderr)
    z = model.invert(samples.values)
    if not z.isfinite().all():
        row = int((~z.isfinite()).nonzero()[0, 0])
        raise InputError(
            f"input: the code of row {row} (counted from 0) is not finite: the seed diverged, or "
            "the sample is too far from the data"
        )
    save_arrays(out_path, z=z, x_cycled=model.generate(z))
    print(f"{out_path}: {len(z)} codes of seed {model.point.seeds[0]}")
    return 0
