"""`iidgan sweep`: the same tuning budget for every method of the synthetic tables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from iidgan.bench.fill import Place, fill
from iidgan.bench.papers import SWEEP
from iidgan.bench.sweep import SEEDS
from iidgan.cli.filling import report_endings, watched
from iidgan.cli.parse import parse
from iidgan.errors import InputError, unknown
from iidgan.report import render, to_rich


@dataclass(frozen=True)
class Options:
    """Tunes methods: six short trials each, of learning rate and weights, on seeds of their own.

    Interrupted and started again, it goes on where it was. `iidgan table tuned` trains the best.
    """

    rows: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Names of rows of the synthetic table; by default all of them."""
    train: bool = True
    """Train what is missing; without it, print what there is."""
    format: Literal["rich", "md", "tex", "csv", "json"] = "rich"
    """How the scores are printed."""
    results: str = "results"
    """Folder of the rows."""
    runs: str = "runs/sweep"
    """Folder of the trainings."""
    workers: int = os.cpu_count() or 1
    """Trainings at a time."""
    device: str = "auto"
    """cpu, cuda, ...; auto takes an accelerator if there is one."""
    executor: Literal["eager", "compiled"] = "eager"
    """How steps are carried out."""


def sweep_command(arguments: list[str]) -> int:
    options = parse(Options, "iidgan sweep", arguments)
    for row in options.rows:
        if row not in SWEEP.rows:
            raise unknown("rows", row, SWEEP.rows)
    if options.workers < 1:
        raise InputError(f"workers: {options.workers} is too small; at least 1")
    place = Place(
        results=Path(options.results),
        runs=Path(options.runs),
        workers=options.workers,
        device=options.device,
        executor=options.executor,
    )
    missing = SWEEP.lacking(place.rows(), options.rows) if options.train else {}
    code = 0
    if missing:
        with watched(missing) as (news, stop):
            endings = fill("sweep", missing, SEEDS, place, news=news, stop=stop)
        code = report_endings(endings, stop)
    table = SWEEP.table(place.rows())
    if options.format == "rich":
        Console().print(to_rich(table))
    else:
        print(render(table, options.format), end="")
    return code
