"""Cells of mean ± std with the published value beside them, in rows and blocks of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import Literal, get_args

from iidgan.errors import InputError
from iidgan.report import stats

Fate = Literal["diverged", "failed", "missing", "undefined"]
"""What befell a seed that gave no value: its training ended early, has not been made, or ended
well, and the value does not exist, such as the divergence of no samples."""
Status = Literal["done", Fate]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of a table, and how much of it there is.

    Arguments:
        row: Name of the row.
        column: Name of the column.
        status: `done`, or the first in the order of `Fate` that befell a seed.
        mean: Mean over the seeds that gave a value, or None where none did.
        std: Sample standard deviation over them, or None for fewer than two.
        n: Seeds that gave a value.
        failed: Seeds that were trained and gave none, so that `n + failed` were trained.
        missing: Seeds that have not been trained yet.
        values: The values themselves, one per seed.
        seeds: Which seed each value is of; empty where that is not known.
        fates: Seeds that gave no value, each with what befell it.
        published: Mean and standard deviation (or None) that a paper prints.
        decimals: Digits after the point of `mean` and `std`.
        block: Title of the block of rows that it belongs to.
        interval: Where the mean is expected to lie, or None where nobody asked.
    """

    row: str
    column: str
    status: Status = "missing"
    mean: float | None = None
    std: float | None = None
    n: int = 0
    failed: int = 0
    missing: int = 0
    values: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    fates: tuple[tuple[int, Fate], ...] = ()
    published: tuple[float, float | None] | None = None
    decimals: int = 2
    block: str = ""
    interval: tuple[float, float] | None = None

    def count(self, fate: Fate) -> int:
        """Counts the seeds that this befell."""
        return sum(each == fate for _, each in self.fates)


def measured(
    row: str,
    column: str,
    values: Sequence[float],
    *,
    seeds: Sequence[int] | None = None,
    fates: Sequence[tuple[int, Fate]] = (),
    published: tuple[float, float | None] | None = None,
    decimals: int = 2,
    block: str = "",
) -> Cell:
    """Makes a cell of one value per seed; one that is not finite is undefined.

    Arguments:
        row: Name of the row.
        column: Name of the column.
        values: One value per seed. If there is neither value nor fate, the cell is missing.
        seeds: Which seeds these are; by default 0, 1, ...
        fates: What befell the seeds that gave none.
        published: As in `Cell`.
        decimals: As in `Cell`.
        block: As in `Cell`.
    """
    known = range(len(values)) if seeds is None else seeds
    pairs = [(seed, float(value)) for seed, value in zip(known, values, strict=True)]
    finite = tuple(value for _, value in pairs if math.isfinite(value))
    undefined = ((seed, "undefined") for seed, value in pairs if not math.isfinite(value))
    lost: tuple[tuple[int, Fate], ...] = (*fates, *undefined)  # type: ignore[arg-type]
    there = {fate for _, fate in lost}
    missing = sum(fate == "missing" for _, fate in lost)
    return Cell(
        row=row,
        column=column,
        status=next((f for f in get_args(Fate) if f in there), "done" if finite else "missing"),
        mean=stats.mean(finite) if finite else None,
        std=stats.std(finite) if finite else None,
        n=len(finite),
        failed=len(lost) - missing,
        missing=missing,
        values=finite,
        seeds=tuple(seed for seed, value in pairs if math.isfinite(value)),
        fates=lost,
        published=published,
        decimals=decimals,
        block=block,
    )


def changed(after: Cell, before: Cell, row: str) -> Cell:
    """Makes the cell of the change from one cell to another, over the seeds that both have.

    A seed that one of them lacks is lost for the change. The interval is Student's, at 95 %.

    Arguments:
        after: The cell whose value counts.
        before: The cell that it is compared with.
        row: Name of the row of the change.
    """
    start = dict(zip(before.seeds, before.values, strict=True))
    end = dict(zip(after.seeds, after.values, strict=True))
    both = [seed for seed in end if seed in start]
    values = [end[seed] - start[seed] for seed in both]
    made = measured(
        row,
        after.column,
        values,
        seeds=both,
        fates=_joint(after.fates, before.fates),
        decimals=after.decimals,
        block=after.block,
    )
    return replace(made, interval=stats.t_interval(values) if len(values) > 1 else None)


_GRAVEST: tuple[Fate, ...] = ("missing", "diverged", "failed", "undefined")


def _joint(*lists: Sequence[tuple[int, Fate]]) -> list[tuple[int, Fate]]:
    """Says what befell pairs of trainings; a pair of which one is not made is not made."""
    befell: dict[int, set[Fate]] = {}
    for seed, fate in chain(*lists):
        befell.setdefault(seed, set()).add(fate)
    return [
        (seed, next(fate for fate in _GRAVEST if fate in fates))
        for seed, fates in sorted(befell.items())
    ]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Cells under a title; rows and columns stand in the order of their first appearance.

    Arguments:
        title: What the numbers are.
        cells: In any order; a place without a cell reads `missing`.
        notes: Lines below the table.

    Raises:
        InputError: Two cells share a place.
    """

    title: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        seen: set[tuple[str, str, str]] = set()
        for cell in self.cells:
            if (place := (cell.block, cell.row, cell.column)) in seen:
                raise InputError(f"cells: ({cell.row!r}, {cell.column!r}) is given twice")
            seen.add(place)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.column for cell in self.cells))

    @property
    def grid(self) -> tuple[tuple[Cell, ...], ...]:
        """Rows of cells, complete: a place that has none gets a missing one."""
        places = {(cell.block, cell.row, cell.column): cell for cell in self.cells}
        lines = dict.fromkeys((cell.block, cell.row) for cell in self.cells)
        return tuple(
            tuple(
                places.get((block, row, col), Cell(row=row, column=col, block=block))
                for col in self.columns
            )
            for block, row in lines
        )

    @property
    def blocks(self) -> dict[str, list[tuple[Cell, ...]]]:
        """The lines of `grid` by the title of their block."""
        grouped = groupby(self.grid, key=lambda line: line[0].block)
        return {block: list(lines) for block, lines in grouped}
