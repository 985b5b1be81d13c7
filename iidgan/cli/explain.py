"""`iidgan why`: the runs and records behind a number of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from iidgan.cli.options import warn_if_empty
from iidgan.cli.parse import parse_options
from iidgan.cli.table_selection import ProfileOptions, resolve_table_name, select_table
from iidgan.config.run import Run
from iidgan.errors import unknown_name_error
from iidgan.records import MetricRecord, read_all_records
from iidgan.report.formats import format_cell, format_mean_std
from iidgan.studies.table_spec import Delta, FreshRow, Row, TableSpec
from iidgan.studies.tabulate import tabulate


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(ProfileOptions):
    """Print a cell with its run, its records with provenance, and the command that trains it."""

    table: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="TABLE")]
    """Name of the table."""
    row: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ROW")]
    """Name of the row."""
    column: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="COLUMN")]
    """Title of the column."""
    results: str = "results"
    """Folder of the metric records."""


def why_command(arguments: list[str]) -> int:
    """Run `iidgan why` and return its exit code.

    Arguments:
        arguments: Words of the command line after `why`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(ExplainOptions, "iidgan why", arguments)
    name = resolve_table_name(options.table)
    records = read_all_records(Path(options.results))
    warn_if_empty(records, options.results)
    spec = select_table(name, options, records)
    if options.row not in spec.row_names:
        raise unknown_name_error("row", options.row, spec.row_names)
    if options.column not in spec.columns:
        raise unknown_name_error("column", options.column, spec.columns)
    cells_by_position = {
        (cell.block, cell.row, cell.column): cell for cell in tabulate(spec, records).cells
    }
    for group_title, run in _find_runs(spec, options.row, options.column):
        value = format_cell(
            cells_by_position[group_title, options.row, options.column], format_mean_std
        )
        print(f"{value} | {options.row} | {options.column} | {group_title or spec.title}")
        print(*_explain_run(run, spec, options, records), sep="\n")
    return 0


def _find_runs(spec: TableSpec, row: str, column: str) -> list[tuple[str, Row]]:
    """List the title of each group that has the row, and what the row shows there."""
    dataset_name = spec.columns[column].dataset
    found_runs: list[tuple[str, Row]] = []
    for row_group in spec.row_groups:
        row_entry = row_group.rows.get(row)
        if row_entry is not None and dataset_name in row_group.datasets:
            run = row_group.get_run(row, dataset_name) if isinstance(row_entry, Run) else row_entry
            found_runs.append((row_group.title, run))
    return found_runs


def _explain_run(
    run: Row, spec: TableSpec, options: ExplainOptions, records: Sequence[MetricRecord]
) -> list[str]:
    if isinstance(run, Delta):
        return [f"difference per seed: {run.after!r} minus {run.before!r}; see these rows"]
    if isinstance(run, FreshRow):
        return ["independent samples of the true distribution; measured with the other rows"]
    column = spec.columns[options.column]
    final_records = column.select_records(
        (record for record in records if record.run == run.id),
        column.list_steps(run.steps, spec.num_checkpoints),
    )
    protocol_text = _format_facts(final_records[0].protocol) if final_records else "no records yet"
    return [
        f"run {run.id}: {json.dumps(run.to_dict(include_paths=False))}",
        f"{column.metric}: {protocol_text}",
        *map(_format_record, final_records),
        *_list_failures(run, final_records, records),
        f"trained by: iidgan table {options.table}{options.flags} "
        f"--rows {json.dumps(options.row)} --data {json.dumps(column.dataset)}",
    ]


def _format_record(record: MetricRecord) -> str:
    diverged_note = f" (diverged at step {record.diverged})" if record.diverged >= 0 else ""
    facts = _format_facts(record.provenance)
    return f"  seed {record.seed}: {record.value:g}{diverged_note}, {facts}"


def _list_failures(
    run: Run, final_records: Sequence[MetricRecord], records: Sequence[MetricRecord]
) -> list[str]:
    """List the failures of the seeds that have no final record."""
    complete_seeds = {record.seed for record in final_records}
    failed_records = [record for record in records if record.run == run.id and record.is_failure]
    return [
        f"  seed {failure.seed}: {failure.provenance.get('reason', 'failed')}"
        for failure in failed_records
        if failure.seed not in complete_seeds
    ]


def _format_facts(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
