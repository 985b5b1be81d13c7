"""`iidgan table`: train what a published table lacks, then print it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import tyro

from iidgan.cli.announcement import announce_missing, announce_training
from iidgan.cli.evaluate_features import show_progress
from iidgan.cli.options import (
    TableFormat,
    TrainMissingOptions,
    monitor_jobs,
    print_table,
    report_outcomes,
    resolve_seed_count,
    stopped_exit_code,
    warn_if_empty,
)
from iidgan.cli.parse import parse_options
from iidgan.cli.signals import interrupt_on_signals
from iidgan.cli.table_selection import ProfileOptions, resolve_table_name, select_table
from iidgan.engine.loop import StopRequest
from iidgan.errors import InputError, unknown_name_error
from iidgan.figures.comparison import save_figures
from iidgan.records import MetricRecord
from iidgan.studies.measure_scores import (
    ScoreJob,
    ScoreMeter,
    add_untrained,
    measure_scores,
    missing_scores,
)
from iidgan.studies.papers import RECIPES
from iidgan.studies.requirements import Requirements
from iidgan.studies.table_spec import TableSpec
from iidgan.studies.tabulate import tabulate
from iidgan.studies.train_missing import (
    TrainingJob,
    Workspace,
    check_results_dir,
    check_same_classifiers,
    missing_runs,
    train_missing,
)


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
    if options.train:
        work = _Work.collect(spec, spec.restrict_to(options.rows, options.data), workspace)
        if missing := Requirements.of_jobs(work.training_jobs, work.score_jobs).list_missing():
            announce_missing(f"table: {name}", missing)
            return 2
        exit_code = work.do(name, options, workspace)
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


@dataclass(frozen=True)
class _Work:
    """What the selected cells of a table lack.

    Arguments:
        spec: The whole table.
        records: Metric records of all runs so far.
        training_jobs: Runs to train.
        score_jobs: Scores to measure, of these and of trained runs.
    """

    spec: TableSpec
    records: Sequence[MetricRecord]
    training_jobs: Sequence[TrainingJob]
    score_jobs: Sequence[ScoreJob]

    @classmethod
    def collect(cls, spec: TableSpec, selected: TableSpec, workspace: Workspace) -> _Work:
        records, seeds = workspace.load_records(), range(spec.num_seeds)
        score_jobs = missing_scores(selected, seeds, records)
        incomplete_jobs = missing_runs(selected, seeds, records)
        training_jobs = add_untrained(incomplete_jobs, score_jobs, workspace)
        return cls(spec, records, training_jobs, score_jobs)

    def do(self, name: str, options: TableOptions, workspace: Workspace) -> int:
        """Train and measure, and return 0, or the exit code if something stopped or failed."""
        stop, exit_code = options.create_stop_request(), 0
        if self.training_jobs:
            check_same_classifiers(self.spec.runs, self._training_records, self.training_jobs)
            check_results_dir(workspace)
            announce_training(self.training_jobs, workspace)
            exit_code = _train_jobs(name, self.training_jobs, self.spec, options, workspace)
        if self.score_jobs and exit_code <= 1:  # others mean that it was stopped
            return _measure(name, self.score_jobs, workspace, stop) or exit_code
        return exit_code

    @property
    def _training_records(self) -> list[MetricRecord]:
        """Records of metrics that training measures, by the stored classifiers."""
        metrics = set().union(*self.spec.required_metrics.values())
        return [record for record in self.records if record.metric in metrics]


def _measure(name: str, jobs: Sequence[ScoreJob], workspace: Workspace, stop: StopRequest) -> int:
    """Measure scores, and return 0, or the exit code if the time was up before all were."""
    num_seeds = sum(len(job.seeds) for job in jobs)
    print(f"measuring scores on features of {num_seeds:,} seeds", file=sys.stderr)
    meter = ScoreMeter(workspace, show_progress)
    with interrupt_on_signals():
        is_complete = measure_scores(name, jobs, meter, workspace, stop=stop)
    if is_complete:
        return 0
    print("stopped; run the same command again to resume", file=sys.stderr)
    return stopped_exit_code(stop)


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


def _train_jobs(
    name: str,
    jobs: Sequence[TrainingJob],
    spec: TableSpec,
    options: TableOptions,
    workspace: Workspace,
) -> int:
    """Train runs and collect their records.

    Returns:
        0, or the exit code if training was stopped or failed.
    """
    with monitor_jobs(jobs, options) as (on_progress, stop):
        outcomes = train_missing(
            name,
            jobs,
            workspace,
            on_progress=on_progress,
            stop=stop,
            num_checkpoints=spec.num_checkpoints,
        )
    return report_outcomes(outcomes, stop)
