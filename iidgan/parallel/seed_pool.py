"""One run whose seeds are dealt among processes, each with a core to itself.

Every process trains its seeds as if there were no others, and sends what happened at ticks and its
state at checkpoints. What this process sees, logs and saves is the whole: the same state, up to
rounding, and the same files as if all seeds had trained here. So a run may be resumed with any
number of processes; the same bit for bit is what as many make of it.
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Literal

from safetensors.torch import load

from iidgan.engine.compile.executors import Executor
from iidgan.engine.loop import Ending, Stop, Tick
from iidgan.engine.state import State, joined, part, places, restore, tensors
from iidgan.errors import InputError
from iidgan.parallel.seed_worker import SIGNALS, Control, Shard, Stand, Together, packed, work
from iidgan.utils.processes import deaf, how_it_ended

RESTARTS = 1


def deal(seeds: Sequence[int], workers: int) -> list[tuple[int, ...]]:
    """Deals seeds in order among at most `workers` hands that differ by one at most."""
    workers = min(workers, len(seeds))
    bounds = [len(seeds) * i // workers for i in range(workers + 1)]
    return [tuple(seeds[a:b]) for a, b in itertools.pairwise(bounds)]


@dataclass
class _Worker:
    """A process, and what it has sent that waits for the others."""

    process: SpawnProcess
    pipe: Connection
    ticks: dict[int, Tick] = field(default_factory=dict)
    states: dict[int, bytes] = field(default_factory=dict)
    ending: Ending | None = None
    restarts: int = 0


class Shards:
    """The processes of one run.

    Arguments:
        state: The state of all seeds, from which they start and which they bring forward.
        shards: Who trains what.
        on_loss: Is told that a process has ended before its time, and is started again.
        on_news: Is told what else a user should know, once.
        on_executor: Is told how a process carries out its steps.
    """

    def __init__(
        self,
        state: State,
        shards: Sequence[Shard],
        *,
        on_loss: Callable[[str], None],
        on_news: Callable[[str], None],
        on_executor: Callable[[Executor], None],
    ) -> None:
        self._state, self._shards, self._on_loss = state, shards, on_loss
        self._on_news, self._on_executor = on_news, on_executor
        self._heard: set[str] = set()
        self._context = multiprocessing.get_context("spawn")
        self._control = Control(self._context, len(shards))
        self._places = places([len(shard.seeds) for shard in shards])
        self._told = state.step
        self._workers: list[_Worker] = []

    def fit(
        self,
        *,
        on_tick: Callable[[Tick], None],
        on_checkpoint: Callable[[], None],
        stop: Stop,
    ) -> Ending:
        """Trains as `engine.loop.fit` does.

        Raises:
            InputError: A process is given what it cannot use, or ends twice before its time.
            RuntimeError: A process fails.
        """
        try:
            self._workers = [self._start(index) for index in range(len(self._shards))]
            for index in range(len(self._shards)):  # which have all begun to import by now
                self._feed(index)
            while any(worker.ending is None for worker in self._workers):
                self._agree(stop)
                self._receive()
                for tick in self._whole_ticks():
                    on_tick(tick)
                for _ in self._whole_states():
                    on_checkpoint()
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.join()
        if stop.hopeless(self._state.diverged):
            return "diverged"
        return "stopped" if any(w.ending == "stopped" for w in self._workers) else "finished"

    def _start(self, index: int) -> _Worker:
        ours, theirs = self._context.Pipe()
        self._control.at[index], self._control.resting[index] = self._state.step, 0
        stop = Together(self._control, index)
        process = self._context.Process(target=work, args=(self._shards[index], theirs, stop))
        with deaf(SIGNALS):
            process.start()
        theirs.close()  # so that its end is seen
        return _Worker(process, ours)

    def _feed(self, index: int) -> None:
        """Sends a process what it starts from; if it has ended, that is seen where it is heard."""
        state, place = self._state, self._places[index]
        values = packed(part(tensors(state), place))
        with suppress(OSError):
            self._workers[index].pipe.send(
                Stand(state.step, state.diverged[place].tolist(), values)
            )

    def _agree(self, stop: Stop) -> None:
        control = self._control
        if stop.granted(self._state.step) or stop.hopeless(self._state.diverged):
            control.ask()
        at_rest = [
            resting or worker.ending is not None
            for resting, worker in zip(control.resting, self._workers)
        ]
        if control.asked.value and all(at_rest) and control.last.value < 0:
            control.release()

    def _receive(self) -> None:
        wait([worker.pipe for worker in self._workers if worker.ending is None], timeout=0.2)
        for index, worker in enumerate(self._workers):
            try:
                while worker.ending is None and worker.pipe.poll():
                    self._take(worker, *worker.pipe.recv())
            except (EOFError, OSError):
                self._restart(index)

    def _take(
        self,
        worker: _Worker,
        kind: Literal["tick", "state", "news", "executor", "ended", "failed"],
        content: Any,  # noqa: ANN401 - what a message of this kind holds
    ) -> None:
        if kind == "tick" and content.step > self._told:
            worker.ticks[content.step] = content
        elif kind == "state" and content[0] > self._state.step:
            worker.states[content[0]] = content[1]
        elif kind == "news" and content not in self._heard:
            self._heard.add(content)
            self._on_news(content)
        elif kind == "executor":
            self._on_executor(content)
        elif kind == "ended":
            worker.ending = content
        elif kind == "failed":
            raise content

    def _restart(self, index: int) -> None:
        worker, shard = self._workers[index], self._shards[index]
        worker.process.join()
        whose = f"the process of seeds {', '.join(map(str, shard.seeds))}"
        how = f"{how_it_ended(worker.process.exitcode)} at about step {self._control.at[index]}"
        if worker.restarts == RESTARTS:
            self._on_loss(f"{whose} {how}, again")
            raise InputError(
                f"workers: {whose} {how}, again; the same command goes on from step "
                f"{self._state.step}, with --workers 1 in one process"
            )
        self._on_loss(f"{whose} {how}; starting it again from step {self._state.step}")
        self._workers[index] = self._start(index)
        self._workers[index].restarts = worker.restarts + 1
        self._feed(index)

    def _whole_ticks(self) -> Iterator[Tick]:
        """Joins the ticks that have come from all."""
        for step in _in_all([worker.ticks for worker in self._workers]):
            parts = [worker.ticks.pop(step) for worker in self._workers]
            self._told = step
            self._heard.clear()  # what is said again after steps is news again
            tick = self._joined_tick(parts)
            for position, when in tick.diverged.items():
                self._state.diverged[position] = when
            yield tick

    def _joined_tick(self, parts: Sequence[Tick]) -> Tick:
        diverged = {
            place.start + position: step
            for place, tick in zip(self._places, parts)
            for position, step in tick.diverged.items()
        }
        return Tick(
            step=parts[0].step,
            losses={
                name: [value for tick in parts for value in tick.losses[name]]
                for name in parts[0].losses
            },
            seconds=max(tick.seconds for tick in parts),
            diverged=diverged,
        )

    def _whole_states(self) -> Iterator[int]:
        """Brings the state to each step at which those of all have come."""
        for step in _in_all([worker.states for worker in self._workers]):
            parts = [load(worker.states.pop(step)) for worker in self._workers]
            restore(self._state, joined(parts))
            self._state.step = step
            yield step


def _in_all(found: Sequence[Mapping[int, object]]) -> list[int]:
    first, *others = map(set, found)
    return sorted(first.intersection(*others))
