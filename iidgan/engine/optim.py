"""Optimisers and learning-rate schedules as values: `torch.optim` does the work.

All of them are elementwise, so that seeds that share a parameter tensor stay independent. The
learning rate is a 0-d tensor: a schedule writes into it, and nothing is compiled again.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from iidgan.core import Reference, cites
from iidgan.errors import InputError, unknown

Schedule = Literal["constant", "linear", "cosine"]

# Share of the base rate that is left when a share t of the run is done.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda t: 1.0,
    "linear": lambda t: 1.0 - t,
    "cosine": lambda t: 0.5 * (1.0 + math.cos(math.pi * t)),
}


class Optimiser(ABC):
    """An optimiser's options; subclasses are frozen dataclasses.

    Attributes:
        lr: Base learning rate.
        schedule: How the rate falls over the run.
    """

    lr: float
    schedule: Schedule

    @abstractmethod
    def build(self, parameters: Sequence[nn.Parameter], lr: Tensor) -> torch.optim.Optimizer:
        """Creates the optimiser of one player, which reads its rate from the 0-d tensor `lr`."""

    def rate(self, step: int, steps: int) -> float:
        """Computes the learning rate of step `step` (from 0) in a run of `steps`."""
        return self.lr * SCHEDULES[self.schedule](step / steps)


PAPER = Reference(
    title="Adam: A Method for Stochastic Optimization",
    authors="Diederik P. Kingma and Jimmy Ba",
    year=2014,
    url="https://arxiv.org/abs/1412.6980",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Adam(Optimiser):
    """Adam in one fused kernel.

    References:
        Adam: A Method for Stochastic Optimization (Kingma and Ba, 2014),
        https://arxiv.org/abs/1412.6980
    """

    lr: float = 2e-3
    """Learning rate at the first step."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay of the averages of the gradient and of its square."""
    eps: float = 1e-8
    """Added to the root of the second moment."""
    schedule: Schedule = "linear"
    """How the rate falls over the run: not at all, to 0 on a line, or to 0 on a half cosine."""

    def __post_init__(self) -> None:
        if not 0 < self.lr <= torch.finfo(torch.float32).max:
            raise InputError(f"lr: {self.lr} is no learning rate; a positive number, such as 2e-4")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"betas: {self.betas} are not two numbers in [0, 1)")
        if self.schedule not in SCHEDULES:
            raise unknown("schedule", self.schedule, SCHEDULES)
        if not 0 < self.eps < math.inf:
            raise InputError(f"eps: {self.eps} is not positive; 1e-8 is usual")

    def build(self, parameters: Sequence[nn.Parameter], lr: Tensor) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            parameters,
            lr=lr,
            betas=self.betas,
            eps=self.eps,
            fused=True,
            capturable=lr.is_cuda,  # a recorded step has to count on the device
        )


OPTIMISERS: dict[str, type[Optimiser]] = {"adam": Adam}
