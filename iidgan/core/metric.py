"""What a metric reads, and what it has to say of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from iidgan.core.data import Mixture

Protocol = Mapping[str, str | int | float | bool]
"""How a number was made. Numbers of different protocols never stand in one column."""


@dataclass(frozen=True)
class Samples:
    """Generated samples of S seeds, and what else is known beside them.

    Arguments:
        generated: G(z), with shape (S, N, *shape).
        real: Samples of the data set, with shape (n, *shape), the same for every seed.
        z: The latents of `generated`, with shape (S, N, M).
        codes: F(x) of `real`, with shape (S, n, M).
        z_cycled: F(G(z)) of `z`, with shape (S, N, M).
        x_cycled: G(F(x)) of `real`, with shape (S, n, *shape).
        truth: The mixture that `real` was drawn from.
    """

    generated: Tensor
    real: Tensor
    z: Tensor | None = None
    codes: Tensor | None = None
    z_cycled: Tensor | None = None
    x_cycled: Tensor | None = None
    truth: Mixture | None = None


class Metric(ABC):
    """Numbers from samples; subclasses are frozen dataclasses, their fields its protocol."""

    @abstractmethod
    def missing(self, samples: Samples) -> str | None:
        """Names what `samples` lacks for this metric, or None."""

    @abstractmethod
    def protocol(self, samples: Samples) -> Protocol:
        """Everything besides the generator that the values depend on."""

    @abstractmethod
    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Computes named values, float64 with shape (S,), on the CPU."""
