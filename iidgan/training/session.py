"""One training of a run, and the contents of its run directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from iidgan.config.plugins import (
    check_importable,
    describe_main_script_classes,
    list_types,
)
from iidgan.config.run import Run
from iidgan.core import Dataset, Metric, Source, list_path_fields
from iidgan.engine import checkpoint
from iidgan.engine.checkpoint import RunIdentity
from iidgan.engine.compile import Executor, check_executor
from iidgan.engine.inference import inference_networks
from iidgan.engine.loop import LogRecord, Outcome, StopRequest
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import derive_seed
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import load_evaluator
from iidgan.evaluation.evaluate import EvaluationPoint, evaluate_samples, save_arrays
from iidgan.evaluation.sampling import draw_samples
from iidgan.records import MetricRecord, append_records, read_records
from iidgan.training.context import TrainContext
from iidgan.training.model import Model, TrainedNetworks, export_networks, load_networks
from iidgan.training.model import load as load_model
from iidgan.training.plan import Auto, ExecutionPlan
from iidgan.training.run_dir import RunDir
from iidgan.utils.device import resolve_device
from iidgan.utils.files import damaged_name, quarantine, remove_partials
from iidgan.utils.jsonl import append_lines
from iidgan.utils.provenance import collect_provenance

EXECUTION_KEYS = ("executor", "workers")
"""What an event of a start says of how steps are executed."""

ProgressCallback = Callable[[str, LogRecord | None], None]
"""Callback `(message, record)`: a message for the user, or a log record with an empty message."""


@dataclass(frozen=True)
class Result:
    """Outcome of a training.

    Arguments:
        path: The run directory.
        outcome: How the training ended.
        step: Steps taken.
        diverged: For each seed the step at which it diverged, or -1.
        run: The run that was trained.
    """

    path: Path
    outcome: Outcome
    step: int
    diverged: tuple[int, ...]
    run: Run

    @property
    def records(self) -> list[MetricRecord]:
        """All metric records of the run."""
        return read_records(RunDir(self.path).metrics_file)

    def model(self, seed: int | None = None) -> Model:
        """Load the trained networks of one seed, by default the first that did not diverge."""
        return load_model(self.path, seed, plugins=list_types(self.run))


class TrainSession:
    """One training of a run: its context and its run directory.

    Arguments:
        run: The run to train.
        seeds: Its seeds.
        out: The run directory.
        keep: Number of newest checkpoints to keep.
        device: Device to train on.
        on_progress: Callback for messages and log records.
        metrics: Metrics to measure, by the name of their family; the registered ones by default.

    Raises:
        InputError: Other programs could not import a class of the run, or its data cannot be read.
    """

    def __init__(
        self,
        run: Run,
        seeds: Sequence[int],
        *,
        out: Path,
        keep: int,
        device: torch.device,
        on_progress: ProgressCallback,
        metrics: Mapping[str, Metric] | None = None,
    ) -> None:
        self.run, self.seeds = replace(run, source=_resolve_paths(run.source)), tuple(seeds)
        check_importable(self.run)
        self.run_dir, self.keep = RunDir(out, list_types(self.run)), keep
        self.device, self.on_progress, self.metrics = device, on_progress, metrics
        self.data = _load_data(self.run.source).to(device)
        self.evaluator = load_evaluator(self.run.source, self.data, device)
        torch.manual_seed(derive_seed(*self.seeds))
        self.context = TrainContext.create(self.run, self.seeds, self.data, device)
        self.state = self.context.state
        self._execution: dict[str, str] = {}  # empty until a plan is logged
        self._planned_executor: Executor | None = None

    @property
    def identity(self) -> RunIdentity:
        """What checkpoints record of the run."""
        return RunIdentity(self.run.id, self.seeds)

    @contextmanager
    def claim_run_dir(self) -> Iterator[None]:
        """Check that the run can be trained, and lock and claim its directory.

        The directory is checked before it is locked, too: nothing is written to a wrong one.

        Raises:
            InputError: A loss fails, or the directory holds a different run.
            FolderInUseError: Another process is training in the directory.
        """
        self.context.train_step.dry_run(self.context.batches.batches_at(0))
        self.run_dir.check_free(self.run, self.seeds, self.data)
        with self.run_dir.lock():
            self.run_dir.claim(self.run, self.seeds, self.device, self.data)
            yield

    def resolve_auto(
        self, executor: Executor | Auto, workers: int | Auto
    ) -> tuple[Executor | Auto, int | Auto]:
        """Replace `auto` by what a resumed run was last started with.

        Another executor or number of processes would round differently, and so change the result.
        On another device, or with another number of threads, `auto` stays.
        """
        if not self.state.step:
            return executor, workers
        last_start = self.run_dir.read_last_start()
        if last_start.get("device") != self._collect_provenance()["device"]:
            return executor, workers
        return (
            last_start["executor"] if executor == "auto" else executor,
            int(last_start["workers"]) if workers == "auto" else workers,
        )

    def log_start_event(self, plan: ExecutionPlan) -> None:
        """Log that training starts, and how it is executed."""
        self._planned_executor = plan.executor
        self._execution = dict(zip(EXECUTION_KEYS, (plan.executor, str(plan.workers))))
        if message := self.evaluator.warning:
            self.notify(message)
        self.run_dir.log_event("started", step=self.state.step, **self._collect_provenance())

    def log_end_event(self, outcome: Outcome) -> Result:
        """Log how training ended."""
        self.run_dir.log_event(outcome, step=self.state.step)
        return self.make_result(outcome)

    def outcome(self, stop: StopRequest) -> Outcome | None:
        """How the run has ended, or None while there are steps left."""
        if stop.all_diverged(self.state.diverged):
            return "diverged"
        return "finished" if self.state.step >= self.run.steps else None

    def make_result(self, outcome: Outcome) -> Result:
        """Summarise the training so far."""
        diverged = tuple(self.state.diverged.tolist())
        return Result(self.run_dir.path, outcome, self.state.step, diverged, self.run)

    def notify(self, message: str) -> None:
        """Pass a message on to the user."""
        self.on_progress(message, None)

    def worker_failed(self, message: str) -> None:
        """Log that a worker process ended unexpectedly."""
        self.run_dir.log_event("lost a worker", step=self.state.step, news=message)
        self.notify(message)

    def log_executor(self, executor: Executor) -> None:
        """Log the executor that is used, if the planned one failed and steps run eagerly instead.

        Metric records name it, and a resumed run keeps it. The first of several processes that
        fails suffices.
        """
        if executor not in (self._planned_executor, self._execution.get("executor")):
            self._execution["executor"] = executor
            self.run_dir.log_event("executor", step=self.state.step, executor=executor)

    def resume(self) -> None:
        """Load the newest checkpoint, and remove what was written after it."""
        remove_partials(self.run_dir.checkpoint_dir)
        remove_partials(self.run_dir.path)
        latest = checkpoint.find_latest(self.run_dir.checkpoint_dir)
        for path, reason in latest.damaged.items():
            moved_path = quarantine(path)  # otherwise it counts among the checkpoints to keep
            self.notify(f"{path} is damaged ({reason}); renamed it to {moved_path.name}")
            self.run_dir.log_event("damaged checkpoint", path=path.name, reason=reason)
        if latest.path is not None:
            checkpoint.load_state(latest.path, self.state, identity=self.identity)
        if latest.damaged and latest.path is None:
            self.notify("no valid checkpoint left; starting over")
        elif self.state.step:
            is_done = self.state.step >= self.run.steps
            status_text = "already finished at" if is_done else "resuming from"
            self.notify(f"{status_text} step {self.state.step}")
        damaged_files = self._truncate_logs()
        if latest.path is None:
            return
        last_start = self.run_dir.read_last_start()
        self._execution = {key: last_start[key] for key in EXECUTION_KEYS if key in last_start}
        if self.run_dir.metrics_file in damaged_files or not self._is_measured():
            self._measure()

    def _truncate_logs(self) -> dict[Path, str]:
        """Remove what was written after the present step, and report damaged lines."""
        damaged_files = self.run_dir.truncate_logs(self.state.step)
        for path, reason in damaged_files.items():
            self.notify(
                f"{reason}; removed the damaged lines, and kept the file as "
                f"{damaged_name(path).name}"
            )
            self.run_dir.log_event("damaged file", path=path.name, reason=reason)
        return damaged_files

    def log_losses(self, record: LogRecord) -> None:
        """Append the losses of all seeds to the log."""
        log_lines = [
            {
                "step": record.step,
                "seed": seed,
                "seconds": round(record.seconds, 4),
                **{name: _round_finite(values[i]) for name, values in record.losses.items()},
            }
            for i, seed in enumerate(self.seeds)
        ]
        append_lines(self.run_dir.log_file, log_lines)
        for position, step in record.diverged.items():
            seed = self.seeds[position]
            self.run_dir.log_event("diverged", seed=seed, step=step)
            self.notify(f"seed {seed} diverged at step {step}")
        self.on_progress("", record)

    def save_checkpoint(self) -> None:
        """Save the state, then measure and export the networks."""
        checkpoint.save_state(
            self.run_dir.checkpoint_dir, self.state, identity=self.identity, keep=self.keep
        )
        self._measure()

    def _is_measured(self) -> bool:
        """Whether the exported networks, which `_measure` writes last, are of this step."""
        try:
            point = load_networks(self.run_dir.generator_dir, plugins=self.run_dir.plugins).point
        except InputError:
            return False
        is_own = RunIdentity(point.run.id, tuple(point.seeds)) == self.identity
        return is_own and point.step == self.state.step

    def _measure(self) -> None:
        diverged = self.state.diverged.tolist()
        point = EvaluationPoint(self.run, self.seeds, self.state.step, diverged)
        with torch.random.fork_rng(devices=[]):  # evaluation must not perturb the training RNG
            nets = inference_networks(self.state, self._new_batches())
            samples = draw_samples(nets, self.data, point, self.evaluator)
        records = evaluate_samples(samples, point, self._collect_provenance(), self.metrics)
        append_records(self.run_dir.metrics_file, records)
        save_arrays(self.run_dir.arrays_file, samples, point)
        networks = TrainedNetworks(point, self.data.shape, nets, self.data.scaling)
        export_networks(self.run_dir.generator_dir, networks)

    def _collect_provenance(self) -> dict[str, str]:
        return collect_provenance(self.device) | self._execution

    def _new_batches(self) -> DatasetStream:
        return DatasetStream(
            self.data, self.seeds, batch_size=self.run.batch, latent_dim=self.run.arch.latent
        )


@contextmanager
def open_session(
    run: Run,
    seeds: Sequence[int],
    *,
    out: Path,
    keep: int,
    device: str,
    executor: Executor | Auto,
    on_progress: ProgressCallback,
    metrics: Mapping[str, Metric] | None = None,
) -> Iterator[TrainSession]:
    """Lock a run directory, and open a session at its newest checkpoint.

    Raises:
        InputError: The device does not support the executor, the run cannot be trained, or the
            directory holds a different run.
        FolderInUseError: Another process is training in the directory.
    """
    torch_device = resolve_device(device)
    if executor != "auto":
        check_executor(executor, torch_device)
    session = TrainSession(
        run,
        seeds,
        out=out,
        keep=keep,
        device=torch_device,
        on_progress=on_progress,
        metrics=metrics,
    )
    with session.claim_run_dir():
        for note in (describe_main_script_classes(session.run), *session.data.notes):
            if note:
                session.notify(note)
        session.resume()
        session.run_dir.record_paths(session.run)
        yield session


def _load_data(source: Source) -> Dataset:
    data = source.load()
    if not isinstance(data, Dataset):
        raise InputError(
            f"source: load() of {type(source).__name__} must return a Dataset, "
            f"got {type(data).__name__}"
        )
    return data


def _resolve_paths(source: Source) -> Source:
    """Make the paths of a source absolute, so that the run works from any directory."""
    paths_by_field = {name: getattr(source, name) for name in list_path_fields(source)}
    absolute_paths = {
        name: os.path.abspath(path) for name, path in paths_by_field.items() if path is not None
    }
    return replace(source, **absolute_paths)  # type: ignore[type-var]


def _round_finite(value: float) -> float | None:
    return round(value, 6) if value == value and abs(value) != float("inf") else None
