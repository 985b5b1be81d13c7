"""Tuning with the same budget for every method: six trials, on seeds that no table uses."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from iidgan.config.run import Run
from iidgan.core import Method, Regularised, Source
from iidgan.engine.optim import Adam
from iidgan.records import MetricRecord, group_by_run
from iidgan.report import Cell, Table, make_cell, stats

_RecordsByRun = Mapping[str, Sequence[MetricRecord]]
TUNING_SEEDS = (100, 101)
TUNING_STEPS = 6_000
MODES_METRIC, QUALITY_METRIC = "modes_100", "quality"

# Factors of the common learning rate and of the method's weights. A method without weights gets
# two more learning rates instead.
RATE_FACTORS = (0.25, 0.5, 1.0, 2.0)
WEIGHT_FACTORS = (1 / 3, 3.0)
EXTRA_RATE_FACTORS = (0.7, 1.4)
UNCHANGED_TRIAL = "rate 1"
COLUMN_TITLES = (
    *(f"rate {factor:g}" for factor in RATE_FACTORS),
    *(
        f"weight {weight:.2g}, else rate {rate:g}"
        for weight, rate in zip(WEIGHT_FACTORS, EXTRA_RATE_FACTORS)
    ),
)


@dataclass(frozen=True, kw_only=True)
class TuningSpec:
    """A tuning of several methods.

    Arguments:
        rows: Run from which each method is tuned, by row name.
        datasets: Data sets by name; each trial is run on all of them.
        num_modes: Number of modes of each data set.
    """

    rows: Mapping[str, Run]
    datasets: Mapping[str, Source]
    num_modes: Mapping[str, int]

    @property
    def runs(self) -> dict[str, tuple[str, Run]]:
        """Runs of all trials by id, each with a display name."""
        return {
            run.id: (f"{row_name}, {trial_label}, {dataset_name}", run)
            for row_name in self.rows
            for trial_label in build_trials(self.rows[row_name])
            for dataset_name, run in self.trial_runs(row_name, trial_label).items()
        }

    @property
    def required_metrics(self) -> dict[str, tuple[str, ...]]:
        """Metrics that the score of a trial is computed from, by run id."""
        return dict.fromkeys(self.runs, (MODES_METRIC, QUALITY_METRIC))

    def trial_runs(self, row_name: str, trial_label: str) -> dict[str, Run]:
        """Return the runs of one trial, by data set.

        Arguments:
            row_name: Name of the row.
            trial_label: Label of the trial, as of `build_trials`.
        """
        run = replace(build_trials(self.rows[row_name])[trial_label], steps=TUNING_STEPS)
        return {name: replace(run, source=source) for name, source in self.datasets.items()}

    def _compute_scores(
        self, row_name: str, trial_label: str, records_by_run: _RecordsByRun
    ) -> list[float]:
        """Compute the share of modes times the share of good samples, per data set and seed.

        A mode counts with at least 100 samples. A seed that diverged or failed scores 0; a seed
        that has not been trained yet is NaN.
        """
        return [
            self._score_seed(run, seed, self.num_modes[name], records_by_run.get(run.id, ()))
            for name, run in self.trial_runs(row_name, trial_label).items()
            for seed in TUNING_SEEDS
        ]

    def _score_seed(
        self, run: Run, seed: int, num_modes: int, records: Sequence[MetricRecord]
    ) -> float:
        seed_records = [record for record in records if record.seed == seed]
        by_metric = {r.metric: r for r in seed_records if r.at_end(run.steps)}
        if by_metric.keys() >= {MODES_METRIC, QUALITY_METRIC}:
            modes, quality = by_metric[MODES_METRIC], by_metric[QUALITY_METRIC]
            score = modes.value / num_modes * quality.value / 100
            return score if quality.diverged < 0 else 0.0
        return 0.0 if any(record.is_failure for record in seed_records) else math.nan

    def best_trial(self, row_name: str, records: Sequence[MetricRecord]) -> str | None:
        """Return the label of the trial with the highest mean score, or None until all are done.

        The score of a seed is its share of modes times its share of good samples. Among equal mean
        scores the unchanged setting wins, then the first trial.

        Arguments:
            row_name: Name of the row.
            records: Metric records of the trials.
        """
        return self._best_trial(row_name, group_by_run(records))

    def _best_trial(self, row_name: str, records_by_run: _RecordsByRun) -> str | None:
        mean_scores = {
            label: stats.mean(self._compute_scores(row_name, label, records_by_run))
            for label in build_trials(self.rows[row_name])
        }
        if any(math.isnan(score) for score in mean_scores.values()):
            return None
        return max(mean_scores, key=lambda label: (mean_scores[label], label == UNCHANGED_TRIAL))

    def restrict_to(self, row_names: Collection[str]) -> TuningSpec:
        """Keep only the named rows.

        Arguments:
            row_names: Names of the rows.
        """
        return replace(self, rows={n: run for n, run in self.rows.items() if n in row_names})

    def tabulate_scores(self, records: Sequence[MetricRecord]) -> Table:
        """Compute the table of scores, with one row per method.

        Arguments:
            records: Metric records of the trials.
        """
        records_by_run = group_by_run(records)
        return Table(
            title=f"Tuning: share of modes x share of good samples after {TUNING_STEPS:,} steps",
            cells=tuple(
                cell for row in self.rows for cell in self._build_cells(row, records_by_run)
            ),
            notes=(
                f"Seeds {' and '.join(map(str, TUNING_SEEDS))}, {' and '.join(self.datasets)}. "
                "A mode counts with at least 100 samples. rate: factor of the learning rate 2e-3. "
                "weight: factor of the weights of the method's loss terms, or of the bounds and "
                "perturbations of its networks (clipping, look-ahead, noise).",
            ),
        )

    def _build_cells(self, row_name: str, records_by_run: _RecordsByRun) -> list[Cell]:
        best_label = self._best_trial(row_name, records_by_run)
        shown_name = f"{row_name} ({best_label})" if best_label else row_name
        trial_labels = build_trials(self.rows[row_name])
        return [
            self._build_cell(
                shown_name, title, self._compute_scores(row_name, label, records_by_run)
            )
            for title, label in zip(COLUMN_TITLES, trial_labels, strict=True)
        ]

    def _build_cell(self, row_name: str, column_title: str, scores: Sequence[float]) -> Cell:
        seed_scores = list(zip(TUNING_SEEDS * len(self.datasets), scores))
        done_scores = [(seed, score) for seed, score in seed_scores if not math.isnan(score)]
        return make_cell(
            row_name,
            column_title,
            [score for _, score in done_scores],
            seeds=[seed for seed, _ in done_scores],
            statuses=[(seed, "missing") for seed, score in seed_scores if math.isnan(score)],
            decimals=3,
        )


def build_trials(run: Run) -> dict[str, Run]:
    """Return six variants of a run by label, whether or not its method has weights to vary.

    Arguments:
        run: The run with the common setting.

    Examples:
        >>> from iidgan import GAN, Ring, wgan_gp
        >>> list(build_trials(Run(source=Ring(), method=wgan_gp())))
        ['rate 0.25', 'rate 0.5', 'rate 1', 'rate 2', 'weight 0.33', 'weight 3']
        >>> list(build_trials(Run(source=Ring(), method=GAN())))[4:]
        ['rate 0.7', 'rate 1.4']
    """
    runs = {f"rate {factor:g}": _scale_rate(run, factor) for factor in RATE_FACTORS}
    for weight_factor, rate_factor in zip(WEIGHT_FACTORS, EXTRA_RATE_FACTORS):
        weighted_run = replace(run, method=scale_weights(run.method, weight_factor))
        if weighted_run != run:
            runs[f"weight {weight_factor:.2g}"] = weighted_run
        else:
            runs[f"rate {rate_factor:g}"] = _scale_rate(run, rate_factor)
    return runs


def _scale_rate(run: Run, factor: float) -> Run:
    assert isinstance(run.optimiser, Adam)
    return replace(run, optimiser=replace(run.optimiser, lr=run.optimiser.lr * factor))


def scale_weights(method: Method, factor: float) -> Method:
    """Multiply the tunable weights of a method and of its terms by a factor.

    Arguments:
        method: The method.
        factor: The factor.

    Examples:
        >>> from iidgan import iid_gan
        >>> [term.weight for term in iid_gan().terms]
        [3.0, 10.0]
        >>> [term.weight for term in scale_weights(iid_gan(), 0.5).terms]
        [1.5, 5.0]
    """
    if isinstance(method, Regularised):
        terms = tuple(_scale_tunable(term, factor) for term in method.terms)
        return replace(method, method=scale_weights(method.method, factor), terms=terms)
    return _scale_tunable(method, factor)


def _scale_tunable(part: Any, factor: float) -> Any:  # noqa: ANN401 - of the same type
    return replace(part, **{name: getattr(part, name) * factor for name in part.tunable_weights})
