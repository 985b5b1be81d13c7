"""Tables: cells of mean ± std beside a published value, in rows and blocks of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import Literal, get_args

from iidgan.errors import InputError
from iidgan.report import stats

SeedStatus = Literal["diverged", "failed", "missing", "undefined"]
"""Status of a seed without a value: training diverged or failed, is missing, or finished and the
value does not exist, such as the divergence of no samples."""
CellStatus = Literal["done", SeedStatus]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of a table, with the status of its seeds.

    Arguments:
        row: Name of the row.
        column: Name of the column.
        status: `done`, or the first in the order of `SeedStatus` that a seed has.
        mean: Mean over the seeds that have a value, or None if none has.
        std: Sample standard deviation over them, or None for fewer than two.
        n: Number of seeds that have a value.
        failed: Number of trained seeds without a value, so that `n + failed` were trained.
        missing: Number of seeds that have not been trained yet.
        values: The values, one per seed.
        seeds: Seed of each value; empty if unknown.
        statuses: Seeds without a value, each with its status.
        published: Mean and standard deviation (or None) of a publication.
        decimals: Decimal places of `mean` and `std`.
        block: Title of its block of rows.
        interval: Confidence interval of the mean, or None.
    """

    row: str
    column: str
    status: CellStatus = "missing"
    mean: float | None = None
    std: float | None = None
    n: int = 0
    failed: int = 0
    missing: int = 0
    values: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    statuses: tuple[tuple[int, SeedStatus], ...] = ()
    published: tuple[float, float | None] | None = None
    decimals: int = 2
    block: str = ""
    interval: tuple[float, float] | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Block, row and column."""
        return self.block, self.row, self.column

    def count_seeds(self, status: SeedStatus) -> int:
        """Return the number of seeds with a status.

        Arguments:
            status: The status.
        """
        return sum(seed_status == status for _, seed_status in self.statuses)


def make_cell(
    row: str,
    column: str,
    values: Sequence[float],
    *,
    seeds: Sequence[int] | None = None,
    statuses: Sequence[tuple[int, SeedStatus]] = (),
    published: tuple[float, float | None] | None = None,
    decimals: int = 2,
    block: str = "",
) -> Cell:
    """Create a cell from one value per seed; values that are not finite are undefined.

    Arguments:
        row: Name of the row.
        column: Name of the column.
        values: One value per seed. Without values and statuses, the cell is missing.
        seeds: The seeds; by default 0, 1, ...
        statuses: Seeds without a value, each with its status.
        published: As in `Cell`.
        decimals: As in `Cell`.
        block: As in `Cell`.

    Examples:
        >>> cell = make_cell("GAN", "reverse KL", [0.5, 0.7, math.nan])
        >>> round(cell.mean, 2), cell.n, cell.statuses
        (0.6, 2, ((2, 'undefined'),))
    """
    value_seeds = range(len(values)) if seeds is None else seeds
    seed_values = [(seed, float(value)) for seed, value in zip(value_seeds, values, strict=True)]
    finite_pairs = [(seed, value) for seed, value in seed_values if math.isfinite(value)]
    finite_values = tuple(value for _, value in finite_pairs)
    undefined: list[tuple[int, SeedStatus]] = [
        (seed, "undefined") for seed, value in seed_values if not math.isfinite(value)
    ]
    all_statuses = (*statuses, *undefined)
    num_missing = sum(status == "missing" for _, status in all_statuses)
    return Cell(
        row=row,
        column=column,
        status=_summarise_statuses(all_statuses, has_values=bool(finite_values)),
        mean=stats.mean(finite_values) if finite_values else None,
        std=stats.std(finite_values) if finite_values else None,
        n=len(finite_values),
        failed=len(all_statuses) - num_missing,
        missing=num_missing,
        values=finite_values,
        seeds=tuple(seed for seed, _ in finite_pairs),
        statuses=all_statuses,
        published=published,
        decimals=decimals,
        block=block,
    )


def _summarise_statuses(
    statuses: Sequence[tuple[int, SeedStatus]], *, has_values: bool
) -> CellStatus:
    seed_statuses = {status for _, status in statuses}
    for status in _STATUS_ORDER:
        if status in seed_statuses:
            return status
    return "done" if has_values else "missing"


_STATUS_ORDER: tuple[SeedStatus, ...] = get_args(SeedStatus)


def difference_cell(after: Cell, before: Cell, row: str) -> Cell:
    """Create the cell of the differences between two cells, over the seeds that both have.

    A seed that one of them lacks is left out. The interval is Student's, at 95 %.

    Arguments:
        after: The cell of the new values.
        before: The cell of the values that are subtracted.
        row: Name of the row of the differences.

    Examples:
        >>> before = make_cell("GAN", "modes", [3, 4, 5], seeds=[0, 1, 2])
        >>> after = make_cell("GAN + IID", "modes", [8, 7], seeds=[0, 2])
        >>> difference_cell(after, before, "change").values
        (5.0, 2.0)
    """
    before_values = dict(zip(before.seeds, before.values, strict=True))
    after_values = dict(zip(after.seeds, after.values, strict=True))
    common_seeds = [seed for seed in after_values if seed in before_values]
    differences = [after_values[seed] - before_values[seed] for seed in common_seeds]
    cell = make_cell(
        row,
        after.column,
        differences,
        seeds=common_seeds,
        statuses=_merge_statuses(after.statuses, before.statuses),
        decimals=after.decimals,
        block=after.block,
    )
    return replace(cell, interval=stats.t_interval(differences) if len(differences) > 1 else None)


_PAIR_STATUS_ORDER: tuple[SeedStatus, ...] = ("missing", "diverged", "failed", "undefined")


def _merge_statuses(
    *cell_statuses: Sequence[tuple[int, SeedStatus]],
) -> list[tuple[int, SeedStatus]]:
    """Return the status of each seed in several cells; it is missing if it is in any of them."""
    statuses_by_seed: dict[int, set[SeedStatus]] = {}
    for seed, status in chain(*cell_statuses):
        statuses_by_seed.setdefault(seed, set()).add(status)
    return [
        (seed, next(status for status in _PAIR_STATUS_ORDER if status in statuses))
        for seed, statuses in sorted(statuses_by_seed.items())
    ]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Cells with a title; rows and columns are in the order of their first appearance.

    Arguments:
        title: Title of the table.
        cells: Cells in any order; an absent one is shown as `missing`, unless its whole block
            lacks the column.
        notes: Lines below the table.

    Raises:
        InputError: Two cells have the same block, row and column.

    Examples:
        >>> cells = (make_cell("GAN", "modes", [4]), make_cell("IID-GAN", "quality", [99]))
        >>> table = Table(title="Ring", cells=cells)
        >>> [[cell.status for cell in row_cells] for row_cells in table.grid]
        [['done', 'missing'], ['missing', 'done']]
    """

    title: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        cell_keys: set[tuple[str, str, str]] = set()
        for cell in self.cells:
            if cell.key in cell_keys:
                raise InputError(f"cells: ({cell.row!r}, {cell.column!r}) is given twice")
            cell_keys.add(cell.key)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.column for cell in self.cells))

    @property
    def grid(self) -> tuple[tuple[Cell, ...], ...]:
        """Rows of cells, complete in the columns of their block; absent cells are `missing`."""
        cells_by_key = {cell.key: cell for cell in self.cells}
        row_keys = dict.fromkeys((cell.block, cell.row) for cell in self.cells)
        columns_by_block: dict[str, dict[str, None]] = {}
        for cell in self.cells:
            columns_by_block.setdefault(cell.block, {})[cell.column] = None
        return tuple(
            tuple(
                cells_by_key.get((block, row, column), Cell(row=row, column=column, block=block))
                for column in self.columns
                if column in columns_by_block[block]
            )
            for block, row in row_keys
        )

    @property
    def blocks(self) -> dict[str, list[tuple[Cell, ...]]]:
        """The rows of `grid` by the title of their block."""
        grouped_rows = groupby(self.grid, key=lambda row_cells: row_cells[0].block)
        return {block: list(rows) for block, rows in grouped_rows}
