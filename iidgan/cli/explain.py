"""`iidgan why`: where a number of a table comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from iidgan.cli.options import note_if_none
from iidgan.cli.parse import parse
from iidgan.config.run import Run
from iidgan.errors import unknown
from iidgan.records import Row, read_all
from iidgan.report.formats import plain, sentence
from iidgan.studies.papers import STUDIES
from iidgan.studies.table_spec import Change, Study
from iidgan.studies.tabulate import tabulate


@dataclass(frozen=True)
class Options:
    """Prints a cell and what is behind it: the run, its rows with provenance, the command."""

    table: Annotated[str, tyro.conf.Positional]
    """Name of the table."""
    row: Annotated[str, tyro.conf.Positional]
    """Name of the row."""
    column: Annotated[str, tyro.conf.Positional]
    """Heading of the column."""
    quick: bool = False
    """Of the quick profile."""
    results: str = "results"
    """Folder of the rows."""


def why_command(arguments: list[str]) -> int:
    options = parse(Options, "iidgan why", arguments)
    if options.table not in STUDIES:
        raise unknown("table", options.table, STUDIES)
    rows = read_all(Path(options.results))
    note_if_none(rows, options.results)
    study = STUDIES[options.table](rows)
    study = study.shortened() if options.quick else study
    if options.row not in study.names:
        raise unknown("row", options.row, study.names)
    if options.column not in study.columns:
        raise unknown("column", options.column, study.columns)
    cells = {(cell.block, cell.row, cell.column): cell for cell in tabulate(study, rows).cells}
    for title, run in _found(study, options.row, options.column):
        shown = sentence(cells[title, options.row, options.column], plain)
        print(
            "\n".join(
                [
                    f"{shown} | {options.row} | {options.column} | {title or study.title}",
                    *_lines(run, study, options, rows),
                ]
            )
        )
    return 0


def _found(study: Study, row: str, column: str) -> list[tuple[str, Run | Change]]:
    """Lists what the row is in each block that has it."""
    data = study.columns[column].data
    return [
        (block.title, block.run(row, data) if isinstance(made, Run) else made)
        for block in study.blocks
        if (made := block.rows.get(row)) is not None
    ]


def _lines(run: Run | Change, study: Study, options: Options, rows: list[Row]) -> list[str]:
    if isinstance(run, Change):
        return [f"seed by seed, {run.after!r} less {run.before!r}; ask why of these"]
    column = study.columns[options.column]
    metric = column.metric
    there = sorted(
        (r for r in rows if (r.run, r.metric) == (run.id, metric) and r.is_final(run.steps)),
        key=lambda r: r.seed,
    )
    shown = [f"  seed {r.seed}: {r.value:g}{_fate(r)}, {_facts(r.provenance)}" for r in there]
    done = {r.seed for r in there}
    lost = [r for r in rows if r.run == run.id and r.is_failure and r.seed not in done]
    shown += [f"  seed {r.seed}: {r.provenance.get('reason', 'failed')}" for r in lost]
    return [
        f"run {run.id}: {json.dumps(run.to_dict(include_paths=False))}",
        f"{metric}, {_facts(there[0].protocol)}" if there else f"{metric}: no rows yet",
        *shown,
        f"trained by: iidgan table {options.table}{' --quick' if options.quick else ''} "
        f"--rows {json.dumps(options.row)} --data {json.dumps(column.data)}",
    ]


def _fate(row: Row) -> str:
    return f" (diverged at step {row.diverged})" if row.diverged >= 0 else ""


def _facts(facts: object) -> str:
    assert isinstance(facts, dict)
    return ", ".join(f"{name} {value}" for name, value in facts.items())
