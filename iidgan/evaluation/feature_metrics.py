"""Metrics of features by name: what `evaluate` and `diagnose` print of images and points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from iidgan.features import Features


@dataclass(frozen=True)
class Score:
    """One value of a metric, with its confidence interval.

    Arguments:
        metric: Name of the value, such as `coverage`.
        value: The value.
        low: Lower bound; NaN if there is no interval.
        high: Upper bound; NaN if there is no interval.
        protocol: Everything else that the value depends on, such as the features, the numbers of
            samples, the options of the metric, and how the interval was computed.
    """

    metric: str
    value: float
    low: float
    high: float
    protocol: Mapping[str, str | int | float | bool]


@dataclass(frozen=True)
class FeaturePair:
    """Features of real and of generated samples, and what some metrics need besides them.

    Arguments:
        real: Features of real samples.
        fake: Features of generated samples, of the same protocol.
        head: Layer that maps features to logits of classes; None if there is none.
        real_labels: Labels of the real samples, int64 with shape (N,); None if there are none.
        label_names: Names of the labels, in order; empty if they have none.
        take_fake: Reads generated samples by their positions; None if they are not at hand.
    """

    real: Features
    fake: Features
    head: nn.Linear | None = None
    real_labels: Tensor | None = None
    label_names: tuple[str, ...] = ()
    take_fake: Callable[[Sequence[int]], Tensor] | None = None
