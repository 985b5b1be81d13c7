"""A published table as data: rows are runs, columns are a value on a data set.

What it lacks is trained; what it prints is a pure function of the rows on disk.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from iidgan.bench.rows import Row
from iidgan.bench.run import Run
from iidgan.core import Source
from iidgan.report import Cell, Table, changed, measured

SEEDS = 5
"""Trainings that a mean is over, unless a table says otherwise."""

Published = Mapping[tuple[str, str], tuple[float, float | None]]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: a value, measured on a data set.

    Arguments:
        metric: Name of the value in the rows.
        data: Name of the data set in each block.
        decimals: Digits after the point.
    """

    metric: str
    data: str
    decimals: int = 2


@dataclass(frozen=True, kw_only=True)
class Change:
    """A row that tells how much row `after` differs from row `before` of the same block."""

    after: str
    before: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows that are measured on the same data.

    Arguments:
        title: What they have in common.
        data: Data sets by name; every run of the block is trained on each.
        rows: Runs, and changes between them, by the name of their row.
        published: Mean and standard deviation by row and column, where they were published.
    """

    title: str = ""
    data: Mapping[str, Source]
    rows: Mapping[str, Run | Change]
    published: Published = field(default_factory=dict)

    def run(self, row: str, data: str) -> Run:
        """The run of a row on one of the data sets."""
        run = self.rows[row]
        assert isinstance(run, Run), f"row {row!r} is a change, which is not trained"
        return replace(run, source=self.data[data])


@dataclass(frozen=True, kw_only=True)
class Quick:
    """What a table becomes for those who have little time.

    Arguments:
        steps: Steps of every run.
        seeds: How many trainings a mean is over.
        blocks: The rows, where they are others than the table's: fewer, or of smaller nets.
        checkpoints: How often a run is saved and measured on its way.
    """

    steps: int
    seeds: int = SEEDS
    blocks: tuple[Block, ...] = ()
    checkpoints: int = 12


@dataclass(frozen=True, kw_only=True)
class Study:
    """A table to be reproduced.

    Arguments:
        title: What it shows, and where it was published.
        blocks: Its rows.
        columns: The columns, in order.
        seeds: How many trainings a mean is over.
        checkpoints: How often a run is saved and measured on its way.
        quick: Its quick profile.
        drawn: Whether its runs are few enough to be drawn beside each other.
        notes: Sentences below the table.
    """

    title: str
    blocks: tuple[Block, ...]
    columns: Mapping[str, Column]
    seeds: int = SEEDS
    checkpoints: int = 12
    quick: Quick
    drawn: bool = False
    notes: tuple[str, ...] = ()

    def shortened(self) -> Study:
        """Gives the table of the quick profile, none of whose runs are those of this one."""
        quick = self.quick
        return replace(
            self,
            blocks=tuple(_shortened(block, quick.steps) for block in quick.blocks or self.blocks),
            title=f"{self.title}; quick profile of {quick.steps:,} steps",
            seeds=quick.seeds,
            checkpoints=quick.checkpoints,
        )

    def only(self, rows: Collection[str] = (), data: Collection[str] = ()) -> Study:
        """Leaves out all rows and data sets but those of these names; none given: keeps all."""
        rows, data = rows or self.names, data or self.data
        return replace(
            self,
            blocks=tuple(
                replace(block, rows={n: run for n, run in block.rows.items() if n in rows})
                for block in self.blocks
            ),
            columns={h: column for h, column in self.columns.items() if column.data in data},
        )

    @property
    def data(self) -> list[str]:
        """Lists the names of the data sets that columns are of."""
        return list(dict.fromkeys(column.data for column in self.columns.values()))

    @property
    def names(self) -> list[str]:
        """Lists the names of the rows; blocks may share them."""
        return list(dict.fromkeys(name for block in self.blocks for name in block.rows))

    @cached_property
    def runs(self) -> dict[str, tuple[str, Run]]:
        """Lists the different runs by id, each with the name of its row and its data set."""
        made = (
            (f"{row}, {data}", block.run(row, data))
            for data in self.data
            for block in self.blocks
            for row, run in block.rows.items()
            if isinstance(run, Run)
        )
        found: dict[str, tuple[str, Run]] = {}
        for name, run in made:
            found.setdefault(run.id, (name, run))
        return found


def _shortened(block: Block, steps: int) -> Block:
    rows = {
        name: replace(run, steps=steps) if isinstance(run, Run) else run
        for name, run in block.rows.items()
    }
    return replace(block, rows=rows)


def tabulate(study: Study, rows: list[Row]) -> Table:
    """Computes the cells of a study from rows."""
    by_run: dict[str, list[Row]] = {}
    for row in rows:
        if row.run in study.runs and row.seed < study.seeds:
            by_run.setdefault(row.run, []).append(row)
    cells = [cell for block in study.blocks for cell in _cells(study, block, by_run)]
    return Table(title=study.title, cells=tuple(cells), notes=study.notes)


def _cells(study: Study, block: Block, rows: Mapping[str, list[Row]]) -> list[Cell]:
    found: dict[tuple[str, str], Cell] = {}
    for name, run in block.rows.items():
        for heading in study.columns:
            found[name, heading] = (
                changed(found[run.after, heading], found[run.before, heading], name)
                if isinstance(run, Change)
                else _cell(study, block, (name, heading), rows)
            )
    return list(found.values())


def _cell(
    study: Study, block: Block, place: tuple[str, str], rows: Mapping[str, list[Row]]
) -> Cell:
    name, heading = place
    column = study.columns[heading]
    run = block.run(name, column.data)
    of_run = rows.get(run.id, [])
    final = [row for row in of_run if row.metric == column.metric and row.is_final(run.steps)]
    final.sort(key=lambda row: row.seed)
    healthy = [row for row in final if row.diverged < 0]
    diverged = len(final) - len(healthy)
    trained = {row.seed for row in final}
    gone = {row.seed for row in of_run if row.is_failure} - trained
    return measured(
        name,
        heading,
        [row.value for row in healthy],
        seeds=[row.seed for row in healthy],
        failed=diverged + len(gone),
        missing=study.seeds - len(trained | gone),
        how="diverged" if diverged else "failed",
        published=block.published.get(place),
        decimals=column.decimals,
        block=block.title,
    )
