"""`iidgan table`: train what a published table lacks, then print it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Annotated

import tyro

from iidgan.cli.options import (
    Filling,
    Format,
    note_if_none,
    number_of_seeds,
    report_endings,
    show,
    watched,
)
from iidgan.cli.parse import parse
from iidgan.errors import InputError, unknown
from iidgan.figures.comparison import draw_all
from iidgan.studies.papers import STUDIES
from iidgan.studies.table_spec import Study
from iidgan.studies.tabulate import tabulate
from iidgan.studies.train_missing import Place, ensure_same_classifiers, fill, lacking


@dataclass(frozen=True, kw_only=True)
class Options(Filling):
    """Trains what a table lacks, side by side on all cores, and prints it beside the paper's.

    Interrupted and started again, it goes on where it was; each row is kept as it is done.
    """

    name: Annotated[str, tyro.conf.Positional]
    """Name of the table: ring, synthetic, normality, plug-in, tuned or stacked."""
    quick: bool = False
    """Fewer steps, seeds or rows, or smaller nets: another table of its own."""
    seeds: int | None = None
    """Trainings per row; by default as the table says."""
    rows: tuple[str, ...] = ()
    """Train only these rows, by name; the others are printed as they are."""
    data: tuple[str, ...] = ()
    """Train only on these data sets, by name."""
    format: Format = "rich"
    """How the table is printed."""


def table_command(arguments: list[str]) -> int:
    options = parse(Options, "iidgan table", arguments)
    place = options.place()
    study = _study(options, place)
    stopped = _train(study, options, place) if options.train else 0
    rows = place.rows()
    table = tabulate(study, rows)
    note_if_none(rows, place.results)
    if rows and not table.cells:
        print("no rows yet: iidgan sweep makes the trials that choose them", file=sys.stderr)
    show(table, options.format)
    if study.drawn and options.train and not stopped:
        _draw(study, place)
    return stopped


def _draw(study: Study, place: Place) -> None:
    """Draws the runs of a small table, if they were trained here: rows alone have no samples."""
    seeds = range(study.seeds)
    folders = {row: place.folder(run, seeds) for row, run in study.runs.values()}
    if all(folder.arrays.exists() for folder in folders.values()):
        for figure in draw_all(folders, place.runs):
            print(figure, file=sys.stderr)


def _study(options: Options, place: Place) -> Study:
    if options.name not in STUDIES:
        raise unknown("table", options.name, STUDIES)
    study = STUDIES[options.name](place.rows())
    study = study.shortened() if options.quick else study
    seeds = number_of_seeds(options.seeds, study.seeds)
    if seeds != study.seeds:  # findings are of the usual number
        study = replace(study, seeds=seeds, findings=())
    for row in options.rows:
        if not study.names:
            raise InputError("rows: the table has none yet; train its sweep first: iidgan sweep")
        if row not in study.names:
            raise unknown("rows", row, study.names)
    for data in options.data:
        if data not in study.data:
            raise unknown("data", data, study.data)
    return study


def _train(study: Study, options: Options, place: Place) -> int:
    """Trains and collects what is missing; returns 0, or the exit code of an early end."""
    wanted = study.only(options.rows, options.data)
    rows = place.rows()
    missing = lacking(wanted, range(study.seeds), rows)
    if not missing:
        return 0
    ensure_same_classifiers(study.runs, rows, missing)
    with watched(missing) as (news, stop):
        endings = fill(
            options.name, missing, place, news=news, stop=stop, checkpoints=study.checkpoints
        )
    return report_endings(endings, stop)
