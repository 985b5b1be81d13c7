"""`iidgan sweep`: the same tuning budget for every method of the synthetic tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

from iidgan.cli.options import Filling, Format, note_if_none, report_endings, show, watched
from iidgan.cli.parse import parse
from iidgan.errors import unknown
from iidgan.studies.papers import SWEEP
from iidgan.studies.train_missing import fill, lacking
from iidgan.studies.tuning import SEEDS


@dataclass(frozen=True, kw_only=True)
class Options(Filling):
    """Tunes methods: six short trials each, of learning rate and weights, on seeds of their own.

    Interrupted and started again, it goes on where it was. `iidgan table tuned` trains the best.
    """

    rows: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Names of rows of the synthetic table; by default all of them."""
    format: Format = "rich"
    """How the scores are printed."""
    runs: str = "runs/sweep"
    """Folder of the trainings."""


def sweep_command(arguments: list[str]) -> int:
    options = parse(Options, "iidgan sweep", arguments)
    for row in options.rows:
        if row not in SWEEP.rows:
            raise unknown("rows", row, SWEEP.rows)
    place = options.place()
    wanted = SWEEP.only(options.rows) if options.rows else SWEEP
    missing = lacking(wanted, SEEDS, place.rows()) if options.train else []
    code = 0
    if missing:
        with watched(missing) as (news, stop):
            endings = fill("sweep", missing, place, news=news, stop=stop)
        code = report_endings(endings, stop)
    rows = place.rows()
    note_if_none(rows, place.results)
    show(SWEEP.table(rows), options.format)
    return code
