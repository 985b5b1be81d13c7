"""Measure scores on features of trained runs, at their end or at every checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, product
from pathlib import Path
from typing import NamedTuple

from iidgan.config.plugins import list_types
from iidgan.config.run import Run
from iidgan.core import Source
from iidgan.engine.loop import StopRequest
from iidgan.errors import InputError
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.features import FrozenExtractor, create_extractor
from iidgan.features.extraction import ProgressCallback
from iidgan.records import MetricRecord, append_records
from iidgan.sample_sets import FeatureSet, SampleSet, extract_features, open_run_data
from iidgan.sample_sets.datasets import open_dataset
from iidgan.sample_sets.measurement import Comparison, iterate_run_subjects
from iidgan.studies.columns import SCORES, ScoreColumn
from iidgan.studies.table_spec import TableSpec
from iidgan.studies.train_missing import TrainingJob, Workspace
from iidgan.training.export import load_point
from iidgan.training.run_dir import RunDir
from iidgan.utils.device import resolve_device
from iidgan.utils.provenance import collect_provenance


@dataclass(frozen=True)
class ScoreJob:
    """Scores that are missing of some seeds of a run.

    Arguments:
        name: Display name of the run.
        run: The run.
        missing: Columns of the scores that are missing, by seed and step.
    """

    name: str
    run: Run
    missing: Mapping[tuple[int, int], tuple[ScoreColumn, ...]]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of which at least one score is missing."""
        return tuple(sorted({seed for seed, _ in self.missing}))

    @property
    def columns(self) -> tuple[ScoreColumn, ...]:
        """Columns of the scores."""
        return tuple(dict.fromkeys(chain.from_iterable(self.missing.values())))


def missing_scores(
    spec: TableSpec, seeds: Sequence[int], records: Sequence[MetricRecord]
) -> list[ScoreJob]:
    """List the runs of a table that lack a score at the end of training, or at a checkpoint.

    Arguments:
        spec: The table.
        seeds: Seeds that each run needs.
        records: Metric records of all runs so far.
    """
    jobs: list[ScoreJob] = []
    for run_id, (name, run) in spec.runs.items():
        run_records = [record for record in records if record.run == run_id]
        missing: dict[tuple[int, int], tuple[ScoreColumn, ...]] = {}
        for column in spec.required_scores[run_id]:
            steps = column.list_steps(run.steps, spec.num_checkpoints)
            for point in _find_lacking(column, seeds, steps, run_records):
                missing[point] = (*missing.get(point, ()), column)
        if missing:
            jobs.append(ScoreJob(name, run, dict(sorted(missing.items()))))
    return jobs


def _find_lacking(
    column: ScoreColumn,
    seeds: Sequence[int],
    steps: Sequence[int],
    records: Sequence[MetricRecord],
) -> set[tuple[int, int]]:
    """Return the seeds and steps without a record; a seed that diverged lacks nothing."""
    selected = column.select_records(records, steps)
    diverged_seeds = {record.seed for record in selected if record.diverged >= 0}
    measured = {(record.seed, record.step) for record in selected}
    return {*product({*seeds} - diverged_seeds, steps)} - measured


def find_trained(workspace: Workspace, run: Run) -> dict[int, tuple[RunDir, EvaluationPoint]]:
    """Find the seeds of a run that are trained to its end, or diverged, by their run directory.

    A seed that was trained several times is that of a directory with networks of checkpoints.

    Arguments:
        workspace: Where the runs are stored.
        run: The run.
    """
    trained: dict[int, tuple[RunDir, EvaluationPoint]] = {}
    run_dirs = workspace.list_run_dirs(run)
    for run_dir in sorted(run_dirs, key=lambda item: item.past_dir.exists()):
        try:
            point = load_point(run_dir.path, plugins=list_types(run))
        except InputError:  # unfinished, or damaged: training mends it
            continue
        for seed, step, diverged in zip(point.seeds, point.steps, point.diverged):
            if point.run.id == run.id and (step == run.steps or diverged >= 0):
                trained[seed] = run_dir, point
    return trained


def add_untrained(
    training_jobs: Sequence[TrainingJob], score_jobs: Sequence[ScoreJob], workspace: Workspace
) -> list[TrainingJob]:
    """Add to jobs the runs that must be trained before their scores can be measured.

    Seeds whose networks of checkpoints were not kept, but are measured, are trained again.

    Arguments:
        training_jobs: Runs that lack metrics of the training.
        score_jobs: Runs that lack scores.
        workspace: Where the runs are stored.
    """
    jobs_by_id = {job.run.id: job for job in training_jobs}
    for score_job in score_jobs:
        trained = find_trained(workspace, score_job.run)
        untrained_seeds = {
            seed
            for seed, step in score_job.missing
            if seed not in trained or not _is_measurable(*trained[seed], seed, step)
        }
        if not untrained_seeds:
            continue
        run_id = score_job.run.id
        job = jobs_by_id.get(
            run_id, TrainingJob(score_job.name, score_job.run, (), needs_classifier=False)
        )
        seeds = tuple(sorted({*job.seeds, *untrained_seeds}))
        has_past = any(column.over_training for column in score_job.columns)
        jobs_by_id[run_id] = replace(job, seeds=seeds, keep_networks=has_past)
    return list(jobs_by_id.values())


def _is_measurable(run_dir: RunDir, point: EvaluationPoint, seed: int, step: int) -> bool:
    """Return whether there are the networks of a step; a seed that diverged needs none."""
    has_networks = _locate_networks(run_dir, point.run, seed, step).exists()
    return has_networks or _find_divergence(point, seed) >= 0


def _find_divergence(point: EvaluationPoint, seed: int) -> int:
    """Return the step at which a seed diverged, or -1."""
    return point.diverged[[*point.seeds].index(seed)]


def _locate_networks(run_dir: RunDir, run: Run, seed: int, step: int) -> Path:
    """Return the folder of the networks of a seed at a step: the run's own at its last one."""
    return run_dir.path if step == run.steps else run_dir.past_networks_dir(seed, step)


ShowProgress = Callable[[str], AbstractContextManager[ProgressCallback]]
"""Returns the display of an extraction by its name, which yields the callback."""


@contextmanager
def _show_nothing(name: str) -> Iterator[ProgressCallback]:
    yield lambda done, total: None


class ScoreMeter:
    """Measures scores of trained runs; what runs on the same data share is computed once.

    Arguments:
        workspace: Where the runs are stored, and the device of the extractors.
        show_progress: Shows the progress of each extraction.
    """

    def __init__(self, workspace: Workspace, show_progress: ShowProgress = _show_nothing) -> None:
        self._workspace, self._show_progress = workspace, show_progress
        self._device = resolve_device(workspace.device)
        self._extractors: dict[str, FrozenExtractor] = {}
        self._references: dict[_Reading, FeatureSet] = {}
        self._source: Source | None = None

    def measure(self, job: ScoreJob) -> Iterator[list[MetricRecord]]:
        """Measure the scores that a run lacks, of those of its seeds that are trained.

        Arguments:
            job: The run and its scores.

        Yields:
            Records of the values of each seed at each step; of a seed that diverged, they have
            none.

        Raises:
            InputError: Real or generated images cannot be read, the networks of a checkpoint were
                not kept, or an extractor cannot be created.
        """
        self._drop_other_references(job.run.source)
        trained = find_trained(self._workspace, job.run)
        diverged_seeds: set[int] = set()
        for (seed, step), columns in job.missing.items():
            if seed not in trained or seed in diverged_seeds:
                continue
            run_dir, point = trained[seed]
            if _find_divergence(point, seed) >= 0:
                diverged_seeds.add(seed)
                yield self._record_divergence(job, seed, point)
            else:
                yield self._measure_step(job, seed, step, columns, run_dir)

    def _measure_step(
        self,
        job: ScoreJob,
        seed: int,
        step: int,
        columns: Sequence[ScoreColumn],
        run_dir: RunDir,
    ) -> list[MetricRecord]:
        path = _locate_networks(run_dir, job.run, seed, step)
        if not path.exists():
            raise InputError(
                f"runs: {run_dir.path} has not kept the networks of step {step}, as it was "
                "trained for something else; remove it, or choose another folder with --runs"
            )
        point = load_point(path, plugins=run_dir.plugins)
        records: list[MetricRecord] = []
        for reading, metric_names in _group_by_reading(columns).items():
            comparison = self._create_comparison(run_dir, reading, metric_names)
            (subject,) = iterate_run_subjects(
                path, point, [seed], reading.num_samples, plugins=run_dir.plugins
            )
            with self._show_progress(f"{job.name}, seed {seed}, step {step:,}") as on_progress:
                provenance = collect_provenance(self._device)
                records += comparison.measure(subject, provenance, on_progress).records
        return records

    def _record_divergence(
        self, job: ScoreJob, seed: int, point: EvaluationPoint
    ) -> list[MetricRecord]:
        return [
            MetricRecord(
                run=job.run.id,
                seed=seed,
                step=point.steps[[*point.seeds].index(seed)],
                metric=column.metric,
                value=math.nan,
                diverged=_find_divergence(point, seed),
                protocol={"extractor": column.features},
                provenance=collect_provenance(self._device),
            )
            for column in job.columns
        ]

    def _create_comparison(
        self, run_dir: RunDir, reading: _Reading, metric_names: Sequence[str]
    ) -> Comparison:
        return Comparison(
            self._open_reference(run_dir, reading),
            self._create_extractor(reading.features),
            metric_names,
            reading.num_samples,
        )

    def _drop_other_references(self, source: Source) -> None:
        """Forget the features of other data, which would only take memory."""
        if source != self._source:
            self._source, self._references = source, {}

    def _create_extractor(self, features: str) -> FrozenExtractor:
        if features not in self._extractors:
            self._extractors[features] = create_extractor(features).to(self._device)
        return self._extractors[features]

    def _open_reference(self, run_dir: RunDir, reading: _Reading) -> FeatureSet:
        if reading not in self._references:
            with self._show_progress("real images") as on_progress:
                self._references[reading] = extract_features(
                    self._open_real_images(run_dir, reading),
                    self._create_extractor(reading.features),
                    reading.num_samples,
                    on_progress=on_progress,
                )
        return self._references[reading]

    def _open_real_images(self, run_dir: RunDir, reading: _Reading) -> SampleSet:
        """Open the data of a run, or all data of which these are a part."""
        source = self._source
        if reading.of_training or source is None or source.whole == source:
            return open_run_data(run_dir.path, run_dir.plugins)
        return open_dataset("data", source.whole.load())


class _Reading(NamedTuple):
    """What scores read: features of so many samples, and of real images of the training or all."""

    features: str
    num_samples: int
    of_training: bool


def _group_by_reading(columns: Sequence[ScoreColumn]) -> dict[_Reading, list[str]]:
    """Group the metrics of columns by what they read."""
    metric_names: dict[_Reading, list[str]] = {}
    for column in columns:
        score = SCORES[column.score]
        reading = _Reading(column.features, column.num_samples, score.of_training)
        names = metric_names.setdefault(reading, [])
        if score.metric not in names:
            names.append(score.metric)
    return metric_names


def measure_scores(
    table_name: str,
    jobs: Sequence[ScoreJob],
    meter: ScoreMeter,
    workspace: Workspace,
    *,
    stop: StopRequest,
) -> bool:
    """Measure scores, and append the records of each step to those of the table at once.

    Arguments:
        table_name: Name of the table, which names the file of records.
        jobs: Runs and the scores that they lack.
        meter: Measures them.
        workspace: Folder of the records.
        stop: Ends the measurement before the next step when requested.

    Returns:
        Whether all were measured.

    Raises:
        InputError: As for `ScoreMeter.measure`.
    """
    measured = chain.from_iterable(map(meter.measure, jobs))
    while not stop.requested:
        records = next(measured, None)
        if records is None:
            return True
        append_records(workspace.results_file(table_name), records)
    return False
