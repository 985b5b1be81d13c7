"""Optimisers and learning-rate schedules as configuration values.

All optimisers are elementwise, so that seeds that share a parameter tensor stay independent. The
learning rate is a 0-d tensor that the training loop writes into, so that a change of the rate
does not trigger recompilation.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from iidgan.core import Reference, TypedFields, cites
from iidgan.core.references import R3GAN
from iidgan.errors import InputError

LrSchedule = Literal["constant", "linear", "cosine"]

# Factor of the base learning rate at progress t in [0, 1].
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda t: 1.0,
    "linear": lambda t: 1.0 - t,
    "cosine": lambda t: 0.5 * (1.0 + math.cos(math.pi * t)),
}


class TorchOptimizer(Protocol):
    """The part of the interface of `torch.optim.Optimizer` that training uses."""

    param_groups: list[dict[str, Any]]
    state: Any  # a mapping from each parameter to its tensors by name

    def step(self) -> object:
        """Update the parameters once."""


class Optimiser(TypedFields, ABC):
    """Options of an optimiser; subclasses are frozen dataclasses.

    Attributes:
        lr: Base learning rate.
        schedule: Learning-rate schedule: constant, or decay to 0 along a line or half a cosine.
    """

    lr: float
    schedule: LrSchedule

    @abstractmethod
    def build(self, parameters: Sequence[nn.Parameter], lr: Tensor) -> TorchOptimizer:
        """Create the optimiser of one player.

        Arguments:
            parameters: Parameters of the networks that the player trains.
            lr: 0-d tensor from which each step reads its learning rate.
        """

    def at_interval(self, interval: float) -> Optimiser:
        """Return the optimiser for networks that are updated every `interval`-th step only.

        Their gradients count `interval` times, so that this is the optimiser itself, as for plain
        gradient descent, unless its steps do not scale with the gradient.

        Arguments:
            interval: Steps per update, on average.
        """
        return self

    def lr_at(self, step: int, steps: int) -> float:
        """Return the learning rate of one step.

            lr_t = lr s(t / T)

        with s(t) = 1 for `constant`, 1 - t for `linear`, and (1 + cos(π t)) / 2 for `cosine`.

        Arguments:
            step: Step t, counted from 0.
            steps: Number of steps T of the run.

        Examples:
            >>> from iidgan import Adam
            >>> [round(Adam(lr=1.0, schedule="cosine").lr_at(step, 4), 3) for step in range(4)]
            [1.0, 0.854, 0.5, 0.146]
        """
        return self.lr * SCHEDULES[self.schedule](step / steps)


def _check_numbers(optimiser: Adam | AnnealedAdam | RMSProp) -> None:
    max_lr = torch.finfo(torch.float32).max
    if not 0 < optimiser.lr <= max_lr:
        raise InputError(f"lr: must be a positive number, such as 2e-4, got {optimiser.lr}")
    if not 0 < optimiser.eps < math.inf:
        raise InputError(f"eps: must be a positive number, such as 1e-8, got {optimiser.eps}")


ADAM_PAPER = Reference(
    title="Adam: A Method for Stochastic Optimization",
    authors="Diederik P. Kingma and Jimmy Ba",
    year=2014,
    url="https://arxiv.org/abs/1412.6980",
)


@cites(ADAM_PAPER)
@dataclass(frozen=True, kw_only=True)
class Adam(Optimiser):
    """Adam, in one fused kernel.

    With the gradient g, and β₁, β₂ = `betas`, each step t = 1, 2, ... computes

        m = β₁ m + (1 - β₁) g,  v = β₂ v + (1 - β₂) g²
        θ = θ - lr_t m̂ / (sqrt(v̂) + eps),  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)

    References:
        Adam: A Method for Stochastic Optimization (Kingma and Ba, 2014),
        https://arxiv.org/abs/1412.6980

    Examples:
        The first step has the length of the learning rate, whatever the gradient:

        >>> import torch
        >>> from iidgan import Adam
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
        >>> optimiser = Adam().build([weight], torch.tensor(0.1))
        >>> weight.grad = torch.tensor([5.0, -0.01])
        >>> optimiser.step()
        >>> weight.detach().round(decimals=4)
        tensor([0.9000, 1.1000])
    """

    lr: float = 2e-3
    """Initial learning rate."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay rates of the moving averages of the gradient and of its square."""
    eps: float = 1e-8
    """Added to the square root of the second moment for numerical stability."""
    schedule: LrSchedule = "linear"
    """Learning-rate schedule: constant, or decay to 0 along a line or half a cosine."""

    def __post_init__(self) -> None:
        _check_numbers(self)
        if not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"betas: must be two numbers in [0, 1), got {self.betas}")

    def at_interval(self, interval: float) -> Adam:
        """Return Adam with the rate lr · k and β₁ᵏ, β₂ᵏ for networks that move every k-th step.

        So the steps have the same length in total, and the averages reach equally far back. This
        is StyleGAN2's correction for k/(k + 1) steps per update.

        Arguments:
            interval: Steps per update, on average.

        References:
            Analyzing and Improving the Image Quality of StyleGAN (Karras, Laine, Aittala,
            Hellsten, Lehtinen and Aila, 2020), https://arxiv.org/abs/1912.04958, appendix B

        Examples:
            >>> Adam(lr=0.002, betas=(0.5, 0.9)).at_interval(2)
            Adam(lr=0.004, betas=(0.25, 0.81), eps=1e-08, schedule='linear')
        """
        beta1, beta2 = self.betas
        return replace(self, lr=interval * self.lr, betas=(beta1**interval, beta2**interval))

    def build(self, parameters: Sequence[nn.Parameter], lr: Tensor) -> TorchOptimizer:
        return _FusedAdam(parameters, lr, self.betas, self.eps)


class _FusedAdam:
    """The tensors of Adam, and its step in one kernel.

    Equivalent to `torch.optim.Adam(fused=True)`. Constructing that one imports the front end of
    torch's compiler, which takes longer than everything else before the first training step.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        lr: Tensor,
        betas: tuple[float, float],
        eps: float,
    ) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": [*parameters]}]
        self.state = {parameter: _make_slots(parameter) for parameter in parameters}
        self._lr, self._betas, self._eps = lr, betas, eps

    @torch.no_grad()
    def step(self) -> None:
        updates = [(p, p.grad, slot) for p, slot in self.state.items() if p.grad is not None]
        if not updates:
            return
        slots = [slot for _, _, slot in updates]
        adam(
            [parameter for parameter, _, _ in updates],
            [gradient for _, gradient, _ in updates],
            [slot["exp_avg"] for slot in slots],
            [slot["exp_avg_sq"] for slot in slots],
            [],
            [slot["step"] for slot in slots],
            fused=True,
            capturable=self._lr.is_cuda,  # a captured step must count on the device
            amsgrad=False,
            beta1=self._betas[0],
            beta2=self._betas[1],
            lr=self._lr,
            weight_decay=0.0,
            eps=self._eps,
            maximize=False,
        )


def _make_slots(parameter: nn.Parameter) -> dict[str, Tensor]:
    return {
        "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
        "exp_avg": torch.zeros_like(parameter, requires_grad=False),
        "exp_avg_sq": torch.zeros_like(parameter, requires_grad=False),
    }


@cites(R3GAN)
@dataclass(frozen=True, kw_only=True)
class AnnealedAdam(Optimiser):
    """Adam whose learning rate falls to a floor while β₂ rises to a ceiling, as R3GAN's do.

        lr_t = lr_end + (lr - lr_end) s(t / T),    β₂_t = beta2_end + (β₂ - beta2_end) s(t / T)

    with the schedule s of the learning rate. The average v of squared gradients is divided by that
    of ones, which corrects its bias whatever β₂ was. The paper ends both schedules after a
    burn-in; here they span the run.

    References:
        The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang, Gokaslan, Kuleshov and
        Tompkin, 2024), https://arxiv.org/abs/2501.05441

    Examples:
        >>> from iidgan import AnnealedAdam
        >>> optimiser = AnnealedAdam(lr=2e-4, lr_end=5e-5)
        >>> optimiser.lr_at(0, 100), round(optimiser.lr_at(50, 100), 7), optimiser.lr_at(100, 100)
        (0.0002, 0.000125, 5e-05)
    """

    lr: float = 2e-4
    """Initial learning rate."""
    lr_end: float = 5e-5
    """Learning rate at the end of the run."""
    betas: tuple[float, float] = (0.0, 0.9)
    """Decay rates of the moving averages of the gradient and, initially, of its square."""
    beta2_end: float = 0.99
    """Decay rate of the average of the square at the end of the run."""
    eps: float = 1e-8
    """Added to the square root of the second moment for numerical stability."""
    schedule: LrSchedule = "cosine"
    """Schedule of both: constant, or along a line or half a cosine."""

    def __post_init__(self) -> None:
        _check_numbers(self)
        if not 0 <= self.lr_end < self.lr:
            raise InputError(f"lr_end: must be >= 0 and below lr {self.lr}, got {self.lr_end}")
        for name, values in (("betas", self.betas), ("beta2_end", (self.beta2_end,))):
            if not all(0 <= beta < 1 for beta in values):
                raise InputError(f"{name}: must be in [0, 1), got {getattr(self, name)}")

    def lr_at(self, step: int, steps: int) -> float:
        share = SCHEDULES[self.schedule](step / steps)
        return self.lr_end + (self.lr - self.lr_end) * share

    def at_interval(self, interval: float) -> AnnealedAdam:
        """Return the optimiser for networks that move every k-th step, as Adam does.

        Arguments:
            interval: Steps per update, on average.
        """
        beta1, beta2 = self.betas
        return replace(
            self,
            lr=interval * self.lr,
            lr_end=interval * self.lr_end,
            betas=(beta1**interval, beta2**interval),
            beta2_end=self.beta2_end**interval,
        )

    def build(self, parameters: Sequence[nn.Parameter], lr: Tensor) -> TorchOptimizer:
        return _TensorRateAdam(parameters, lr, self)


class _TensorRateAdam:
    """The tensors of `AnnealedAdam`, and its step, which reads both schedules from the rate."""

    def __init__(
        self, parameters: Sequence[nn.Parameter], lr: Tensor, options: AnnealedAdam
    ) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": [*parameters]}]
        self.state = {
            parameter: _make_slots(parameter)
            | {"mean_of_ones": torch.zeros((), dtype=torch.float32, device=parameter.device)}
            for parameter in parameters
        }
        self._lr, self._initial_lr, self._options = lr, float(lr), options

    @torch.no_grad()
    def step(self) -> None:
        (beta1, _), beta2 = self._options.betas, self._current_beta2()
        for parameter, slot in self.state.items():
            if (gradient := parameter.grad) is None:
                continue
            slot["step"].add_(1)
            slot["exp_avg"].lerp_(gradient, 1 - beta1)
            for average, value in (
                (slot["exp_avg_sq"], gradient.square()),
                (slot["mean_of_ones"], torch.ones_like(slot["mean_of_ones"])),
            ):
                average.lerp_(value, (1 - beta2).to(average.dtype))
            mean = slot["exp_avg"] / (1 - beta1 ** slot["step"])
            scale = (slot["exp_avg_sq"] / slot["mean_of_ones"]).sqrt() + self._options.eps
            parameter.sub_(self._lr * mean / scale)

    def _current_beta2(self) -> Tensor:
        options = self._options
        floor = options.lr_end / options.lr
        share = (self._lr / self._initial_lr - floor) / (1 - floor)
        return options.beta2_end + (options.betas[1] - options.beta2_end) * share


RMSPROP_LECTURE = Reference(
    title="Lecture 6.5, RMSProp: Divide the gradient by a running average of its recent magnitude",
    authors="Tijmen Tieleman and Geoffrey Hinton",
    year=2012,
    url="https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
)


@cites(RMSPROP_LECTURE)
@dataclass(frozen=True, kw_only=True)
class RMSProp(Optimiser):
    """RMSProp without momentum, as `torch.optim.RMSprop` computes it.

    With the gradient g and v = 0 at the start, each step computes

        v = α v + (1 - α) g²
        θ = θ - lr_t g / (sqrt(v) + eps)

    Unlike Adam it corrects no bias: the first step has the length lr / sqrt(1 - α), ten times the
    learning rate with the default α. The default rate and schedule are those of the authors of
    WGAN, who found momentum to make its training unstable.

    References:
        * Lecture 6.5, RMSProp: Divide the gradient by a running average of its recent magnitude
          (Tieleman and Hinton, 2012),
          https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf
        * Wasserstein GAN (Arjovsky, Chintala and Bottou, 2017), https://arxiv.org/abs/1701.07875,
          section 4, and https://github.com/martinarjovsky/WassersteinGAN

    Examples:
        >>> import torch
        >>> from iidgan import RMSProp
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
        >>> optimiser = RMSProp(alpha=0.75).build([weight], torch.tensor(0.1))
        >>> weight.grad = torch.tensor([5.0, -0.01])
        >>> optimiser.step()  # by 0.1 / sqrt(1 - 0.75), whatever the gradient
        >>> weight.detach().round(decimals=4)
        tensor([0.8000, 1.2000])
    """

    lr: float = 5e-5
    """Initial learning rate."""
    alpha: float = 0.99
    """Decay rate of the moving average of the square of the gradient."""
    eps: float = 1e-8
    """Added to the square root of that average for numerical stability."""
    schedule: LrSchedule = "constant"
    """Learning-rate schedule: constant, or decay to 0 along a line or half a cosine."""

    def __post_init__(self) -> None:
        _check_numbers(self)
        if not 0 <= self.alpha < 1:
            raise InputError(f"alpha: must be a number in [0, 1), got {self.alpha}")

    def at_interval(self, interval: float) -> RMSProp:
        """Return RMSProp with lr · k and αᵏ for networks that move every k-th step, as Adam does.

        Arguments:
            interval: Steps per update, on average.

        Examples:
            >>> RMSProp(lr=0.002, alpha=0.9).at_interval(2)
            RMSProp(lr=0.004, alpha=0.81, eps=1e-08, schedule='constant')
        """
        return replace(self, lr=interval * self.lr, alpha=self.alpha**interval)

    def build(self, parameters: Sequence[nn.Parameter], lr: Tensor) -> TorchOptimizer:
        return _TensorRateRMSProp(parameters, lr, self.alpha, self.eps)


class _TensorRateRMSProp:
    """The tensors of RMSProp, and its step, which reads the learning rate from a tensor.

    `torch.optim.RMSprop` converts it to a number, which a captured step would keep.
    """

    def __init__(
        self, parameters: Sequence[nn.Parameter], lr: Tensor, alpha: float, eps: float
    ) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": [*parameters]}]
        self.state = {
            parameter: {"square_avg": torch.zeros_like(parameter, requires_grad=False)}
            for parameter in parameters
        }
        self._lr, self._alpha, self._eps = lr, alpha, eps

    @torch.no_grad()
    def step(self) -> None:
        for parameter, slot in self.state.items():
            if (gradient := parameter.grad) is None:
                continue
            square_average = slot["square_avg"]
            square_average.mul_(self._alpha).addcmul_(gradient, gradient, value=1 - self._alpha)
            parameter.sub_(self._lr * gradient / (square_average.sqrt() + self._eps))


OPTIMISERS: dict[str, type[Optimiser]] = {
    "adam": Adam,
    "annealed-adam": AnnealedAdam,
    "rmsprop": RMSProp,
}
