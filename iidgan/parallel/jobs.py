"""What one worker process trains at a time: some seeds of a run, or several runs."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from iidgan.engine import checkpoint
from iidgan.engine.compile import Executor
from iidgan.engine.loop import LoopSchedule, StopRequest
from iidgan.errors import FolderInUseError
from iidgan.parallel.batched_runs import (
    BatchedSessions,
    RunProgressCallback,
    record_failures,
    train_batched,
)
from iidgan.training.plan import Auto, ExecutionPlan
from iidgan.training.session import RunSpec, TrainSession


class Job(Protocol):
    """Something to train in one process."""

    @property
    def num_runs(self) -> int:
        """Number of outcomes."""

    def train(self, on_progress: RunProgressCallback, stop: StopRequest) -> list[str]:
        """Train, or resume what an earlier call began; return outcomes as `train_batched` does.

        Arguments:
            on_progress: Callback `(run_index, message, record)`.
            stop: Saves and ends when requested.
        """


@dataclass(frozen=True, kw_only=True)
class BatchJob:
    """Runs that one process trains together, with the options of `train_batched`.

    Arguments:
        specs: The runs, with their seeds and directories.
        checkpoint_every: Steps between checkpoints.
        executor: How steps are executed.
    """

    specs: Sequence[RunSpec]
    checkpoint_every: int
    executor: Executor | Auto = "auto"

    @property
    def num_runs(self) -> int:
        return len(self.specs)

    @property
    def folders(self) -> list[Path]:
        """The folder of each run, as an absolute path."""
        return [spec.out.absolute() for spec in self.specs]

    def move_to(self, folders: Sequence[Path]) -> BatchJob:
        """Return the same job in other folders, such as those of another machine.

        Arguments:
            folders: A folder for each run.
        """
        specs = [replace(spec, out=folder) for spec, folder in zip(self.specs, folders)]
        return replace(self, specs=specs)

    def train(self, on_progress: RunProgressCallback, stop: StopRequest) -> list[str]:
        return train_batched(
            self.specs,
            checkpoint_every=self.checkpoint_every,
            executor=self.executor,
            on_progress=on_progress,
            stop=stop,
        )


@dataclass(frozen=True, kw_only=True)
class SeedsJob:
    """Some seeds of a run whose directory another process has locked and repaired.

    Arguments:
        spec: The run.
        seeds: Seeds at the same step, which follow each other in the run.
        plan: How the run is executed.
        schedule: Length of the run, and steps between checkpoints and diagnoses.
        must_measure: Whether to measure metrics of the present step again.
    """

    spec: RunSpec
    seeds: tuple[int, ...]
    plan: ExecutionPlan
    schedule: LoopSchedule
    must_measure: bool = False

    @property
    def num_runs(self) -> int:
        return 1

    def train(self, on_progress: RunProgressCallback, stop: StopRequest) -> list[str]:
        outcomes = ["stopped"]
        with record_failures(outcomes, [0]), self.spec.run_dir.lock_for_worker(self.seeds):
            _check_parent()
            session = TrainSession(
                self.spec, self.seeds, on_progress=partial(on_progress, 0), plan=self.plan
            )
            self._resume(session)
            if not session.outcome and not stop.requested:
                BatchedSessions([session]).fit(self.schedule, stop)
            outcomes = [session.outcome or "stopped"]
        return outcomes

    def _resume(self, session: TrainSession) -> None:
        """Load the newest checkpoint; what a killed worker logged after it is removed."""
        latest = checkpoint.find_latest(session.run_dir.checkpoint_dir, self.spec.identity)
        session.load(latest.files)
        session.run_dir.truncate_logs({seed: latest.step_of(seed) for seed in self.seeds})
        session.measure_if_needed(must_measure=self.must_measure)


def _check_parent() -> None:
    """Check that the process that has locked the run directory has not ended.

    As long as this one holds its own lock, no other training can begin.

    Raises:
        FolderInUseError: It has ended, and another training may have begun.
    """
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise FolderInUseError("out: the process that started this one has ended")
