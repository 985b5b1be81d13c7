"""`iidgan figure`: the figures of a run, or a published one with the trainings it shows."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from iidgan.bench.figures import draw_figures
from iidgan.bench.fill import train_runs
from iidgan.bench.folder import RunFolder
from iidgan.bench.papers import PICTURES
from iidgan.bench.picture import Picture
from iidgan.cli.filling import Filling, report_endings, watched
from iidgan.cli.parse import parse
from iidgan.errors import InputError, unknown
from iidgan.report import save


@dataclass(frozen=True, kw_only=True)
class Options(Filling):
    """Draws the figures of a run into its folder, or a published figure by its name.

    Published figures (iidgan list figures) train what they lack first, as tables do.
    """

    name: Annotated[str, tyro.conf.Positional]
    """Folder of a run, or name of a published figure."""
    quick: bool = False
    """Of a published figure: fewer or shorter runs, of smaller nets."""
    seed: int | None = None
    """Of a run: which training is shown; by default the first that did not diverge."""
    out: str | None = None
    """Folder for the figures; by default the run's, or docs/results."""


def figure_command(arguments: list[str]) -> int:
    options = parse(Options, "iidgan figure", arguments)
    if options.name in PICTURES:
        return _published(_profile(PICTURES[options.name], options), options)
    if options.quick:
        raise InputError("quick: the figures of a run have no profiles; leave it out")
    if not Path(options.name).exists() and "/" not in options.name:
        raise unknown("figure", options.name, PICTURES)
    folder = RunFolder(Path(options.name))
    for path in draw_figures(folder, Path(options.out or options.name), options.seed):
        print(path)
    return 0


def _profile(picture: Picture, options: Options) -> Picture:
    if not options.quick:
        return picture
    if picture.quick is None:
        known = ", ".join(name for name, each in PICTURES.items() if each.quick)
        raise InputError(f"quick: {options.name} has no quick profile; those with one: {known}")
    return picture.quick


def _published(picture: Picture, options: Options) -> int:
    place = options.place()
    missing = picture.missing(place)
    if missing and not options.train:
        lacking = ", ".join(label for label, _ in missing.values())
        raise InputError(f"train: these runs are missing: {lacking}")
    if missing:
        with watched(missing) as (news, stop):
            endings = train_runs(
                missing,
                picture.seeds,
                place,
                news=news,
                stop=stop,
                keep=picture.keep,
                checkpoints=picture.checkpoints,
            )
        if code := report_endings(endings, stop):
            return code
    out = Path(options.out or "docs/results") / f"{options.name}.png"
    print(save(picture.draw(picture.folders(place)), out))
    print(picture.title, file=sys.stderr)
    return 0
