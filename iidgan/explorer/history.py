"""Curves of a run over training, from its log and its metric records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from iidgan.evaluation.coverage_monitor import COVERAGE_METRIC
from iidgan.figures.run import REGISTERED_CURVES
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import damage_as_input_error
from iidgan.utils.jsonl import read_lines

MAX_POINTS = 500
"""Largest number of steps of a curve; of longer ones, steps are left out evenly."""
GROUPS = {COVERAGE_METRIC: "coverage", "modes_100": "coverage", "clipped_coverage": "coverage"}
"""Group of metrics that say how much of the data is covered; others are `metrics`."""


def read_history(run_dir: RunDir) -> dict[str, Any]:
    """Read the curves of a run, which may still be training.

    Arguments:
        run_dir: The run directory.

    Returns:
        The answer to `history`, as `page/backend.js` describes it.

    Raises:
        InputError: A file is damaged.
    """
    run, seeds = run_dir.read_run()
    curves = [*_iterate_metrics(run_dir, seeds), *_iterate_losses(run_dir, seeds)]
    last_steps = [curve["steps"][-1] for curve in curves]
    return {
        "step": max(last_steps, default=0),
        "steps": run.steps,
        "isTraining": run_dir.is_in_use,
        "curves": curves,
    }


def _iterate_metrics(run_dir: RunDir, seeds: Iterable[int]) -> Iterator[dict[str, Any]]:
    records = run_dir.read_metric_records()
    for name in (COVERAGE_METRIC, *REGISTERED_CURVES):
        values = {(row.step, row.seed): row.value for row in records if row.metric == name}
        if len({step for step, _ in values}) > 1:
            yield _make_curve(name, GROUPS.get(name, "metrics"), values, seeds)


def _iterate_losses(run_dir: RunDir, seeds: Iterable[int]) -> Iterator[dict[str, Any]]:
    records = read_lines(run_dir.log_file)
    names = dict.fromkeys(name for record in records for name in record if "/" in name)
    with damage_as_input_error(run_dir.log_file):
        for name in names:
            values = {
                (record["step"], record["seed"]): float(record[name])
                for record in records
                if record.get(name) is not None
            }
            if values:
                yield _make_curve(name, "losses", values, seeds)


def _make_curve(
    name: str, group: str, values: Mapping[tuple[int, int], float], seeds: Iterable[int]
) -> dict[str, Any]:
    all_steps = sorted({step for step, _ in values})
    stride = math.ceil(len(all_steps) / MAX_POINTS)
    steps = all_steps[::-1][::stride][::-1]  # the last step is always shown
    columns = [[values.get((step, seed), math.nan) for step in steps] for seed in seeds]
    return {
        "name": name,
        "group": group,
        "seeds": [*seeds],
        "steps": steps,
        "values": [[v if math.isfinite(v) else None for v in column] for column in columns],
    }
