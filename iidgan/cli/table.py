"""`iidgan table`: train what a published table lacks, then print it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import tyro

from iidgan.cli.complete_table import complete_table
from iidgan.cli.detach import detach_command
from iidgan.cli.options import (
    TableFormat,
    TrainMissingOptions,
    print_table,
    resolve_seed_count,
    warn_if_empty,
)
from iidgan.cli.parse import parse_options
from iidgan.cli.table_selection import ProfileOptions, resolve_table_name, select_table
from iidgan.errors import InputError, unknown_name_error
from iidgan.figures.comparison import save_figures
from iidgan.records import MetricRecord
from iidgan.studies.papers import RECIPES
from iidgan.studies.table_spec import TableSpec
from iidgan.studies.tabulate import tabulate
from iidgan.studies.train_missing import Workspace


@dataclass(frozen=True, kw_only=True)
class TableOptions(TrainMissingOptions, ProfileOptions):
    """Train what a table lacks, several runs at a time, and print it with the paper's numbers.

    Rerunning the command resumes; the records of each run are stored as soon as it ends. What is
    missing, such as a data set, is listed before anything is trained.
    """

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """Name of the table: ring, synthetic, stacked, ijcai-table-4, ... (iidgan list tables)."""
    seeds: int | None = None
    """Number of seeds per row; by default that of the table."""
    rows: tuple[str, ...] = ()
    """Names of the rows to train; the others are printed as they are."""
    data: tuple[str, ...] = ()
    """Names of the data sets to train on."""
    format: TableFormat = "rich"
    """Output format."""


def table_command(arguments: list[str]) -> int:
    """Run `iidgan table` and return its exit code.

    Arguments:
        arguments: Words of the command line after `table`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(TableOptions, "iidgan table", arguments)
    name = resolve_table_name(options.name)
    workspace = options.create_workspace()
    records = workspace.load_records()
    spec = _select_table(name, options, records)
    exit_code = 0
    selected = spec.restrict_to(options.rows, options.data)
    if options.detach:
        return detach_command("table", arguments, options)
    if options.train:
        exit_code = complete_table(name, spec, options, workspace, selected=selected)
        if exit_code == 2:  # something must be had first
            return exit_code
        records = workspace.load_records()
    table = tabulate(spec, records)
    warn_if_empty(records, workspace.results_dir)
    if records and not table.cells:
        print("no rows yet: run iidgan sweep, whose trials select them", file=sys.stderr)
    print_table(table, options.format)
    if options.format == "rich":
        page = "reproduce.md" if name in RECIPES else f"results/{name}.md"
        print(f"discussion: docs/{page}", file=sys.stderr)
    if spec.plot_runs and options.train and not exit_code:
        _draw_runs(spec, workspace)
    return exit_code


def _draw_runs(spec: TableSpec, workspace: Workspace) -> None:
    """Draw the runs of a small table if they were trained here: records contain no samples."""
    seeds = range(spec.num_seeds)
    run_dirs = {row: workspace.run_dir(run, seeds) for row, run in spec.runs.values()}
    if all(run_dir.arrays_file.exists() for run_dir in run_dirs.values()):
        for figure_path in save_figures(run_dirs, workspace.runs_dir):
            print(figure_path, file=sys.stderr)


def _select_table(name: str, options: TableOptions, records: Sequence[MetricRecord]) -> TableSpec:
    spec = select_table(name, options, records)
    spec = replace(spec, num_seeds=resolve_seed_count(options.seeds, spec.num_seeds))
    for row in options.rows:
        if not spec.row_names:
            raise InputError("rows: the table has no rows yet; run iidgan sweep first")
        if row not in spec.row_names:
            raise unknown_name_error("rows", row, spec.row_names)
    for dataset in options.data:
        if dataset not in spec.dataset_names:
            raise unknown_name_error("data", dataset, spec.dataset_names)
    return spec
