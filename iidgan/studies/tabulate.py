"""Compute the cells of a table from metric records; a pure function of the files on disk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from iidgan.config.run import Run
from iidgan.errors import InputError
from iidgan.records import FRESH_SUFFIX, MetricRecord, group_by_run
from iidgan.report import Cell, SeedStatus, Table, difference_cell, make_cell
from iidgan.studies.table_spec import Delta, FreshRow, RowGroup, TableSpec

_RecordsByRun = Mapping[str, list[MetricRecord]]


def tabulate(spec: TableSpec, records: list[MetricRecord]) -> Table:
    """Compute the cells of a table from metric records.

    Arguments:
        spec: The table.
        records: Records of its runs; records of other runs and seeds are ignored.

    Returns:
        The table, with a cell for every row and column.

    Raises:
        InputError: Records of one column were measured with different protocols.

    Examples:
        >>> from iidgan.studies.papers import TABLES
        >>> spec = TABLES["ring"](())
        >>> run_id, (name, run) = next(iter(spec.runs.items()))
        >>> records = [
        ...     MetricRecord(
        ...         run=run_id,
        ...         seed=seed,
        ...         step=run.steps,
        ...         metric="modes_1",
        ...         value=value,
        ...         diverged=-1,
        ...         protocol={},
        ...         provenance={},
        ...     )
        ...     for seed, value in enumerate([3.0, 4.0])
        ... ]
        >>> cell = tabulate(spec, records).cells[0]
        >>> cell.row, cell.column, cell.mean, cell.missing
        ('GAN', 'Ring modes (>= 1)', 3.5, 3)
    """
    records_by_run = group_by_run(record for record in records if record.seed < spec.num_seeds)
    cells = [
        cell for group in spec.row_groups for cell in _build_cells(spec, group, records_by_run)
    ]
    return Table(title=spec.title, cells=tuple(cells), notes=spec.all_notes)


def _build_cells(spec: TableSpec, group: RowGroup, records_by_run: _RecordsByRun) -> list[Cell]:
    cells: dict[tuple[str, str], Cell] = {}
    columns = [title for title, column in spec.columns.items() if column.dataset in group.datasets]
    for column_title in columns:
        _check_protocols(spec, group, column_title, records_by_run)
    for row_name, row in group.rows.items():
        for column_title in columns:
            position = row_name, column_title
            if isinstance(row, Delta):
                after, before = cells[row.after, column_title], cells[row.before, column_title]
                cells[position] = difference_cell(after, before, row_name)
            elif isinstance(row, FreshRow):
                cells[position] = _build_fresh_cell(spec, group, position, records_by_run)
            else:
                cells[position] = _build_cell(spec, group, position, records_by_run)
    return list(cells.values())


def _check_protocols(
    spec: TableSpec, group: RowGroup, column_title: str, records_by_run: _RecordsByRun
) -> None:
    column = spec.columns[column_title]
    runs = [
        group.get_run(row_name, column.dataset)
        for row_name, run in group.rows.items()
        if isinstance(run, Run)
    ]
    example_by_protocol: dict[frozenset[tuple[str, Any]], MetricRecord] = {
        frozenset(record.protocol.items()): record
        for run in runs
        for record in column.select_records(
            records_by_run.get(run.id, ()), column.list_steps(run.steps, spec.num_checkpoints)
        )
        if record.diverged < 0
    }
    if len(example_by_protocol) > 1:
        (protocol_a, record_a), (protocol_b, record_b) = list(example_by_protocol.items())[:2]
        raise InputError(
            f"results: {column.metric} was measured with different protocols: "
            f"{_format_settings(protocol_a - protocol_b)} for run {record_a.run}, "
            f"{_format_settings(protocol_b - protocol_a)} for run {record_b.run}; "
            "remove the rows of one protocol"
        )


def _format_settings(protocol: Collection[tuple[str, Any]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(protocol)) or "fewer settings"


def _build_cell(
    spec: TableSpec, group: RowGroup, position: tuple[str, str], records_by_run: _RecordsByRun
) -> Cell:
    row_name, column_title = position
    column = spec.columns[column_title]
    run = group.get_run(row_name, column.dataset)
    run_records = records_by_run.get(run.id, [])
    steps = column.list_steps(run.steps, spec.num_checkpoints)
    records = column.select_records(run_records, steps)
    values = {
        seed: column.scale * min(value_by_step.values())
        for seed, value_by_step in _group_by_step(records).items()
        if value_by_step.keys() == {*steps}
    }
    statuses: dict[int, SeedStatus] = dict.fromkeys(range(spec.num_seeds), "missing")
    statuses |= dict.fromkeys((r.seed for r in run_records if r.is_failure), "failed")
    statuses |= dict.fromkeys((r.seed for r in records if r.diverged >= 0), "diverged")
    return make_cell(
        row_name,
        column_title,
        list(values.values()),
        seeds=list(values),
        statuses=[(seed, status) for seed, status in statuses.items() if seed not in values],
        published=group.published.get(position),
        decimals=column.decimals,
        block=group.title,
    )


def _build_fresh_cell(
    spec: TableSpec, group: RowGroup, position: tuple[str, str], records_by_run: _RecordsByRun
) -> Cell:
    """Build the cell of fresh data, which have the same value for all runs and seeds."""
    row_name, column_title = position
    column = spec.columns[column_title]
    fresh_column = replace(column, metric=f"{column.metric}{FRESH_SUFFIX}")
    runs = [
        group.get_run(name, column.dataset)
        for name, run in group.rows.items()
        if isinstance(run, Run)
    ]
    values = [
        column.scale * record.value
        for run in runs
        for record in fresh_column.select_records(records_by_run.get(run.id, ()), (run.steps,))
    ]
    return make_cell(
        row_name, column_title, values[:1], decimals=column.decimals, block=group.title
    )


def _group_by_step(records: Iterable[MetricRecord]) -> dict[int, dict[int, float]]:
    """Return the values of each seed by step; a seed that diverged has none from then on."""
    values: dict[int, dict[int, float]] = {}
    for record in records:
        if record.diverged < 0:
            values.setdefault(record.seed, {})[record.step] = record.value
    return values
