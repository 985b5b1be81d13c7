"""Sessions batched along the seed axis in one process, like the seeds of a single run.

On an accelerator a step of a small network takes the same time for ten seeds as for five. Runs
that differ in their source alone are therefore trained as one; each gets the batches, and writes
the files, that it would get and write by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import groupby

import torch

from iidgan.config.run import Run
from iidgan.data import Grid, Ring
from iidgan.engine.compile import Executor
from iidgan.engine.loop import LogRecord, LoopSchedule, StopRequest, run_training_loop
from iidgan.engine.state import named_tensors, restore_state, seed_slices, select_seeds
from iidgan.errors import FolderInUseError, InputError
from iidgan.training.context import TrainContext
from iidgan.training.plan import Auto, build_step
from iidgan.training.run_session import RunSession, open_run
from iidgan.training.session import RunSpec, TrainSession

RunProgressCallback = Callable[[int, str, LogRecord | None], None]
"""Callback `(run_index, message, record)`; see `ProgressCallback`."""


def batch_key(run: Run) -> str:
    """Return a text that is the same for all runs that can be batched together.

    Arguments:
        run: The run.

    Examples:
        >>> from iidgan import GAN
        >>> ring_run, grid_run = (Run(source=source, method=GAN()) for source in (Ring(), Grid()))
        >>> batch_key(ring_run) == batch_key(grid_run)
        True
    """
    if isinstance(run.source, Ring | Grid):
        run = replace(run, source=Ring())
    return json.dumps(run.to_dict(), sort_keys=True)


def train_batched(
    specs: Sequence[RunSpec],
    *,
    checkpoint_every: int,
    executor: Executor | Auto,
    on_progress: RunProgressCallback,
    stop: StopRequest,
) -> list[str]:
    """Train runs of equal `batch_key` in one process, those at the same step as one batch.

    A run that cannot be trained does not affect the others. A run whose seeds have all diverged
    continues with its batch to the end.

    Arguments:
        specs: The runs, with their seeds and directories.
        checkpoint_every: Steps between checkpoints.
        executor: How steps are executed; `auto` compiles long runs.
        on_progress: Callback `(run_index, message, record)`.
        stop: Saves and ends all runs when requested.

    Returns:
        The outcome of each run, or `busy: ...` where another process is training it, or
        `failed: ...`.
    """
    outcomes = ["stopped" for _ in specs]
    with torch.random.fork_rng(devices=[]), ExitStack() as exit_stack:
        started: dict[int, RunSession] = {}
        positions: dict[TrainSession, int] = {}
        for position, spec in enumerate(specs):
            run_manager = open_run(
                spec, executor=executor, on_progress=partial(on_progress, position)
            )
            with record_failures(outcomes, [position]):
                run_session = exit_stack.enter_context(run_manager)
                if outcome := run_session.outcome:
                    outcomes[position] = outcome
                elif not stop.requested:
                    run_session.start(run_session.choose_plan(executor, 1))
                    started[position] = run_session
                    positions |= dict.fromkeys(run_session.split_by_step(), position)
        for sessions in group_by_step(positions):
            with record_failures(outcomes, [positions[session] for session in sessions]):
                if not stop.requested:
                    steps = sessions[0].run.steps
                    schedule = LoopSchedule(steps=steps, checkpoint_every=checkpoint_every)
                    BatchedSessions(sessions).fit(schedule, stop)
        for position, run_session in started.items():
            if outcomes[position] == "stopped":
                outcomes[position] = run_session.finish().outcome
    return outcomes


@contextmanager
def record_failures(outcomes: list[str], positions: Sequence[int]) -> Iterator[None]:
    """Turn an input error into the outcome of the runs at some positions.

    Arguments:
        outcomes: Outcomes of all runs, which are changed.
        positions: Positions of the runs that fail with the error.

    Examples:
        >>> outcomes = ["stopped", "finished"]
        >>> with record_failures(outcomes, [0]):
        ...     raise InputError("root: no such folder")
        >>> outcomes
        ['failed: root: no such folder', 'finished']
    """
    try:
        yield
    except InputError as error:
        kind = "busy" if isinstance(error, FolderInUseError) else "failed"
        for position in positions:
            outcomes[position] = f"{kind}: {error}"


def group_by_step(sessions: Iterable[TrainSession]) -> Iterator[Sequence[TrainSession]]:
    """Group unfinished sessions that can be trained as one batch.

    Arguments:
        sessions: Sessions of runs with equal `batch_key`.

    Returns:
        Groups of sessions at the same step.
    """
    unfinished = [session for session in sessions if not session.outcome]

    def group_key(session: TrainSession) -> tuple[int, str]:
        # Streams that gather samples step by step cannot be concatenated.
        is_batchable = session.context.batches.gathers_blocks
        return session.state.step, "" if is_batchable else str(session.run_dir.path)

    for _, group in groupby(sorted(unfinished, key=group_key), key=group_key):
        yield [*group]


class BatchedSessions:
    """Sessions at the same step, trained as one.

    Arguments:
        sessions: Sessions of runs with equal `batch_key`; the plan of the first one counts.
    """

    def __init__(self, sessions: Sequence[TrainSession]) -> None:
        self.sessions = sessions
        self.context = TrainContext.concatenate([session.context for session in sessions])
        self._seed_slices = seed_slices([len(session.seeds) for session in sessions])

    def fit(
        self,
        schedule: LoopSchedule,
        stop: StopRequest,
        *,
        share_verdict: Callable[[bool], bool] = lambda has_collapsed: has_collapsed,
    ) -> None:
        """Train all sessions to the end of their runs, or until a stop request.

        Arguments:
            schedule: Length of the runs, and steps between checkpoints and diagnoses.
            stop: Saves and ends when requested.
            share_verdict: Called after each diagnosis with whether all have collapsed, which it
                returns; other processes may depend on it.
        """
        plan, run = self.sessions[0].plan, self.context.run
        assert plan is not None, "sessions are trained after a plan is chosen"
        step, used_executor = build_step(plan.executor, self.context, self._notify)
        for session in self.sessions:
            session.log_executor(used_executor)
        run_training_loop(
            self.context.state,
            step,
            self.context.batches,
            run.optimiser,
            schedule,
            on_log=self._log_record,
            on_checkpoint=self._save_checkpoints,
            on_diagnosis=lambda: share_verdict(self._diagnose()),
            stop=stop,
        )

    def _notify(self, message: str) -> None:
        for session in self.sessions:
            session.on_progress(message, None)

    def _log_record(self, record: LogRecord) -> None:
        for session, seed_slice in zip(self.sessions, self._seed_slices):
            self._sync_progress(session, seed_slice)
            session.log_losses(record.for_seeds(seed_slice))

    def _save_checkpoints(self) -> None:
        for session in self._sync_sessions():
            session.save_checkpoint()

    def _diagnose(self) -> bool:
        """Diagnose all sessions, and return whether all have collapsed."""
        have_collapsed = [session.diagnose() for session in self._sync_sessions()]
        return all(have_collapsed)

    def _sync_sessions(self) -> Iterator[TrainSession]:
        """Yield the sessions, each with its part of the state that was trained."""
        for session, seed_slice in zip(self.sessions, self._seed_slices):
            if session.state is not self.context.state:
                tensors = select_seeds(named_tensors(self.context.state), seed_slice)
                restore_state(session.state, tensors)
            self._sync_progress(session, seed_slice)
            yield session

    def _sync_progress(self, session: TrainSession, seed_slice: slice) -> None:
        session.state.step = self.context.state.step
        session.state.diverged[:] = self.context.state.diverged[seed_slice]
