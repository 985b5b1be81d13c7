"""A published table as data: rows are runs, columns are a metric on a source.

What it lacks is trained; what it prints is a pure function of the rows on disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from iidgan.bench.rows import Row, append, read
from iidgan.bench.run import Run
from iidgan.core import Source
from iidgan.report import Cell, Table, measured


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: a value, measured on a source.

    Arguments:
        metric: Name of the value in the rows.
        source: Data that the runs of this column train on.
        decimals: Digits after the point.
    """

    metric: str
    source: Source
    decimals: int = 2


@dataclass(frozen=True, kw_only=True)
class Study:
    """A table to be reproduced.

    Arguments:
        title: What it shows, and where it was published.
        rows: A run for each row; the columns say on which source.
        columns: The columns, in order.
        seeds: How many trainings a mean is over.
        published: Mean and standard deviation by row and column, where they were published.
        quick_steps: Steps of the quick profile.
        notes: Sentences below the table.
    """

    title: str
    rows: Mapping[str, Run]
    columns: Mapping[str, Column]
    seeds: int
    published: Mapping[tuple[str, str], tuple[float, float | None]]
    quick_steps: int
    notes: tuple[str, ...] = ()

    def quick(self) -> Study:
        """Shortens every run."""
        rows = {name: replace(run, steps=self.quick_steps) for name, run in self.rows.items()}
        title = f"{self.title}; quick profile of {self.quick_steps:,} steps"
        return replace(self, rows=rows, title=title)

    def run(self, row: str, column: str) -> Run:
        return replace(self.rows[row], source=self.columns[column].source)

    def folder(self, run_id: str) -> str:
        """Names the folder of a run of this study."""
        return f"{run_id}-{self.seeds}-seeds"

    @cached_property
    def runs(self) -> dict[str, tuple[str, Run]]:
        """Lists the different runs by id, with the name of their row."""
        made = ((row, self.run(row, column)) for row in self.rows for column in self.columns)
        return {run.id: (row, run) for row, run in made}


def lacking(study: Study, rows: list[Row]) -> dict[str, tuple[str, Run]]:
    """Finds the runs of which a seed has no final row."""
    there = {(row.run, row.seed) for row in rows if _is_final(row, study)}
    return {
        run_id: named
        for run_id, named in study.runs.items()
        if any((run_id, seed) not in there for seed in range(study.seeds))
    }


def _is_final(row: Row, study: Study) -> bool:
    named = study.runs.get(row.run)
    return named is not None and (row.step == named[1].steps or row.diverged >= 0)


def collect(path: Path, study: Study, metrics: Path) -> None:
    """Copies the final rows of a finished run to the rows of the study."""
    known = {(row.run, row.seed, row.step, row.metric) for row in read(path)}
    final = [row for row in read(metrics) if _is_final(row, study)]
    last = max((row.step for row in final), default=0)
    fresh = [
        row
        for row in final
        if row.step == last and (row.run, row.seed, row.step, row.metric) not in known
    ]
    append(path, fresh)


def tabulate(study: Study, rows: list[Row]) -> Table:
    """Computes the cells of a study from rows."""
    cells = [_cell(study, row, column, rows) for row in study.rows for column in study.columns]
    return Table(title=study.title, cells=tuple(cells), notes=study.notes)


def _cell(study: Study, name: str, heading: str, rows: list[Row]) -> Cell:
    column, run = study.columns[heading], study.run(name, heading)
    published = study.published.get((name, heading))
    found = [
        row
        for row in rows
        if row.run == run.id
        and row.metric == column.metric
        and row.seed < study.seeds
        and _is_final(row, study)
    ]
    if not found:
        return Cell(row=name, column=heading, published=published, decimals=column.decimals)
    return measured(
        name,
        heading,
        [row.value for row in found if row.diverged < 0],
        failed=sum(row.diverged >= 0 for row in found),
        how="diverged" if any(row.diverged >= 0 for row in found) else "failed",
        published=published,
        decimals=column.decimals,
    )
