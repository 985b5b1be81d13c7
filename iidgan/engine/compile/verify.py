"""Verification that a prepared step is equivalent to the eager step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from iidgan.core import Batch, Losses
from iidgan.engine.state import State, rollback

COMPILED_TOLERANCE = 0.1  # in step lengths: compiled code rounds differently


class StatefulStep(Protocol):
    """A training step and the state that it updates."""

    state: State

    def __call__(self, batches: Sequence[Batch]) -> Losses: ...


def assert_equivalent(
    eager_step: StatefulStep,
    prepared_step: StatefulStep,
    batches: Sequence[Batch],
    *,
    tolerance: float,
) -> None:
    """Check that two steps have the same losses (to 1 %) and the same effect on the weights.

    The state stays as it is.

    Arguments:
        eager_step: Defines the expected result.
        prepared_step: Step to check, on the same state.
        batches: Batches on which both are evaluated.
        tolerance: Largest distance between the resulting weights, as a multiple of the step's
            length. Rounding can flip the sign of Adam's first update where a gradient is 0.

    Raises:
        RuntimeError: The steps differ, as when a loss computes with Python numbers.
    """
    initial_weights = _flatten_weights(eager_step.state)
    with rollback(eager_step.state):
        expected_losses = eager_step(batches)
        expected_weights = _flatten_weights(eager_step.state)
    with rollback(eager_step.state):
        losses = prepared_step(batches)
        weights = _flatten_weights(eager_step.state)
    step_length = (expected_weights - initial_weights).norm()
    is_close = (weights - expected_weights).norm() <= tolerance * step_length
    if not is_close or not _have_equal_losses(losses, expected_losses):
        raise RuntimeError("the prepared step is not equivalent to the eager step")


def _have_equal_losses(losses: Losses, expected: Losses) -> bool:
    if [*losses] != [*expected]:
        return False
    pairs = [(losses[name].double(), expected[name].double()) for name in expected]
    return all(torch.allclose(a, b, rtol=1e-2, atol=1e-3, equal_nan=True) for a, b in pairs)


def _flatten_weights(state: State) -> Tensor:
    """Copy all parameters into one vector; non-finite weights of diverged seeds count as 0."""
    weights = [value.detach().flatten().double() for value in state.nets.parameters()]
    return torch.cat(weights).nan_to_num(0, 0, 0)
