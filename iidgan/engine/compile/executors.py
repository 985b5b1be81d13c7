"""Ways to carry out the same move: as it is written, compiled whole, or replayed on the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Literal

import torch

from iidgan.core import Batch, Losses, Player
from iidgan.engine.compile.cache import TOLERANCE, recall, remember
from iidgan.engine.compile.capture import Compiled
from iidgan.engine.compile.cuda_graph import Graphed
from iidgan.engine.compile.verify import ensure_agreement
from iidgan.engine.step import Move, Step
from iidgan.errors import InputError

Executor = Literal["eager", "compiled", "graphed"]
Make = Callable[[Move, Sequence[Batch]], Step]


def generated(move: Move, example: Sequence[Batch]) -> Step:
    """Generates code; on a CUDA device its kernels are recorded too, unless it has to wait.

    Raises:
        RuntimeError: It does not do what the move does.
    """
    if known := recall(move, example):
        return known
    step = Compiled.record(move, example)
    for batches in (example, [_at_another_time(batch) for batch in example]):
        ensure_agreement(move, step, batches, tolerance=TOLERANCE)
    remember(move, step)
    if next(move.state.nets.parameters()).is_cuda:
        with suppress(RuntimeError):
            return Graphed(step, example)
    return step


def _at_another_time(batch: Batch) -> Batch:
    """Moves the share of the run: what a loss made a number of in Python stays as recorded."""
    return replace(batch, t=(batch.t + 0.5) % 1)


MADE: dict[Executor, Make] = {"compiled": generated, "graphed": Graphed}
DOING: dict[Executor, str] = {"compiled": "compiling", "graphed": "recording"}


def check(name: Executor, device: torch.device) -> None:
    """Sees that a device can do what an executor asks of it.

    Raises:
        InputError: It cannot.
    """
    if name == "graphed" and device.type != "cuda":
        raise InputError(f"executor: graphed needs a CUDA device, not {device}; use compiled")


def executor(
    name: Executor,
    move: Move,
    example: Sequence[Batch],
    tell: Callable[[str], None] = lambda text: None,
) -> Step:
    """Prepares `move` for batches of the shapes of `example`; the state stays as it is.

    A move that cannot be prepared so is carried out eagerly: it is the same one. What prepares,
    each time that other players begin to move, is told, and so is why it could not.
    """
    if name == "eager":
        return move

    def make(move: Move, example: Sequence[Batch]) -> Step:
        tell(DOING[name])
        return MADE[name](move, example)

    def made_or_eager(make: Make, move: Move, example: Sequence[Batch]) -> Step:
        try:
            return make(move, example)
        except Exception as error:  # whatever a compiler may raise, the eager move gives the same
            tell(f"{DOING[name]} failed ({_first_line(error)}); running eagerly")
            return move

    return made_or_eager(
        partial(Phases, make=make, later=partial(made_or_eager, make)), move, example
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


class Phases:
    """A prepared move for each part of the run that has players of its own.

    Arguments:
        move: What is prepared.
        example: Batches of the right shapes.
        make: Prepares the players that move first.
        later: Prepares those of the parts that come later; by default as the first.
    """

    def __init__(
        self, move: Move, example: Sequence[Batch], *, make: Make, later: Make | None = None
    ) -> None:
        self._move, self._later = move, later or make
        self._steps: dict[tuple[Player, ...], Step] = {move.active: make(move, example)}

    def __call__(self, batches: Sequence[Batch]) -> Losses:
        active = self._move.active
        if active not in self._steps:
            self._steps[active] = self._later(self._move, batches)
        return self._steps[active](batches)
