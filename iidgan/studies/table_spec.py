"""A published table as data: rows are runs, columns are a value on a data set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from iidgan.config.run import Run
from iidgan.core import Source

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

    @property
    def ids(self) -> set[str]:
        """The ids of its runs."""
        rows = [row for row, run in self.rows.items() if isinstance(run, Run)]
        return {self.run(row, data).id for row in rows for data in self.data}


@dataclass(frozen=True, kw_only=True)
class Quick:
    """What a table becomes for those who have little time.

    Arguments:
        steps: Steps of every run.
        seeds: How many trainings a mean is over.
        blocks: The rows, where they are others than the table's: fewer, or of smaller nets.
        checkpoints: How often a run is saved and measured on its way.
        findings: What came out of it.
    """

    steps: int
    seeds: int = SEEDS
    blocks: tuple[Block, ...] = ()
    checkpoints: int = 12
    findings: tuple[str, ...] = ()


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
        notes: Sentences below the table, on what it holds.
        findings: Sentences below it on what came out, which another profile need not show.
    """

    title: str
    blocks: tuple[Block, ...]
    columns: Mapping[str, Column]
    seeds: int = SEEDS
    checkpoints: int = 12
    quick: Quick
    drawn: bool = False
    notes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    def shortened(self) -> Study:
        """Gives the table of the quick profile, none of whose runs are those of this one.

        Blocks that differ from others in their length alone are left out.
        """
        quick = self.quick
        blocks = [_shortened(block, quick.steps) for block in quick.blocks or self.blocks]
        return replace(
            self,
            blocks=_different(blocks),
            title=f"{self.title}; quick profile of {quick.steps:,} steps",
            seeds=quick.seeds,
            checkpoints=quick.checkpoints,
            findings=quick.findings,
        )

    def only(self, rows: Collection[str] = (), data: Collection[str] = ()) -> Study:
        """Leaves out all rows and data sets but those of these names; none given: keeps all.

        A change keeps the rows that it compares.
        """
        rows, data = rows or self.names, data or self.data
        return replace(
            self,
            blocks=tuple(replace(block, rows=_only(block.rows, rows)) for block in self.blocks),
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
    def asked(self) -> dict[str, set[str]]:
        """Lists by a run's id the names of the numbers that columns show of it."""
        found: dict[str, set[str]] = {}
        for _, data, run in self._made():
            metrics = {c.metric for c in self.columns.values() if c.data == data}
            found.setdefault(run.id, set()).update(metrics)
        return found

    @cached_property
    def runs(self) -> dict[str, tuple[str, Run]]:
        """Lists the different runs by id, each with the name of its row and its data set."""
        found: dict[str, tuple[str, Run]] = {}
        for row, data, run in self._made():
            found.setdefault(run.id, (f"{row}, {data}", run))
        return found

    def _made(self) -> Iterator[tuple[str, str, Run]]:
        for data in self.data:
            for block in self.blocks:
                for row, run in block.rows.items():
                    if isinstance(run, Run):
                        yield row, data, block.run(row, data)


def _only(rows: Mapping[str, Run | Change], names: Collection[str]) -> dict[str, Run | Change]:
    changes = [row for name, row in rows.items() if name in names and isinstance(row, Change)]
    kept = {*names, *(name for row in changes for name in (row.after, row.before))}
    return {name: row for name, row in rows.items() if name in kept}


def _different(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Leaves out blocks all of whose runs are in others, the last ones first."""
    kept = list(blocks)
    for block in reversed(blocks):
        others = [other for other in kept if other is not block]
        if block.ids <= set().union(*(other.ids for other in others)):
            kept = others
    return tuple(kept)


def _shortened(block: Block, steps: int) -> Block:
    rows = {
        name: replace(run, steps=steps) if isinstance(run, Run) else run
        for name, run in block.rows.items()
    }
    return replace(block, rows=rows)
