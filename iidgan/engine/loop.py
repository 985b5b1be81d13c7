"""The training loop: steps, log records, diagnoses, checkpoints and stop requests."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Literal

import torch
from torch import Tensor

from iidgan.core import Losses
from iidgan.engine.optim import Optimiser
from iidgan.engine.sampling import BatchStream
from iidgan.engine.state import State
from iidgan.engine.step import StepFn
from iidgan.utils.processes import STOP_SIGNALS, drop_ignored_hangup

Outcome = Literal["finished", "stopped", "diverged", "collapsed"]

DEBOUNCE_SECONDS = 0.5
"""Signals that arrive within this time after the first count as one."""


@dataclass(frozen=True)
class LogRecord:
    """Losses, time and divergences since the previous record.

    Arguments:
        step: Number of steps taken so far.
        losses: Means over the steps of the record that compute the loss, one number per seed; not
            finite where a seed has diverged.
        seconds: Wall time of these steps.
        diverged: Step at which a seed diverged, by its position, for these steps alone.
        seeds: The seeds of the numbers, where the run is known.
        coverage: Last measured coverage of these seeds, NaN where there is none; empty if it was
            not measured.
    """

    step: int
    losses: dict[str, list[float]]
    seconds: float
    diverged: dict[int, int]
    seeds: tuple[int, ...] = ()
    coverage: tuple[float, ...] = ()

    def for_seeds(self, seeds: slice) -> LogRecord:
        """Select the seeds at positions `seeds`.

        Arguments:
            seeds: Positions in the record.

        Returns:
            A record of these seeds alone; positions in `diverged` are counted from the first of
            them.

        Examples:
            >>> from iidgan.engine.loop import LogRecord
            >>> losses = {"D/adversarial": [1.2, 1.3, 1.4]}
            >>> record = LogRecord(100, losses, seconds=0.5, diverged={2: 98})
            >>> part = record.for_seeds(slice(1, 3))
            >>> part.losses, part.diverged
            ({'D/adversarial': [1.3, 1.4]}, {1: 98})
        """
        positions = range(seeds.start, seeds.stop)
        return replace(
            self,
            losses={name: values[seeds] for name, values in self.losses.items()},
            diverged={
                position - seeds.start: step
                for position, step in self.diverged.items()
                if position in positions
            },
            coverage=self.coverage[seeds],
        )


class StopRequest:
    """A request to stop, honoured at the end of the current step.

    Arguments:
        max_seconds: Time from now after which to stop, even without a signal.

    Attributes:
        signal: The signal that asks to stop, or None.

    Examples:
        >>> from iidgan import StopRequest
        >>> StopRequest().requested
        False
        >>> StopRequest(max_seconds=0).requested  # the time is over
        True
    """

    def __init__(self, *, max_seconds: float = math.inf) -> None:
        self.signal: signal.Signals | None = None
        self._deadline = time.monotonic() + max_seconds

    @property
    def requested(self) -> bool:
        """Whether to stop now."""
        return self.signal is not None or time.monotonic() >= self._deadline

    @contextmanager
    def handle_signals(
        self,
        signals: Sequence[signal.Signals] = STOP_SIGNALS,
        *,
        ignore_repeats: bool = False,
        on_first: Callable[[], None] = lambda: None,
    ) -> Iterator[None]:
        """Turn signals into a stop request while the context is active.

        A later signal has its usual effect, unless `ignore_repeats`. Signals within
        `DEBOUNCE_SECONDS` count as one: a sender that signals a process and its group, as
        `timeout` does, sends two.

        Arguments:
            signals: Signals to handle; an ignored SIGHUP stays ignored.
            ignore_repeats: Whether later signals have no effect.
            on_first: Called once, inside the signal handler.
        """
        handlers_before = {
            number: signal.getsignal(number) for number in drop_ignored_hangup(signals)
        }
        first_time = math.inf

        def request_stop(number: int, frame: FrameType | None) -> None:
            nonlocal first_time
            now = time.monotonic()
            if now <= first_time + DEBOUNCE_SECONDS:
                self.signal = signal.Signals(number)
                if first_time == math.inf:
                    on_first()
                    first_time = now
            elif not ignore_repeats:
                signal.signal(number, handlers_before[signal.Signals(number)])
                signal.raise_signal(number)

        for number in handlers_before:
            signal.signal(number, request_stop)
        try:
            yield
        finally:
            for number, handler in handlers_before.items():
                signal.signal(number, handler)


@dataclass(frozen=True, kw_only=True)
class LoopSchedule:
    """Length of a run and intervals of the loop, in steps.

    Arguments:
        steps: Length of the run.
        checkpoint_every: Steps between checkpoints.
        log_every: Steps between log records, the only synchronisation with the device.
        diagnose_every: Steps between diagnoses; 0: none.

    Examples:
        >>> from iidgan.engine.loop import LoopSchedule
        >>> schedule = LoopSchedule(steps=5000, checkpoint_every=2000)
        >>> [step for step in range(1, 5001) if schedule.is_checkpoint_step(step)]
        [2000, 4000, 5000]
    """

    steps: int
    checkpoint_every: int
    log_every: int = 100
    diagnose_every: int = 0

    def is_checkpoint_step(self, step: int) -> bool:
        """Return whether a checkpoint is due.

        Arguments:
            step: Number of steps taken.
        """
        return step % self.checkpoint_every == 0 or step == self.steps

    def is_diagnosis_step(self, step: int) -> bool:
        """Return whether a diagnosis is due; a run that is shorter than the interval has none.

        Arguments:
            step: Number of steps taken.

        Examples:
            >>> from iidgan.engine.loop import LoopSchedule
            >>> schedule = LoopSchedule(steps=500, checkpoint_every=500, diagnose_every=200)
            >>> [step for step in range(1, 501) if schedule.is_diagnosis_step(step)]
            [200, 400, 500]
        """
        if not 0 < self.diagnose_every <= self.steps:
            return False
        return step % self.diagnose_every == 0 or step == self.steps


@dataclass
class _LossBuffer:
    """Losses of the steps since the last log record, left on the device."""

    step_losses: list[Losses] = field(default_factory=list)
    start_time: float = field(default_factory=time.perf_counter)

    def flush(self, state: State) -> LogRecord:
        """Return the record of the buffered steps and empty the buffer."""
        loss_names = dict.fromkeys(name for losses in self.step_losses for name in losses)
        loss_history = torch.stack(
            [_stack_losses(losses, loss_names) for losses in self.step_losses]
        ).cpu()  # (T, names, S)
        is_present = torch.tensor(
            [[name in losses for name in loss_names] for losses in self.step_losses]
        )
        first_step = state.step - len(self.step_losses) + 1
        newly_diverged = _mark_diverged(loss_history, first_step, state.diverged)
        log_record = LogRecord(
            step=state.step,
            losses={
                name: loss_history[is_present[:, index], index].mean(0).tolist()
                for index, name in enumerate(loss_names)
            },
            seconds=time.perf_counter() - self.start_time,
            diverged=newly_diverged,
        )
        self.step_losses = []
        self.restart_clock()
        return log_record

    def restart_clock(self) -> None:
        self.start_time = time.perf_counter()


def _stack_losses(losses: Losses, loss_names: Iterable[str]) -> Tensor:
    """Stack the losses of a step in the order of `loss_names`, with zeros for absent ones."""
    absent_loss = torch.zeros_like(next(iter(losses.values())))
    return torch.stack([losses.get(name, absent_loss) for name in loss_names])


def _mark_diverged(loss_history: Tensor, first_step: int, diverged: Tensor) -> dict[int, int]:
    """Write the step of each seed's first non-finite loss into `diverged`."""
    is_broken = ~loss_history.isfinite().all(1)  # (T, S)
    newly_diverged: dict[int, int] = {}
    for position in range(len(diverged)):
        if diverged[position] < 0 and is_broken[:, position].any():
            step = first_step + int(is_broken[:, position].nonzero()[0])
            newly_diverged[position] = step
            diverged[position] = step
    return newly_diverged


def run_training_loop(
    state: State,
    step_fn: StepFn,
    batch_stream: BatchStream,
    optimiser: Optimiser,
    schedule: LoopSchedule,
    *,
    on_log: Callable[[LogRecord], None],
    on_checkpoint: Callable[[], None],
    on_diagnosis: Callable[[], bool] = lambda: False,
    stop: StopRequest,
) -> Outcome:
    """Train from `state.step` to the end, a stop request, or until training on is pointless.

    A checkpoint is written before returning, whatever the outcome.

    Arguments:
        state: State that `step_fn` updates; its `step` is counted here.
        step_fn: Takes one step.
        batch_stream: Batches by step.
        optimiser: Defines the learning rate of each step.
        schedule: Length of the run and intervals.
        on_log: Called with each log record.
        on_checkpoint: Called when a checkpoint is due.
        on_diagnosis: Called when a diagnosis is due, before a checkpoint of the same step; returns
            whether to end the training as collapsed.
        stop: Stop request, checked after each step.

    Returns:
        Why the loop ended.
    """
    buffer = _LossBuffer()
    while state.step < schedule.steps:
        state.set_lr(optimiser.lr_at(state.step, schedule.steps))
        losses = step_fn(batch_stream.batches_at(state.step))
        buffer.step_losses.append(losses)
        state.step += 1
        is_due = schedule.is_checkpoint_step(state.step)
        is_diagnosis_due = schedule.is_diagnosis_step(state.step)
        is_log_due = state.step % schedule.log_every == 0
        if is_due or is_diagnosis_due or is_log_due or stop.requested:
            record = buffer.flush(state)
            has_collapsed = is_diagnosis_due and on_diagnosis()
            on_log(record)
            outcome = _outcome_after_step(state, schedule, stop, has_collapsed=has_collapsed)
            if is_due or outcome != "finished":
                on_checkpoint()
            buffer.restart_clock()
            if outcome != "finished":
                return outcome
    return "finished"


def _outcome_after_step(
    state: State, schedule: LoopSchedule, stop: StopRequest, *, has_collapsed: bool
) -> Outcome:
    """Return "finished" unless the run ends early after the current step."""
    if bool((state.diverged >= 0).all()):  # training on is pointless
        return "diverged"
    if state.step < schedule.steps:
        if has_collapsed:
            return "collapsed"
        if stop.requested:
            return "stopped"
    return "finished"


def surviving_positions(diverged: Tensor) -> Sequence[int]:
    """List the positions of the seeds that have not diverged.

    Arguments:
        diverged: Step at which each seed diverged, or -1, (S,).

    Examples:
        >>> import torch
        >>> from iidgan.engine.loop import surviving_positions
        >>> surviving_positions(torch.tensor([-1, 730, -1]))
        [0, 2]
    """
    return [position for position, step in enumerate(diverged.tolist()) if step < 0]
