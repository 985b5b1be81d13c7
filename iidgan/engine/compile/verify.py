"""Whether a prepared move does what the move does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from iidgan.core import Batch, Losses
from iidgan.engine.state import State, undone


class Moving(Protocol):
    """A step on a state: a move, or what does the same."""

    state: State

    def __call__(self, batches: Sequence[Batch]) -> Losses: ...


def ensure_agreement(
    move: Moving, prepared: Moving, batches: Sequence[Batch], *, tolerance: float
) -> None:
    """Sees that what was prepared does what the move does, and undoes both.

    Both have the same losses, to 1 %, and move the networks to the same place.

    Arguments:
        move: What is to be done.
        prepared: What is to do the same, on the same state.
        batches: On these.
        tolerance: How far apart they may end, in lengths of the step. Rounding may turn a first
            step of Adam where a slope is 0.

    Raises:
        RuntimeError: It does not, as when a loss computes with numbers of the processor.
    """
    start = _weights(move.state)
    with undone(move.state):
        expected = move(batches)
        there = _weights(move.state)
    with undone(move.state):
        found = prepared(batches)
        here = _weights(move.state)
    together = (here - there).norm() <= tolerance * (there - start).norm()
    if not together or not _alike(found, expected):
        raise RuntimeError("the recorded move does not do what the move does")


def _alike(found: Losses, expected: Losses) -> bool:
    if [*found] != [*expected]:
        return False
    pairs = [(found[name].double(), expected[name].double()) for name in expected]
    return all(torch.allclose(a, b, rtol=1e-2, atol=1e-3, equal_nan=True) for a, b in pairs)


def _weights(state: State) -> Tensor:
    """Copies all parameters into one vector; those of seeds that diverged count as 0."""
    weights = [value.detach().flatten().double() for value in state.nets.parameters()]
    return torch.cat(weights).nan_to_num(0, 0, 0)
