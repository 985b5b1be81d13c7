"""Verification that a prepared step is equivalent to the eager step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from iidgan.core import Batch, Losses
from iidgan.engine.state import State, rollback
from iidgan.engine.step import Precision


@dataclass(frozen=True)
class Tolerance:
    """How much two equivalent steps may differ.

    Adam's first update has the signs of the gradient: where a gradient is off by the share e of
    its size, a share e / pi of the signs is wrong, and the update is off by 2 sqrt(e / pi) of its
    length.

    Arguments:
        weights: Largest distance of the resulting weights, as a multiple of the step's length.
        losses: Largest relative difference of a loss.
    """

    weights: float
    losses: float = 0.01


COMPILED_TOLERANCES: Mapping[Precision, Tolerance] = {
    "float32": Tolerance(weights=0.1),
    # Compiled code skips the rounding between operations that it fuses, and a gradient whose parts
    # cancel is off by up to half of its size.
    "bfloat16": Tolerance(weights=0.8, losses=0.05),
}


class StatefulStep(Protocol):
    """A training step and the state that it updates."""

    state: State

    def __call__(self, batches: Sequence[Batch]) -> Losses: ...


def assert_equivalent(
    eager_step: StatefulStep,
    prepared_step: StatefulStep,
    batches: Sequence[Batch],
    *,
    tolerance: Tolerance,
) -> None:
    """Check that two steps have the same losses and the same effect on the weights.

    The state stays as it is.

    Arguments:
        eager_step: Defines the expected result.
        prepared_step: Step to check, on the same state.
        batches: Batches on which both are evaluated.
        tolerance: How much they may differ.

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
    is_close = (weights - expected_weights).norm() <= tolerance.weights * step_length
    if not is_close or not _have_equal_losses(losses, expected_losses, tolerance.losses):
        raise RuntimeError("the prepared step is not equivalent to the eager step")


def _have_equal_losses(losses: Losses, expected: Losses, tolerance: float) -> bool:
    if [*losses] != [*expected]:
        return False
    pairs = [(losses[name].double(), expected[name].double()) for name in expected]
    return all(
        torch.allclose(a, b, rtol=tolerance, atol=0.1 * tolerance, equal_nan=True)
        for a, b in pairs
    )


def _flatten_weights(state: State) -> Tensor:
    """Copy all parameters into one vector; non-finite weights of diverged seeds count as 0."""
    weights = [value.detach().flatten().double() for value in state.nets.parameters()]
    return torch.cat(weights).nan_to_num(0, 0, 0)
