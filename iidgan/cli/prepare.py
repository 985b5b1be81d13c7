"""`iidgan prepare`: any images to one array that training reads."""

from __future__ import annotations

import itertools
import shlex
import signal
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

import tyro
from rich.console import Console

from iidgan.cli.classifier import prepare_classifier_command
from iidgan.cli.parse import parse
from iidgan.cli.progress import bars, teller
from iidgan.data import READERS, SOURCES
from iidgan.data.manifest import SKIPPED
from iidgan.data.prepare import SETS, Outcome, prepare
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import SUFFIX


@dataclass(frozen=True, kw_only=True)
class Options:
    """Makes one array of a set's images, which `iidgan train NAME` reads.

    Interrupted, it leaves nothing; the same command starts anew, or does nothing if all is done.
    """

    name: Annotated[str, tyro.conf.Positional]
    """mnist, fashion-mnist, ..., (iidgan list sets), the id of a data set on the Hub, or a name of
    your own for images of your own; or NAME-classifier, which trains what measures its images."""
    origin: Annotated[str | None, tyro.conf.arg(name="from")] = None
    """A folder, an archive or a file; or `hub`, which downloads."""
    size: int | None = None
    """Side of the images in pixels; by default the set's usual one, 64 for images of your own."""
    config: str | None = None
    """Configuration of a data set on the Hub that has several; it is named NAME-CONFIG."""
    split: str | None = None
    """Part of the set, such as test; by default the usual one. Another one is named NAME-SPLIT."""
    labels: str | None = None
    """`none`, `folders`, or a CSV file of names and labels; by default what the files suggest."""
    root: str | None = None
    """Folder of prepared sets; by default $IIDGAN_DATA, or `data` in the user's cache."""
    strict: bool = False
    """Stop at the first file that cannot be used, instead of leaving it out."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Lets SIGTERM end what runs as Ctrl-C does: what is half done is cleared away."""

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one would end the clearing
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@_terminable()
def prepare_command(arguments: list[str]) -> int:
    place = _place_of_name(arguments)
    if place is not None and arguments[place].endswith(SUFFIX):
        others = arguments[:place] + arguments[place + 1 :]
        return prepare_classifier_command(arguments[place], others)
    options = parse(Options, "iidgan prepare", arguments)
    taken = options.name in SOURCES and options.name not in SETS
    if taken or Path(options.name).suffix.lower() in READERS:
        raise InputError(f"name: {options.name!r} is a source of its own; choose another name")
    console = Console(stderr=True)
    with bars(console) as progress:
        outcome = prepare(
            options.name,
            origin=options.origin,
            size=options.size,
            config=options.config,
            split=options.split,
            labels=options.labels,
            root=options.root,
            strict=options.strict,
            progress=teller(progress, options.name, "images"),
            news=lambda text: console.print(text, highlight=False, markup=False),
        )
    _report(outcome, options.root)
    return 0


_ALONE = ("--strict", "--no-strict", "--help", "-h")


def _place_of_name(arguments: list[str]) -> int | None:
    """Finds the first word that is neither a flag nor the value of one."""
    for place, (before, word) in enumerate(itertools.pairwise(["", *arguments])):
        takes = before.startswith("-") and "=" not in before and before not in _ALONE
        if not takes and not word.startswith("-"):
            return place
    return None


def _report(outcome: Outcome, root: str | None) -> None:
    """Tells what there is, and what was left out, before anything is trained on it."""
    made = outcome.manifest
    kind = " x ".join(map(str, made.shape))
    labels = f"{len(made.label_counts)} labels" if made.label_counts else "no labels"
    already = "" if outcome.fresh else " there already:"
    print(f"{made.name}:{already} {made.count:,} images of {kind}, {labels}, in {outcome.folder}")
    if outcome.fresh:
        print(f"  made from {made.source}: {made.rule}")
    if made.labels:
        print(f"  labels: {textwrap.shorten(', '.join(made.labels), 100, placeholder=' ...')}")
    if left := sum(made.skipped.values()):
        print(f"  left out: {left:,} of {left + made.count:,} ({SKIPPED} names them)")
        for reason, count in made.skipped.items():
            first = next((skip for skip in outcome.skipped if skip.reason == reason), None)
            such = "" if first is None else f", such as {first.example}"
            print(f"    {count:,} x {reason}{such}")
    if made.enlarged:
        print(f"  {made.enlarged:,} images were smaller, and have been enlarged")
    where = "" if root is None else f" --root {shlex.quote(root)}"
    print(f"Next: iidgan train {made.name}{where}")
