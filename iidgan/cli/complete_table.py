"""Train and measure what a table, or a figure of a table's scores, lacks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal

from iidgan.cli.announcement import announce_missing, announce_training
from iidgan.cli.evaluate_features import show_progress
from iidgan.cli.options import TimeOptions, monitor_jobs, report_outcomes, stopped_exit_code
from iidgan.cli.signals import interrupt_on_signals
from iidgan.engine.loop import StopRequest
from iidgan.studies.measure_scores import (
    ScoreJob,
    ScoreMeter,
    add_untrained,
    measure_scores,
    missing_scores,
)
from iidgan.studies.requirements import Requirements
from iidgan.studies.table_spec import TableSpec
from iidgan.studies.train_missing import (
    TrainingJob,
    Workspace,
    check_results_dir,
    check_same_classifiers,
    missing_runs,
    train_missing,
)


def complete_table(
    name: str,
    spec: TableSpec,
    options: TimeOptions,
    workspace: Workspace,
    *,
    kind: Literal["table", "figure"] = "table",
    selected: TableSpec | None = None,
) -> int:
    """Train and measure what a table lacks, and append the records to those of its name.

    Arguments:
        name: Name of the table, or of the figure that shows it.
        spec: The table.
        options: The time after which everything stops.
        workspace: Where runs and records are stored.
        kind: Which of both has the name.
        selected: The table with the rows and data sets to complete; by default all.

    Returns:
        0; 2 if something must be had first, such as a data set, which is listed; or the exit code
        of what was stopped or failed.
    """
    selected = selected or spec
    records, seeds = workspace.load_records(), range(spec.num_seeds)
    score_jobs = missing_scores(selected, seeds, records)
    jobs = add_untrained(missing_runs(selected, seeds, records), score_jobs, workspace)
    if missing := Requirements.of_jobs(jobs, score_jobs).list_missing():
        announce_missing(f"{kind}: {name}", missing)
        return 2
    stop, exit_code = options.create_stop_request(), 0
    if jobs:
        metrics = set().union(*spec.required_metrics.values())
        training_records = [record for record in records if record.metric in metrics]
        check_same_classifiers(spec.runs, training_records, jobs)
        check_results_dir(workspace)
        announce_training(jobs, workspace)
        exit_code = _train_jobs(name, jobs, spec, options, workspace)
    if score_jobs and exit_code <= 1:  # others mean that it was stopped
        return _measure(name, score_jobs, workspace, stop) or exit_code
    return exit_code


def _train_jobs(
    name: str,
    jobs: Sequence[TrainingJob],
    spec: TableSpec,
    options: TimeOptions,
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
