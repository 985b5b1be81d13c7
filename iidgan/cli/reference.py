"""`iidgan reference`: features of real samples in a file, to compare with anywhere."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import tyro

from iidgan.cli.evaluate_features import show_progress
from iidgan.cli.options import ExtractionOptions
from iidgan.cli.parse import parse_options
from iidgan.cli.signals import interrupt_on_signals
from iidgan.errors import InputError
from iidgan.sample_sets import create_extractor_for, open_data, write_reference
from iidgan.utils.device import resolve_device


@dataclass(frozen=True, kw_only=True)
class ReferenceOptions(ExtractionOptions):
    """Write features of real samples to a file, for --reference of evaluate and diagnose.

    The file has the features, their protocol, small pictures and labels; an existing one is
    replaced, and an interrupted call leaves nothing behind.
    """

    data: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="DATA")]
    """A prepared set or a source by name, a folder, an archive or an array."""
    out: str
    """File to write, .safetensors."""
    num: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """Number of samples, chosen at random; by default all."""


@interrupt_on_signals()
def reference_command(arguments: list[str]) -> int:
    """Run `iidgan reference` and return its exit code.

    Arguments:
        arguments: Words of the command line after `reference`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(ReferenceOptions, "iidgan reference", arguments)
    if options.num is not None and options.num < 1:
        raise InputError(f"num: must be >= 1, got {options.num}")
    samples = open_data(options.data, size=options.size, root=options.root)
    extractor = create_extractor_for(samples, options.features, resolve_device(options.device))
    with show_progress(options.data) as on_progress:
        reference = write_reference(
            options.out, samples, extractor, options.num, on_progress=on_progress
        )
    for note in samples.notes:
        print(f"iidgan: {note}", file=sys.stderr)
    protocol = reference.features.protocol
    print(
        f"{options.out}: {len(reference):,} of {reference.num_available:,} samples, "
        f"{protocol.num_features:,} features each ({protocol.extractor})"
    )
    return 0
