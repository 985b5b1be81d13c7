"""`iidgan sweep`: the same tuning budget for every method of the synthetic tables."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import tyro

from iidgan.cli.announcement import announce_training
from iidgan.cli.detach import detach_command
from iidgan.cli.options import (
    TableFormat,
    TrainMissingOptions,
    monitor_jobs,
    print_table,
    report_outcomes,
    warn_if_empty,
)
from iidgan.cli.parse import parse_options
from iidgan.errors import unknown_name_error
from iidgan.studies.papers import TUNING
from iidgan.studies.train_missing import check_results_dir, missing_runs, train_missing
from iidgan.studies.tuning import TUNING_SEEDS


@dataclass(frozen=True, kw_only=True)
class SweepOptions(TrainMissingOptions):
    """Tune methods: six short trials each, over learning rate and weights, on separate seeds.

    Rerunning the command resumes. `iidgan table tuned` trains the best trial of each method.
    """

    rows: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="ROWS")] = ()
    """Names of rows of the synthetic table; by default all of them."""
    format: TableFormat = "rich"
    """Output format of the scores."""
    runs: str = "runs/sweep"
    """Folder of the run directories."""


def sweep_command(arguments: list[str]) -> int:
    """Run `iidgan sweep` and return its exit code.

    Arguments:
        arguments: Words of the command line after `sweep`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(SweepOptions, "iidgan sweep", arguments)
    for row in options.rows:
        if row not in TUNING.rows:
            raise unknown_name_error("rows", row, TUNING.rows)
    if options.detach:
        return detach_command("sweep", arguments, options)
    workspace = options.create_workspace()
    selected_spec = TUNING.restrict_to(options.rows) if options.rows else TUNING
    records = workspace.load_records()
    missing_jobs = missing_runs(selected_spec, TUNING_SEEDS, records) if options.train else []
    exit_code = 0
    if missing_jobs:
        check_results_dir(workspace)
        announce_training(missing_jobs, workspace)
        with monitor_jobs(missing_jobs, options) as (on_progress, stop):
            outcomes = train_missing(
                "sweep", missing_jobs, workspace, on_progress=on_progress, stop=stop
            )
        exit_code = report_outcomes(outcomes, stop)
        records = workspace.load_records()
    warn_if_empty(records, workspace.results_dir)
    print_table(selected_spec.tabulate_scores(records), options.format)
    if options.format == "rich":
        print("discussion: docs/results/sweep.md", file=sys.stderr)
    return exit_code
