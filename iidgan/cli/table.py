"""`iidgan table`: train what a published table lacks, then print it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from iidgan.bench.compared import draw_all
from iidgan.bench.fill import Place, fill, to_train
from iidgan.bench.papers import STUDIES
from iidgan.bench.study import Study, tabulate
from iidgan.cli.filling import report_endings, watched
from iidgan.cli.parse import parse
from iidgan.errors import InputError, unknown
from iidgan.report import render, to_rich


@dataclass(frozen=True)
class Options:
    """Trains what a table lacks, side by side on all cores, and prints it beside the paper's.

    Interrupted and started again, it goes on where it was; each row is kept as it is done.
    """

    name: Annotated[str, tyro.conf.Positional]
    """Name of the table: ring, synthetic, normality, plug-in or tuned."""
    quick: bool = False
    """Fewer steps, and fewer seeds: another table of its own."""
    seeds: int | None = None
    """Trainings per row; by default as the table says."""
    rows: tuple[str, ...] = ()
    """Train only these rows, by name; the others are printed as they are."""
    train: bool = True
    """Train what is missing; without it, print what there is."""
    format: Literal["rich", "md", "tex", "csv", "json"] = "rich"
    """How the table is printed."""
    results: str = "results"
    """Folder of the rows."""
    runs: str = "runs/tables"
    """Folder of the trainings."""
    workers: int = os.cpu_count() or 1
    """Trainings at a time."""
    device: str = "auto"
    """cpu, cuda, ...; auto takes an accelerator if there is one."""
    executor: Literal["eager", "compiled"] = "eager"
    """How steps are carried out."""


def table_command(arguments: list[str]) -> int:
    options = parse(Options, "iidgan table", arguments)
    place = Place(
        results=Path(options.results),
        runs=Path(options.runs),
        workers=options.workers,
        device=options.device,
        executor=options.executor,
    )
    study = _study(options, place)
    stopped = _train(study, options, place) if options.train else 0
    table = tabulate(study, place.rows())
    if options.format == "rich":
        Console().print(to_rich(table))
    else:
        print(render(table, options.format), end="")
    if study.drawn and options.train and not stopped:
        folders = {row: place.folder(run, study.seeds) for row, run in study.runs.values()}
        for figure in draw_all(folders, place.runs):
            print(figure, file=sys.stderr)
    return stopped


def _study(options: Options, place: Place) -> Study:
    if options.name not in STUDIES:
        raise unknown("table", options.name, STUDIES)
    study = STUDIES[options.name](place.rows())
    study = study.quick() if options.quick else study
    if options.seeds is not None:
        if options.seeds < 1:
            raise InputError(f"seeds: {options.seeds} is too small; at least 1")
        study = replace(study, seeds=options.seeds)
    known = dict.fromkeys(row for block in study.blocks for row in block.rows)
    for row in options.rows:
        if row not in known:
            raise unknown("rows", row, known)
    if options.workers < 1:
        raise InputError(f"workers: {options.workers} is too small; at least 1")
    return study


def _train(study: Study, options: Options, place: Place) -> int:
    """Trains and collects what is missing; returns 0, or the exit code of an early end."""
    missing = to_train(study, place.rows(), options.rows)
    if not missing:
        return 0
    with watched(missing) as (news, stop):
        endings = fill(options.name, missing, study.seeds, place, news=news, stop=stop)
    return report_endings(endings, stop)
