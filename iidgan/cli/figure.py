"""`iidgan figure`: the figures of a run, or a published one with the trainings it shows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from iidgan.cli.options import Filling, number_of_seeds, report_endings, watched
from iidgan.cli.parse import parse
from iidgan.errors import InputError, unknown
from iidgan.figures.run import draw_figures
from iidgan.report import save
from iidgan.studies.figure_spec import Picture
from iidgan.studies.papers import PICTURES
from iidgan.studies.train_missing import Place, Training, train_runs
from iidgan.training.run_dir import RunFolder


@dataclass(frozen=True, kw_only=True)
class Options(Filling):
    """Draws the figures of a run into its folder, or a published figure by its name.

    Published figures (iidgan list figures) train what they lack first, as tables do.
    """

    name: Annotated[str, tyro.conf.Positional]
    """Folder of a run, or name of a published figure."""
    quick: bool = False
    """Of a published figure: fewer or shorter runs, or smaller nets."""
    seeds: int | None = None
    """Of a published figure: trainings per run; by default as the figure says."""
    seed: int | None = None
    """Of a run: which training is shown; by default the first that did not diverge."""
    out: str | None = None
    """Folder for the figures; by default the run's, or docs/results."""


def figure_command(arguments: list[str]) -> int:
    options = parse(Options, "iidgan figure", arguments)
    if options.name in PICTURES:
        return _published(_asked_for(options), options)
    for name in ("quick", "seeds"):
        if getattr(options, name):
            raise InputError(f"{name}: only published figures have it, not those of a run")
    if not Path(options.name).exists() and "/" not in options.name:
        raise unknown("figure", options.name, PICTURES)
    folder = RunFolder(Path(options.name))
    for path in draw_figures(folder, Path(options.out or options.name), options.seed):
        print(path)
    return 0


def _asked_for(options: Options) -> Picture:
    picture = PICTURES[options.name]
    if options.seed is not None:
        raise InputError("seed: published figures show the first one, or all; --seeds counts them")
    if options.quick and picture.runs:
        assert picture.quick is not None, "whatever is trained has a quick profile"
        picture = picture.quick
    return replace(picture, seeds=number_of_seeds(options.seeds, picture.seeds))


def _published(picture: Picture, options: Options) -> int:
    """Draws what there is, after training what is missing; returns the exit code."""
    place = options.place()
    missing = picture.missing(place)
    code = _train(picture, missing, place) if missing and options.train else 0
    if code > 1:  # stopped: the same command goes on
        return code
    there = picture.folders(place)
    lacking = ", ".join(label for label in picture.runs if label not in there)
    if lacking and not there:
        raise InputError(f"train: none of the runs is there: {lacking}")
    profile = "-quick" if options.quick else ""
    out = Path(options.out or "docs/results") / f"{options.name}{profile}.png"
    print(save(picture.draw(there), out))
    print(picture.title, file=sys.stderr)
    if lacking:
        print(f"not in it, for lack of a finished training: {lacking}", file=sys.stderr)
    return code


def _train(picture: Picture, missing: Sequence[Training], place: Place) -> int:
    with watched(missing) as (news, stop):
        endings = train_runs(
            missing,
            place,
            news=news,
            stop=stop,
            keep=picture.keep,
            checkpoints=picture.checkpoints,
        )
    return report_endings(endings, stop)
