"""One share of a run's seeds, trained in a process of its own beside the others.

No process gets further ahead than `LEAD` steps. On a wish to stop all end at one step: the wish
lets each come to rest, and then all go on to where the foremost is.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext

import torch
from safetensors.torch import load, save
from torch import Tensor

from iidgan.config.run import Run
from iidgan.engine.compile.executors import Executor
from iidgan.engine.loop import Ending, Schedule, Stop, Tick, fit
from iidgan.engine.state import restore, tensors
from iidgan.errors import InputError
from iidgan.training.context import Game
from iidgan.training.plan import prepare

LEAD = 500  # steps: evens out what a noisy machine does to one core, and is soon caught up
SIGNALS = (signal.SIGINT, signal.SIGTERM)
REST = 0.01  # seconds between looks at what the others do


class Control:
    """What all processes see of each other.

    Arguments:
        context: Makes what they share.
        workers: How many they are.
    """

    def __init__(self, context: SpawnContext, workers: int) -> None:
        self.at = context.Array("q", workers, lock=False)
        self.resting = context.Array("b", workers, lock=False)
        self.asked = context.Value("b", 0, lock=False)
        self.last = context.Value("q", -1, lock=False)

    def ask(self) -> None:
        """Asks everyone to come to rest."""
        self.asked.value = 1

    def release(self) -> None:
        """Lets everyone go on to where the foremost is, and end there."""
        self.last.value = max(self.at)


class Together(Stop):
    """A worker's stop: after each step it may wait for those behind, or for all to agree."""

    def __init__(self, control: Control, index: int) -> None:
        super().__init__()
        self._control, self._index = control, index

    def granted(self, step: int) -> bool:
        control = self._control
        control.at[self._index] = step
        while not control.asked.value and step > min(control.at) + LEAD:
            _rest()
        if control.asked.value:
            control.resting[self._index] = 1
            while control.last.value < 0:
                _rest()
        return 0 <= control.last.value <= step

    def hopeless(self, diverged: Tensor) -> bool:
        return False  # the seeds of others may be well


def _rest() -> None:
    _leave_if_alone()
    time.sleep(REST)


def _leave_if_alone() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit  # nobody is left to save what this one trains


@dataclass(frozen=True)
class Shard:
    """What one process trains.

    Arguments:
        run: The run.
        seeds: Its share of the seeds.
        device: Where.
        executor: How.
        checkpoint_every: Steps between the states that it sends.
    """

    run: Run
    seeds: tuple[int, ...]
    device: str
    executor: Executor
    checkpoint_every: int


@dataclass(frozen=True)
class Stand:
    """Where a process starts."""

    step: int
    diverged: list[int]
    tensors: bytes


def work(shard: Shard, pipe: Connection, stop: Together) -> None:
    for number in SIGNALS:  # a group gets what is meant for the parent
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    try:
        pipe.send(("ended", _train(shard, pipe.recv(), pipe, stop)))
    except EOFError:
        return  # nobody is left to start from
    except OSError:
        _leave_if_alone()
        raise
    except Exception as error:
        known = isinstance(error, InputError)
        pipe.send(("failed", error if known else RuntimeError(traceback.format_exc())))


def _train(shard: Shard, start: Stand, pipe: Connection, stop: Stop) -> Ending:
    run, device = shard.run, torch.device(shard.device)
    game = Game.of(run, shard.seeds, run.source.load().to(device), device)
    state = game.state
    restore(state, load(start.tensors))
    state.step, state.diverged = start.step, torch.tensor(start.diverged)

    def tell(tick: Tick) -> None:
        _leave_if_alone()
        pipe.send(("tick", tick))

    step, used = prepare(shard.executor, game, lambda text: pipe.send(("news", text)))
    pipe.send(("executor", used))
    return fit(
        state,
        step,
        game.batches,
        run.optimiser,
        Schedule(steps=run.steps, checkpoint_every=shard.checkpoint_every),
        on_tick=tell,
        on_checkpoint=lambda: pipe.send(("state", (state.step, packed(tensors(state))))),
        stop=stop,
    )


def packed(values: Mapping[str, Tensor]) -> bytes:
    return save({name: value.detach().cpu().contiguous() for name, value in values.items()})
