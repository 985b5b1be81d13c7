"""From rows to the cells of a study: a table is a pure function of the rows on disk."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from iidgan.config.run import Run
from iidgan.errors import InputError
from iidgan.records import Row, by_run
from iidgan.report import Cell, Fate, Table, changed, measured
from iidgan.studies.table_spec import Block, Change, Study


def tabulate(study: Study, rows: list[Row]) -> Table:
    """Computes the cells of a study from rows.

    Raises:
        InputError: Rows of one column were measured in different ways.
    """
    there = by_run(row for row in rows if row.seed < study.seeds)
    cells = [cell for block in study.blocks for cell in _cells(study, block, there)]
    findings = study.findings if any(cell.n for cell in cells) else ()
    return Table(title=study.title, cells=tuple(cells), notes=(*study.notes, *findings))


def _cells(study: Study, block: Block, rows: Mapping[str, list[Row]]) -> list[Cell]:
    found: dict[tuple[str, str], Cell] = {}
    for heading in study.columns:
        _ensure_one_protocol(study, block, heading, rows)
    for name, run in block.rows.items():
        for heading in study.columns:
            found[name, heading] = (
                changed(found[run.after, heading], found[run.before, heading], name)
                if isinstance(run, Change)
                else _cell(study, block, (name, heading), rows)
            )
    return list(found.values())


def _ensure_one_protocol(
    study: Study, block: Block, heading: str, rows: Mapping[str, list[Row]]
) -> None:
    column = study.columns[heading]
    runs = [block.run(name, column.data) for name, r in block.rows.items() if isinstance(r, Run)]
    found: dict[frozenset[tuple[str, Any]], Row] = {
        frozenset(row.protocol.items()): row
        for run in runs
        for row in rows.get(run.id, ())
        if row.metric == column.metric and row.is_final(run.steps)
    }
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise InputError(
            f"results: {column.metric} was measured with {_facts(one - other)} for run "
            f"{first.run}, with {_facts(other - one)} for run {second.run}; these do not compare: "
            "remove the rows of one of them"
        )


def _facts(protocol: Collection[tuple[str, Any]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(protocol)) or "less"


def _cell(
    study: Study, block: Block, place: tuple[str, str], rows: Mapping[str, list[Row]]
) -> Cell:
    name, heading = place
    column = study.columns[heading]
    run = block.run(name, column.data)
    of_run = rows.get(run.id, [])
    final = [row for row in of_run if row.metric == column.metric and row.is_final(run.steps)]
    final.sort(key=lambda row: row.seed)
    values = {row.seed: row.value for row in final if row.diverged < 0}
    befell: dict[int, Fate] = dict.fromkeys(range(study.seeds), "missing")
    befell |= dict.fromkeys((row.seed for row in of_run if row.is_failure), "failed")
    befell |= dict.fromkeys((row.seed for row in final), "diverged")
    return measured(
        name,
        heading,
        list(values.values()),
        seeds=list(values),
        fates=[(seed, fate) for seed, fate in befell.items() if seed not in values],
        published=block.published.get(place),
        decimals=column.decimals,
        block=block.title,
    )
