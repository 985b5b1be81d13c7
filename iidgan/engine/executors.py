"""Ways to carry out the same move: as it is written, compiled whole, or replayed on the device."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import torch

from iidgan.core import Batch, Losses, Player
from iidgan.engine.compiled import Compiled
from iidgan.engine.graphed import Graphed
from iidgan.engine.move import Move
from iidgan.errors import InputError

Executor = Literal["eager", "compiled", "graphed"]
Step = Callable[[Sequence[Batch]], Losses]
Make = Callable[[Move, Sequence[Batch]], Step]

MADE: dict[Executor, Make] = {"compiled": Compiled, "graphed": Graphed}


def check(name: Executor, device: torch.device) -> None:
    """Sees that a device can do what an executor asks of it.

    Raises:
        InputError: It cannot.
    """
    if name == "graphed" and device.type != "cuda":
        raise InputError(f"executor: graphed needs a CUDA device, not {device}; use compiled")


def executor(name: Executor, move: Move, example: Sequence[Batch]) -> Step:
    """Prepares `move` for batches of the shapes of `example`; the state stays as it is.

    A move that cannot be prepared so is carried out eagerly, with a warning: it is the same one.
    """
    if name == "eager":
        return move
    later = partial(_or_eager, MADE[name])
    return _or_eager(partial(Phases, make=MADE[name], later=later), move, example)


def _or_eager(make: Make, move: Move, example: Sequence[Batch]) -> Step:
    try:
        return make(move, example)
    except Exception as error:  # whatever a compiler may raise, the eager move gives the same
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        warnings.warn(f"compilation failed ({reason}); running eagerly", stacklevel=2)
        return move


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
