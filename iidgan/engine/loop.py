"""The loop: steps, ticks, checkpoints, and how a run ends."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Literal

import torch
from torch import Tensor

from iidgan.core import Losses
from iidgan.engine.optim import Optimiser
from iidgan.engine.sampling import Blocks
from iidgan.engine.state import State
from iidgan.engine.step import Step

Ending = Literal["finished", "stopped", "diverged"]

TOGETHER = 0.5
"""Seconds within which signals are one."""


@dataclass(frozen=True)
class Tick:
    """What happened since the last tick.

    Arguments:
        step: Steps taken so far.
        losses: Means over the tick's steps, one number per seed; not finite where diverged.
        seconds: Time that the tick's steps took.
        diverged: For seeds that diverged in this tick, by position, the step.
    """

    step: int
    losses: dict[str, list[float]]
    seconds: float
    diverged: dict[int, int]

    def of(self, place: slice) -> Tick:
        """Leaves out all seeds but those at `place`."""
        mine = range(place.start, place.stop)
        return replace(
            self,
            losses={name: values[place] for name, values in self.losses.items()},
            diverged={i - place.start: step for i, step in self.diverged.items() if i in mine},
        )


class Stop:
    """A wish to stop that the loop grants after the step that it is in."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def granted(self, step: int) -> bool:
        """Is asked after a step, also twice: whether the run stops here."""
        return self.signal is not None

    def hopeless(self, diverged: Tensor) -> bool:
        """Tells whether no seed is left that is worth going on for."""
        return bool((diverged >= 0).all())

    @contextmanager
    def listening(
        self,
        numbers: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM),
        *,
        patient: bool = False,
        heard: Callable[[], None] = lambda: None,
    ) -> Iterator[None]:
        """Takes these signals as the wish; a later one acts as usual, unless `patient`.

        Those that come together are one: whoever sends to a process and to its group, as
        `timeout` does, sends two.

        Arguments:
            numbers: The signals.
            patient: Whether a later one is no more than the first.
            heard: Is called at once, within the signal's handler.
        """
        before = {number: signal.getsignal(number) for number in numbers}
        first = math.inf

        def wish(number: int, frame: FrameType | None) -> None:
            nonlocal first
            now = time.monotonic()
            if now <= first + TOGETHER:
                self.signal = signal.Signals(number)
                if first == math.inf:
                    heard()
                    first = now
            elif not patient:
                signal.signal(number, before[signal.Signals(number)])
                signal.raise_signal(number)

        for number in numbers:
            signal.signal(number, wish)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When things happen, in steps.

    Arguments:
        steps: Length of the run.
        checkpoint_every: Steps between checkpoints.
        tick: Steps between looks at the losses: the only synchronisation with the device.
    """

    steps: int
    checkpoint_every: int
    tick: int = 100


@dataclass
class _Record:
    """Losses of the steps since the last tick, left on the device."""

    steps: list[Losses] = field(default_factory=list)
    since: float = field(default_factory=time.perf_counter)

    def flush(self, state: State) -> Tick:
        names = self.steps[0]
        history = torch.stack(
            [torch.stack([losses[name] for name in names]) for losses in self.steps]
        ).cpu()  # (T, names, S)
        first = state.step - len(self.steps) + 1
        diverged = _mark(history, first, state.diverged)
        tick = Tick(
            step=state.step,
            losses=dict(zip(names, history.mean(0).tolist())),
            seconds=time.perf_counter() - self.since,
            diverged=diverged,
        )
        self.steps, self.since = [], time.perf_counter()
        return tick


def _mark(history: Tensor, first: int, diverged: Tensor) -> dict[int, int]:
    """Writes the step of each seed's first loss that is not finite into `diverged`."""
    broken = ~history.isfinite().all(1)  # (T, S)
    found: dict[int, int] = {}
    for position in range(len(diverged)):
        if diverged[position] < 0 and broken[:, position].any():
            found[position] = first + int(broken[:, position].nonzero()[0])
            diverged[position] = found[position]
    return found


def fit(
    state: State,
    step: Step,
    batches: Blocks,
    optimiser: Optimiser,
    schedule: Schedule,
    *,
    on_tick: Callable[[Tick], None],
    on_checkpoint: Callable[[], None],
    stop: Stop,
) -> Ending:
    """Trains from `state.step` on, until the end, a wish to stop, or until no seed is left.

    Every ending is preceded by a checkpoint.
    """
    record = _Record()
    ending: Ending = "finished"
    while state.step < schedule.steps:
        state.set_rate(optimiser.rate(state.step, schedule.steps))
        losses = step(batches.at(state.step))
        if record.steps and losses.keys() != record.steps[0].keys():  # other players move now
            on_tick(record.flush(state))
        record.steps.append(losses)
        state.step += 1
        due = state.step % schedule.checkpoint_every == 0 or state.step == schedule.steps
        if due or stop.granted(state.step) or state.step % schedule.tick == 0:
            on_tick(record.flush(state))
            if stop.hopeless(state.diverged):
                ending = "diverged"
            elif stop.granted(state.step) and state.step < schedule.steps:
                ending = "stopped"
            if due or ending != "finished":
                on_checkpoint()
                record.since = time.perf_counter()
        if ending != "finished":
            break
    return ending


def positions(diverged: Tensor) -> Sequence[int]:
    """Lists the positions of the seeds that have not diverged."""
    return [position for position, step in enumerate(diverged.tolist()) if step < 0]
