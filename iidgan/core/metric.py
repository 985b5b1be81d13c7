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
class Features:
    """What a classifier says of images, each of which may have several views that it judges.

    Arguments:
        classes: The most probable class of each view, int64 with shape (..., N, V); -1 where the
            classifier's outputs are not finite.
        confidences: Its probability, float32 with shape (..., N, V); 0 where there is none.
        vectors: The activations below the last layer, float32 with shape (..., N, D).
    """

    classes: Tensor
    confidences: Tensor
    vectors: Tensor


@dataclass(frozen=True)
class Judged:
    """What a classifier says of generated and of real images.

    Arguments:
        generated: Of G(z) of S seeds: classes and confidences (S, N, V), vectors (S, N, D).
        real: Of the real samples: classes and confidences (n, V), vectors (n, D).
        num_classes: Classes that it tells apart.
        protocol: Which classifier it is, and how images were brought to its size.
    """

    generated: Features
    real: Features
    num_classes: int
    protocol: Protocol


@dataclass(frozen=True)
class Samples:
    """Generated samples of S seeds, and what else is known beside them.

    Arguments:
        generated: G(z), with shape (S, N, *shape); of many images the first ones.
        real: Samples of the data set, with shape (n, *shape), the same for every seed; likewise.
        z: The latents, with shape (S, N, M), those of `generated` first.
        codes: F(x) of m real samples, those of `real` first, with shape (S, m, M).
        z_cycled: F(G(z)) of the first m of `z`, with shape (S, m, M).
        x_cycled: G(F(x)) of the first of `real`, with shape (S, any, *shape).
        x_errors: Mean of |x - G(F(x))| over the elements of each of m real samples, shape (S, m).
        truth: The mixture that `real` was drawn from.
        labels: Labels of the whole data set, int64 with shape (any,).
        judged: What a classifier says of all generated and real images.
        unjudged: Why there is no `judged`, and what brings it.
    """

    generated: Tensor
    real: Tensor
    z: Tensor | None = None
    codes: Tensor | None = None
    z_cycled: Tensor | None = None
    x_cycled: Tensor | None = None
    x_errors: Tensor | None = None
    truth: Mixture | None = None
    labels: Tensor | None = None
    judged: Judged | None = None
    unjudged: str = "a classifier of such images"


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
