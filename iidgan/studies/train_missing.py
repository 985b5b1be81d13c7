"""Train the runs that tables and figures still lack; interrupted training is resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from iidgan.config.plugins import list_types
from iidgan.config.run import Run
from iidgan.engine.compile import Executor
from iidgan.engine.loop import StopRequest
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import find_classifier, require_classifier
from iidgan.parallel.backend import Backend
from iidgan.parallel.batched_runs import RunProgressCallback, batch_key
from iidgan.parallel.jobs import BatchJob
from iidgan.parallel.pool import PoolCallbacks
from iidgan.records import (
    MetricRecord,
    append_records,
    copy_final_records,
    failure_record,
    read_all_records,
)
from iidgan.studies.columns import checkpoint_interval
from iidgan.training.plan import Auto
from iidgan.training.run_dir import RunDir
from iidgan.training.session import RunSpec

WAIT_SECONDS = 1.0
"""Seconds between two looks at folders that other processes train in."""

NamedRuns = Mapping[str, tuple[str, Run]]
"""Runs by id, each with a display name."""


@dataclass(frozen=True)
class TrainingJob:
    """A run to train, for some of its seeds.

    Arguments:
        name: Display name.
        run: The run.
        seeds: Seeds that are still missing.
        needs_classifier: Whether metrics that it is trained for need the classifier of its images.
        keep_networks: Whether the networks of every checkpoint are kept, to be measured later.
    """

    name: str
    run: Run
    seeds: tuple[int, ...]
    needs_classifier: bool = True
    keep_networks: bool = False


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Where results are stored and how missing runs are trained.

    Arguments:
        results_dir: Folder of the metric records of all tables, which share runs.
        runs_dir: Folder of the run folders.
        backend: Where runs are trained, and how many at the same time.
        device: `cpu`, `cuda`, ..., or `auto`.
        executor: Executor of the training step.
    """

    results_dir: Path
    runs_dir: Path
    backend: Backend
    device: str = "auto"
    executor: Executor | Auto = "auto"

    def results_file(self, table_name: str) -> Path:
        """Return the file to which a table appends its records.

        Arguments:
            table_name: Name of the table.
        """
        return self.results_dir / f"{table_name}.jsonl"

    def load_records(self) -> list[MetricRecord]:
        """Load the records of all tables."""
        return read_all_records(self.results_dir)

    def run_dir(self, run: Run, seeds: Sequence[int]) -> RunDir:
        """Return the folder of a run that is trained with these seeds.

        Arguments:
            run: The run.
            seeds: Its seeds, of which 0, 1, ... are the usual ones.
        """
        is_prefix = list(seeds) == list(range(len(seeds)))
        suffix = f"{len(seeds)}-seeds" if is_prefix else f"seeds-{'-'.join(map(str, seeds))}"
        return RunDir(self.runs_dir / f"{run.id}-{suffix}", list_types(run))

    def list_run_dirs(self, run: Run) -> list[RunDir]:
        """List the folders of a run, whatever its seeds.

        Arguments:
            run: The run.
        """
        paths = sorted(self.runs_dir.glob(f"{run.id}-*"))
        return [RunDir(path, list_types(run)) for path in paths]


class RunRequest(Protocol):
    """Anything that needs metrics of runs: a table, or the tuning."""

    @property
    def runs(self) -> NamedRuns:
        """The runs by id."""

    @property
    def required_metrics(self) -> Mapping[str, Collection[str]]:
        """Names of the metrics that are needed of each run, by run id."""


def missing_runs(
    request: RunRequest, seeds: Sequence[int], records: Sequence[MetricRecord]
) -> list[TrainingJob]:
    """List the runs, with their seeds, that lack a required metric at the end of training.

    Arguments:
        request: The runs and their metrics.
        seeds: Seeds that each run needs.
        records: Metric records of all runs so far.

    Examples:
        >>> from iidgan.studies.papers import TABLES
        >>> jobs = missing_runs(TABLES["ring"](()), range(5), records=[])
        >>> [(job.name, job.seeds) for job in jobs]
        [('GAN, Ring', (0, 1, 2, 3, 4)), ('IID-GAN (M-D), Ring', (0, 1, 2, 3, 4))]
    """
    named_runs, required_metrics = request.runs, request.required_metrics
    recorded_metrics = {
        (record.run, record.seed, record.metric)
        for record in records
        if record.run in named_runs and record.at_end(named_runs[record.run][1].steps)
    }

    def is_complete(run_id: str, seed: int) -> bool:
        metrics = required_metrics[run_id]
        return all((run_id, seed, metric) in recorded_metrics for metric in metrics)

    jobs = (
        TrainingJob(name, run, tuple(seed for seed in seeds if not is_complete(run_id, seed)))
        for run_id, (name, run) in named_runs.items()
    )
    return [job for job in jobs if job.seeds]


def check_same_classifiers(
    named_runs: NamedRuns, records: Sequence[MetricRecord], jobs: Sequence[TrainingJob]
) -> None:
    """Check that new runs will be evaluated with the classifiers that the records came from.

    Arguments:
        named_runs: Runs whose records count, by id.
        records: Metric records of all runs so far.
        jobs: Runs to train.

    Raises:
        InputError: Records were computed with other classifier weights than those stored here.
    """
    classifiers = [find_classifier(job.run.source) for job in jobs]
    stored_weights = {item.name: item.weights_digest for item in classifiers if item}
    for record in records:
        title, weights = str(record.protocol.get("extractor")), record.protocol.get("weights")
        at_end = record.run in named_runs and record.at_end(named_runs[record.run][1].steps)
        if at_end and stored_weights.get(title, weights) != weights:
            raise InputError(
                f"results: {record.metric} of run {record.run} was computed with weights "
                f"{weights} of {title}, but the stored ones are {stored_weights[title]}; new "
                "results would not be comparable: use --results to start a new folder"
            )


def train_missing(
    table_name: str,
    jobs: Sequence[TrainingJob],
    workspace: Workspace,
    *,
    on_progress: RunProgressCallback,
    stop: StopRequest,
    num_checkpoints: int = 12,
) -> list[tuple[str, str]]:
    """Train runs and append the records of each to those of the table as soon as it ends.

    Arguments:
        table_name: Name of the table, which names the file of records.
        jobs: Runs to train.
        workspace: Folders and training options.
        on_progress: Callback `(job_index, message, log_record)`.
        stop: Ends all training when requested.
        num_checkpoints: How often each run is saved and evaluated, the last time at its end.

    Returns:
        Name and outcome of each job; outcomes are those of `train_jobs`.

    Raises:
        InputError: As for `train_runs`, or the folder of the records cannot be created.
    """

    def store_outcome(job: TrainingJob, outcome: str) -> None:
        results_path = workspace.results_file(table_name)
        if outcome in ("finished", "diverged"):
            metrics_path = workspace.run_dir(job.run, job.seeds).metrics_file
            copy_final_records(results_path, job.run.id, job.run.steps, metrics_path)
        elif outcome.startswith("failed"):
            append_records(
                results_path, [failure_record(job.run.id, seed, outcome) for seed in job.seeds]
            )

    if jobs:  # fail now rather than after hours of training
        check_results_dir(workspace)
    return train_runs(
        jobs,
        workspace,
        on_progress=on_progress,
        on_outcome=store_outcome,
        stop=stop,
        num_checkpoints=num_checkpoints,
    )


def train_runs(
    jobs: Sequence[TrainingJob],
    workspace: Workspace,
    *,
    on_progress: RunProgressCallback,
    stop: StopRequest,
    on_outcome: Callable[[TrainingJob, str], None] = lambda job, outcome: None,
    keep_checkpoints: int = 3,
    num_checkpoints: int = 12,
) -> list[tuple[str, str]]:
    """Train several runs at the same time.

    Those that another process is training, on this machine or on one with the same folder, are
    waited for, and trained on if it does not finish them.

    Arguments:
        jobs: Runs to train.
        workspace: Folders and training options.
        on_progress: Callback `(job_index, message, log_record)`.
        stop: Ends all training when requested.
        on_outcome: Callback `(job, outcome)`, called as soon as a job ends.
        keep_checkpoints: Number of checkpoints to keep of each run.
        num_checkpoints: How often each run is saved and evaluated, the last time at its end.

    Returns:
        Name and outcome of each job.

    Raises:
        InputError: The classifier that a run needs for its metrics has not been prepared, or the
            folder of the runs cannot be created.
    """
    check_trainable(jobs, workspace)
    outcomes: dict[int, str] = {}
    remaining = dict(enumerate(jobs))
    while remaining:
        outcomes |= _train_in_pool(
            remaining,
            workspace,
            on_progress=on_progress,
            on_outcome=on_outcome,
            stop=stop,
            keep_checkpoints=keep_checkpoints,
            num_checkpoints=num_checkpoints,
        )
        remaining = {i: job for i, job in remaining.items() if outcomes[i].startswith("busy")}
        for i in remaining:
            on_progress(i, "waiting for another process that trains it", None)
        run_dirs = [workspace.run_dir(job.run, job.seeds) for job in remaining.values()]
        if not _wait_for_any(run_dirs, stop):
            break
    return [(job.name, outcomes[i]) for i, job in enumerate(jobs)]


def _train_in_pool(
    jobs: Mapping[int, TrainingJob],
    workspace: Workspace,
    *,
    on_progress: RunProgressCallback,
    on_outcome: Callable[[TrainingJob, str], None],
    stop: StopRequest,
    keep_checkpoints: int,
    num_checkpoints: int,
) -> dict[int, str]:
    """Train jobs, which have an index each, and return their outcomes."""
    indices = [*jobs]
    device = workspace.backend.choose_device(workspace.device)
    batches = batch_jobs([*jobs.values()], device)
    job_indices = [indices[position] for batch in batches for position in batch]
    pool_jobs = [
        _build_pool_job(
            [jobs[indices[position]] for position in batch],
            workspace,
            device,
            keep_checkpoints,
            num_checkpoints,
        )
        for batch in batches
    ]
    outcomes = workspace.backend.train_jobs(
        pool_jobs,
        callbacks=PoolCallbacks(
            on_progress=lambda i, message, record: on_progress(job_indices[i], message, record),
            on_outcome=lambda i, outcome: on_outcome(jobs[job_indices[i]], outcome),
            on_restart=lambda i, message: on_progress(job_indices[i], message, None),
        ),
        stop=stop,
    )
    return dict(zip(job_indices, outcomes))


def _wait_for_any(run_dirs: Sequence[RunDir], stop: StopRequest) -> bool:
    """Wait until one of some folders is no longer in use; return False if none ever is.

    A process that is killed lets go of its folders, and what it saved is trained on.
    """
    while run_dirs and not stop.requested:
        if not all(run_dir.is_in_use for run_dir in run_dirs):
            return True
        time.sleep(WAIT_SECONDS)
    return False


def check_results_dir(workspace: Workspace) -> None:
    """Check that the folder of the records can be created.

    Arguments:
        workspace: The folders.

    Raises:
        InputError: It cannot.
    """
    _check_creatable("results", workspace.results_dir)


def check_trainable(jobs: Sequence[TrainingJob], workspace: Workspace) -> None:
    """Check what training needs: classifiers of the images, and the folder of the runs.

    Arguments:
        jobs: Runs to train.
        workspace: Folders and training options.

    Raises:
        InputError: A classifier has not been prepared, or the folder cannot be created.
    """
    for job in jobs:
        if job.needs_classifier:
            require_classifier(job.run.source)
    if jobs:
        _check_creatable("runs", workspace.runs_dir)


def _check_creatable(option: str, folder: Path) -> None:
    """Check that a folder can be created, without leaving it behind."""
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not existed:
            with suppress(OSError):  # another process may already have written to it
                folder.rmdir()
    except OSError as error:
        raise InputError(
            f"{option}: cannot create the folder {folder} ({error.strerror}); choose another one "
            f"with --{option}"
        ) from None


def batch_jobs(jobs: Sequence[TrainingJob], device: torch.device) -> list[list[int]]:
    """Group jobs, by index, that one process trains as one batch; on a CPU each is alone.

    Arguments:
        jobs: Runs to train.
        device: Device of the training.

    Examples:
        >>> from iidgan import GAN, Grid, Ring
        >>> jobs = [
        ...     TrainingJob(name, Run(source=source, method=GAN()), seeds=(0,))
        ...     for name, source in {"Ring": Ring(), "Grid": Grid()}.items()
        ... ]
        >>> batch_jobs(jobs, torch.device("cpu")), batch_jobs(jobs, torch.device("cuda"))
        ([[0], [1]], [[0, 1]])
    """
    if device.type == "cpu":  # no gain from batching there
        return [[i] for i in range(len(jobs))]
    indices_by_key: dict[str, list[int]] = {}
    for i, job in enumerate(jobs):
        indices_by_key.setdefault(batch_key(job.run), []).append(i)
    return [*indices_by_key.values()]


def _build_pool_job(
    jobs: Sequence[TrainingJob],
    workspace: Workspace,
    device: torch.device,
    keep_checkpoints: int,
    num_checkpoints: int,
) -> BatchJob:
    return BatchJob(
        specs=[
            RunSpec(
                run=job.run,
                out=workspace.run_dir(job.run, job.seeds).path,
                seeds=job.seeds,
                keep=keep_checkpoints,
                keep_networks=job.keep_networks,
                device=device,
            )
            for job in jobs
        ],
        checkpoint_every=checkpoint_interval(jobs[0].run.steps, num_checkpoints),
        executor=workspace.executor,
    )
