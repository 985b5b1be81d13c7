"""Optimisers and learning-rate schedules as values: functions of `torch.optim` do the work.

All of them are elementwise, so that seeds that share a parameter tensor stay independent. The
learning rate is a 0-d tensor: a schedule writes into it, and nothing is compiled again.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from iidgan.core import Reference, cites
from iidgan.errors import InputError, unknown

Schedule = Literal["constant", "linear", "cosine"]

# Share of the base rate that is left when a share t of the run is done.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda t: 1.0,
    "linear": lambda t: 1.0 - t,
    "cosine": lambda t: 0.5 * (1.0 + math.cos(math.pi * t)),
}


class Stepper(Protocol):
    """What moves parameters down their gradients, as every `torch.optim.Optimizer` does."""

    param_groups: list[dict[str, Any]]
    state: Any  # a mapping from each parameter to its tensors by name

    def step(self) -> object:
        """Moves the parameters once."""


class Optimiser(ABC):
    """An optimiser's options; subclasses are frozen dataclasses.

    Attributes:
        lr: Base learning rate.
        schedule: How the rate falls over the run.
    """

    lr: float
    schedule: Schedule

    @abstractmethod
    def build(self, parameters: Sequence[nn.Parameter], lr: Tensor) -> Stepper:
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

    def build(self, parameters: Sequence[nn.Parameter], lr: Tensor) -> Stepper:
        return _Fused(parameters, lr, self.betas, self.eps)


class _Fused:
    """Adam's tensors, and its step in one kernel.

    `torch.optim.Adam` does the same. Making one imports the front of torch's compiler, which takes
    longer than all else that comes before the first step of a training.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        lr: Tensor,
        betas: tuple[float, float],
        eps: float,
    ) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": [*parameters]}]
        self.state = {parameter: _slots(parameter) for parameter in parameters}
        self._lr, self._betas, self._eps = lr, betas, eps

    @torch.no_grad()
    def step(self) -> None:
        found = [(p, p.grad, slot) for p, slot in self.state.items() if p.grad is not None]
        slots = [slot for _, _, slot in found]
        adam(
            [parameter for parameter, _, _ in found],
            [gradient for _, gradient, _ in found],
            [slot["exp_avg"] for slot in slots],
            [slot["exp_avg_sq"] for slot in slots],
            [],
            [slot["step"] for slot in slots],
            fused=True,
            capturable=self._lr.is_cuda,  # a recorded step has to count on the device
            amsgrad=False,
            beta1=self._betas[0],
            beta2=self._betas[1],
            lr=self._lr,
            weight_decay=0.0,
            eps=self._eps,
            maximize=False,
        )


def _slots(parameter: nn.Parameter) -> dict[str, Tensor]:
    return {
        "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
        "exp_avg": torch.zeros_like(parameter, requires_grad=False),
        "exp_avg_sq": torch.zeros_like(parameter, requires_grad=False),
    }


OPTIMISERS: dict[str, type[Optimiser]] = {"adam": Adam}
