"""Runs batched along the seed axis in one process, like the seeds of a single run.

On an accelerator a step of a small network takes the same time for ten seeds as for five. Runs
that differ in their source alone are therefore trained as one; each gets the batches, and writes
the files, that it would get and write by itself.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from iidgan.config.run import Run
from iidgan.data import Grid, Ring
from iidgan.engine.compile import Executor
from iidgan.engine.loop import LogRecord, LoopSchedule, Outcome, StopRequest, run_training_loop
from iidgan.engine.state import named_tensors, restore_state, seed_slices, select_seeds
from iidgan.errors import FolderInUseError, InputError
from iidgan.training.context import TrainContext
from iidgan.training.plan import Auto, build_step, choose_plan
from iidgan.training.session import TrainSession, open_session

RunProgressCallback = Callable[[int, str, LogRecord | None], None]
"""Callback `(run_index, message, record)`; see `ProgressCallback`."""


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """A run of a batch: what to train, where to save it, and for which seeds."""

    run: Run
    out: Path
    seeds: Sequence[int]


def batch_key(run: Run) -> str:
    """Text that is the same for all runs that can be batched together."""
    if isinstance(run.source, Ring | Grid):
        run = replace(run, source=Ring())
    return json.dumps(run.to_dict(), sort_keys=True)


def train_batched(
    specs: Sequence[RunSpec],
    *,
    checkpoint_every: int,
    keep: int,
    device: str,
    executor: Executor | Auto,
    on_progress: RunProgressCallback,
    stop: StopRequest,
) -> list[str]:
    """Train runs of equal `batch_key` in one process, those at the same step as one batch.

    A run that cannot be trained does not affect the others. A run whose seeds have all diverged
    continues with its batch to the end.

    Returns:
        The outcome of each run, or `busy: ...` where another process is training it, or
        `failed: ...`.
    """
    outcomes = ["stopped" for _ in specs]
    sessions: dict[int, TrainSession] = {}
    with torch.random.fork_rng(devices=[]), ExitStack() as exit_stack:
        for position, spec in enumerate(specs):
            session_manager = open_session(
                spec.run,
                spec.seeds,
                out=spec.out,
                keep=keep,
                device=device,
                executor=executor,
                on_progress=partial(on_progress, position),
            )
            with _record_failures(outcomes, [position]):
                sessions[position] = exit_stack.enter_context(session_manager)
        for positions in _group_unfinished(sessions, stop):
            if stop.signal is None:
                session_group = [sessions[position] for position in positions]
                with _record_failures(outcomes, positions):
                    _train_group(session_group, executor, checkpoint_every, stop)
        for position, session in sessions.items():
            if outcomes[position] == "stopped":
                outcomes[position] = session.outcome(stop) or "stopped"
    return outcomes


@contextmanager
def _record_failures(outcomes: list[str], positions: Sequence[int]) -> Iterator[None]:
    """Turn an input error into the outcome of the runs at some positions."""
    try:
        yield
    except InputError as error:
        kind = "busy" if isinstance(error, FolderInUseError) else "failed"
        for position in positions:
            outcomes[position] = f"{kind}: {error}"


def _group_unfinished(
    sessions: dict[int, TrainSession], stop: StopRequest
) -> Iterator[Sequence[int]]:
    """Group the positions of unfinished sessions that can be trained as one batch."""
    unfinished = [position for position in sessions if not sessions[position].outcome(stop)]

    def group_key(position: int) -> tuple[int, str]:
        session = sessions[position]
        # Streams that gather samples step by step cannot be concatenated.
        is_batchable = session.context.batches.gathers_blocks
        return session.state.step, "" if is_batchable else str(session.run_dir.path)

    for _, positions in itertools.groupby(sorted(unfinished, key=group_key), key=group_key):
        yield [*positions]


def _train_group(
    sessions: Sequence[TrainSession],
    executor: Executor | Auto,
    checkpoint_every: int,
    stop: StopRequest,
) -> None:
    batched = BatchedSessions(sessions)
    executor, _ = sessions[0].resolve_auto(executor, 1)
    plan = choose_plan(batched.context, executor, 1)
    for session in sessions:
        session.log_start_event(plan)
    outcome = batched.fit(plan.executor, checkpoint_every, stop)
    for session in sessions:
        session.log_end_event(session.outcome(stop) or outcome)


class BatchedSessions:
    """Sessions at the same step, trained as one.

    Arguments:
        sessions: Sessions of runs with equal `batch_key`.
    """

    def __init__(self, sessions: Sequence[TrainSession]) -> None:
        self.sessions = sessions
        self.context = TrainContext.concatenate([session.context for session in sessions])
        self._seed_slices = seed_slices([len(session.seeds) for session in sessions])

    def fit(self, executor: Executor, checkpoint_every: int, stop: StopRequest) -> Outcome:
        """Train like `engine.loop.run_training_loop`."""
        step, used_executor = build_step(executor, self.context, self._notify)
        for session in self.sessions:
            session.log_executor(used_executor)
        run = self.context.run
        return run_training_loop(
            self.context.state,
            step,
            self.context.batches,
            run.optimiser,
            LoopSchedule(steps=run.steps, checkpoint_every=checkpoint_every),
            on_log=self._log_record,
            on_checkpoint=self._save_checkpoints,
            stop=stop,
        )

    def _notify(self, message: str) -> None:
        for session in self.sessions:
            session.notify(message)

    def _log_record(self, record: LogRecord) -> None:
        for session, seed_slice in zip(self.sessions, self._seed_slices):
            self._sync_progress(session, seed_slice)
            session.log_losses(record.for_seeds(seed_slice))

    def _save_checkpoints(self) -> None:
        for session, seed_slice in zip(self.sessions, self._seed_slices):
            if session.state is not self.context.state:
                tensors = select_seeds(named_tensors(self.context.state), seed_slice)
                restore_state(session.state, tensors)
            session.save_checkpoint()

    def _sync_progress(self, session: TrainSession, seed_slice: slice) -> None:
        session.state.step = self.context.state.step
        session.state.diverged[:] = self.context.state.diverged[seed_slice]
