"""Runs side by side in one process: their seeds are stacked, as the seeds of one run are.

On an accelerator a step of a small network takes the same time for ten seeds as for five. So runs
that differ in their source alone move as one; each sees the batches, and writes the files, that it
would see and write by itself.
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
from iidgan.engine.compile.executors import Executor
from iidgan.engine.loop import Ending, Schedule, Stop, Tick, fit
from iidgan.engine.state import part, places, restore, tensors
from iidgan.errors import BusyError, InputError
from iidgan.training.context import Game
from iidgan.training.plan import Auto, choose, prepare
from iidgan.training.session import Session, opened


@dataclass(frozen=True, kw_only=True)
class Part:
    """A run of a stack: what, where to, and whose seeds."""

    run: Run
    out: Path
    seeds: Sequence[int]


def alike(run: Run) -> str:
    """Gives a text that runs share if they can be stacked."""
    planar = isinstance(run.source, Ring | Grid)
    return json.dumps((replace(run, source=Ring()) if planar else run).to_dict(), sort_keys=True)


def train_stack(
    parts: Sequence[Part],
    *,
    checkpoint_every: int,
    keep: int,
    device: str,
    executor: Executor | Auto,
    listener: Callable[[int, str, Tick | None], None],
    stop: Stop,
) -> list[str]:
    """Trains runs that are `alike` in one process; those that are at the same step, as one.

    A run that cannot be trained leaves the others alone. One whose seeds have all diverged goes on
    beside them to the end.

    Returns:
        How each ended, or `busy: ...` where another process is training it, or `failed: ...`.
    """
    endings = ["stopped" for _ in parts]
    sessions: dict[int, Session] = {}
    with torch.random.fork_rng(devices=[]), ExitStack() as locks:
        for position, part in enumerate(parts):
            folder = opened(
                part.run,
                part.seeds,
                out=part.out,
                keep=keep,
                device=device,
                executor=executor,
                listener=partial(listener, position),
            )
            with _explained(endings, [position]):
                sessions[position] = locks.enter_context(folder)
        waiting = sorted(
            (i for i, each in sessions.items() if not each.over(stop)),
            key=lambda i: _place(sessions[i]),
        )
        for _, group in itertools.groupby(waiting, key=lambda i: _place(sessions[i])):
            positions = [*group]
            if stop.signal is None:
                with _explained(endings, positions):
                    _train([sessions[i] for i in positions], executor, checkpoint_every, stop)
        for i, session in sessions.items():
            endings[i] = (session.over(stop) if endings[i] == "stopped" else None) or endings[i]
    return endings


@contextmanager
def _explained(endings: list[str], positions: Sequence[int]) -> Iterator[None]:
    """Notes why the runs at some positions cannot be trained, if they cannot."""
    try:
        yield
    except InputError as error:
        kind = "busy" if isinstance(error, BusyError) else "failed"
        for position in positions:
            endings[position] = f"{kind}: {error}"


def _place(session: Session) -> tuple[int, str]:
    """What sessions share that can move as one; blocks of positions cannot be laid together."""
    return session.state.step, "" if session.game.batches.at_once else str(session.folder.path)


def _train(
    sessions: Sequence[Session], how: Executor | Auto, checkpoint_every: int, stop: Stop
) -> None:
    stack = Stack(sessions)
    plan = choose(stack.game, how, 1)
    for session in sessions:
        session.begin(plan)
    ending = stack.fit(plan.executor, checkpoint_every, stop)
    for session in sessions:
        session.end(session.over(stop) or ending)


class Stack:
    """Sessions that are at the same step, as one game.

    Arguments:
        sessions: Their runs are `alike`.
    """

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.sessions = sessions
        self.game = Game.beside([session.game for session in sessions])
        self._places = places([len(session.seeds) for session in sessions])

    def fit(self, executor: Executor, checkpoint_every: int, stop: Stop) -> Ending:
        """Trains as `engine.loop.fit` does."""
        step, used = prepare(executor, self.game, self._tell)
        for session in self.sessions:
            session.use(used)
        run = self.game.run
        return fit(
            self.game.state,
            step,
            self.game.batches,
            run.optimiser,
            Schedule(steps=run.steps, checkpoint_every=checkpoint_every),
            on_tick=self._log,
            on_checkpoint=self._save,
            stop=stop,
        )

    def _tell(self, news: str) -> None:
        for session in self.sessions:
            session.tell(news)

    def _log(self, tick: Tick) -> None:
        for session, place in zip(self.sessions, self._places):
            self._bring(session, place)
            session.log(tick.of(place))

    def _save(self) -> None:
        for session, place in zip(self.sessions, self._places):
            if session.state is not self.game.state:
                restore(session.state, part(tensors(self.game.state), place))
            session.save()

    def _bring(self, session: Session, place: slice) -> None:
        session.state.step = self.game.state.step
        session.state.diverged[:] = self.game.state.diverged[place]
