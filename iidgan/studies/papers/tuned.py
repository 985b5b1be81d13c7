"""Each method with the best of its trials, after the same tuning budget for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from iidgan.config.run import Run
from iidgan.records import MetricRecord
from iidgan.studies.papers.common import (
    DATASETS_AS_PRINTED,
    OTHER_RUNS,
    QUICK_PROFILE,
    TABLE_1_RUNS,
    VARIANT_RUNS,
    coverage_columns,
)
from iidgan.studies.table_spec import RowGroup, TableSpec
from iidgan.studies.tuning import TuningSpec, build_trials

TUNING = TuningSpec(
    rows=TABLE_1_RUNS | VARIANT_RUNS | OTHER_RUNS,
    datasets=DATASETS_AS_PRINTED,
    num_modes={"Ring": 8, "Grid": 25},
)


def build_tuned_table(records: Sequence[MetricRecord]) -> TableSpec:
    """Build the table of the methods all of whose trials are done, from the tuning records.

    Arguments:
        records: Metric records of the trials.
    """
    rows: dict[str, Run] = {}
    for row_name, run in TUNING.rows.items():
        trial_label = TUNING.best_trial(row_name, records)
        if trial_label is not None:
            rows[row_name] = run
            rows[f"{row_name} ({trial_label})"] = _full_length_run(row_name, trial_label)
    return TableSpec(
        title="2D-Ring and 2D-Grid, every method at the best of six trials of 6,000 steps",
        row_groups=(RowGroup(datasets=DATASETS_AS_PRINTED, rows=rows),),
        columns=coverage_columns("Ring") | coverage_columns("Grid"),
        quick=QUICK_PROFILE,
        notes=(
            "Each method as in the other tables and, below it, with the best of its six trials "
            "(iidgan sweep). In parentheses: the factor of its learning rate or weights, chosen "
            "on the seeds 100 and 101, which no table uses.",
        ),
    )


def _full_length_run(row_name: str, trial_label: str) -> Run:
    run = TUNING.rows[row_name]
    return replace(build_trials(run)[trial_label], steps=run.steps)
