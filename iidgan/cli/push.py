"""`iidgan push`: share a run as a repository of a hub."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import tyro

from iidgan.cli.options import PluginOptions
from iidgan.cli.parse import parse_options
from iidgan.sharing.hub import PushOptions, push
from iidgan.sharing.repository import CARD_FILE, write_repository
from iidgan.utils.files import read_regular_file


@dataclass(frozen=True, kw_only=True)
class PushCommandOptions(PluginOptions):
    """Push networks, config and model card of a run to the Hugging Face Hub.

    Log in first, with `hf auth login` or the variable HF_TOKEN. --dry-run shows what would be
    pushed, and needs neither.
    """

    run: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run directory, or a folder of the networks of one seed, such as best/seed-0."""
    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="USER/NAME")]
    """The repository; it is created if it does not exist."""
    seed: int | None = None
    """The only seed to push; by default all are."""
    licence: Annotated[str | None, tyro.conf.arg(aliases=["--license"])] = None
    """Licence of the weights, such as mit or cc-by-4.0; the data may decide on it."""
    private: bool = False
    """Create a private repository."""
    dry_run: bool = False
    """Show the files and the model card, and push nothing."""
    out: str | None = None
    """Folder that keeps the files; by default they are temporary."""


def push_command(arguments: list[str]) -> int:
    """Run `iidgan push` and return its exit code.

    Arguments:
        arguments: Words of the command line after `push`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(PushCommandOptions, "iidgan push", arguments)
    target = PushOptions(name=options.name, licence=options.licence, private=options.private)
    with nullcontext(options.out) if options.out else TemporaryDirectory() as parent:
        folder = Path(parent) if options.out else Path(parent, "repository")
        files = write_repository(
            options.run, folder, target, seed=options.seed, plugins=options.plugin
        )
        for file in files:
            print(f"{file.name}: {file.stat().st_size:,} bytes")
        if options.dry_run:
            card = read_regular_file(folder / CARD_FILE).decode()
            print(f"\n{card}\nnothing was pushed to {options.name}")
        else:
            print(f"pushed to {push(folder, target)}")
    return 0
