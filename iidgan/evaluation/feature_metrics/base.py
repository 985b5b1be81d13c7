"""Pairs of features, scores with their intervals, and the base class of metrics of features."""

from __future__ import annotations

import hashlib
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar

from torch import Tensor, nn

from iidgan.core.metric import MetricProtocol
from iidgan.core.typed_fields import TypedFields
from iidgan.errors import InputError
from iidgan.features import FeatureProtocol, Features
from iidgan.functional.scores.intervals import Interval, mean_interval, parts_intervals
from iidgan.functional.scores.manifold import PRDC, prdc_indicators

INCEPTION = "inception"
"""The extractor whose distances are called FID and KID."""
LEVEL = 0.95
"""Confidence level of all intervals."""
NUM_PARTS = 10
"""Parts of a score's interval."""
PART_FACTOR = 4
"""Least number of samples in a part, over that which the score needs: scores of fewer hardly vary,
and their intervals would be too narrow."""


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
    protocol: MetricProtocol


@dataclass(frozen=True)
class FeaturePair:
    """Features of real and of generated samples, and what some metrics need besides them.

    Arguments:
        real: Features of real samples.
        fake: Features of generated samples, of the same protocol.
        head: Layer that maps features to logits of classes; None if there is none.
        real_labels: Labels of the real samples, int64 with shape (N,), -1 for samples without a
            label; None if there are none.
        label_names: Names of the labels, in order; empty if they have none.
        real_shape: Shape of a real sample, such as (C, H, W); empty if it is unknown.
        fake_shape: Shape of a generated sample.
        take_fake: Reads generated samples by their positions; None if they are not at hand.

    Raises:
        InputError: The protocols differ, a side has no samples, features are not finite, or the
            labels do not fit.
    """

    real: Features
    fake: Features
    head: nn.Linear | None = None
    real_labels: Tensor | None = None
    label_names: tuple[str, ...] = ()
    real_shape: tuple[int, ...] = ()
    fake_shape: tuple[int, ...] = ()
    take_fake: Callable[[Sequence[int]], Tensor] | None = None

    def __post_init__(self) -> None:
        self.real.protocol.check_comparable(self.fake.protocol, "generated samples")
        for name, features in (("real", self.real), ("generated", self.fake)):
            if len(features) == 0:
                raise InputError(f"{name} samples: need at least one, got none")
            if not all(map(math.isfinite, features.values.aminmax())):  # NaN if any value is
                raise InputError(
                    f"{name} samples: have features that are not finite; leave these samples out"
                )
        if self.real_labels is not None and self.real_labels.shape != (len(self.real),):
            raise InputError(
                f"labels: must have shape ({len(self.real)},), one for each real sample, got "
                f"{tuple(self.real_labels.shape)}"
            )

    @property
    def extractor(self) -> str:
        """Name of the extractor."""
        return self.real.protocol.extractor

    def prdc_indicators(self, k: int) -> PRDC:
        """Return `iidgan.metrics.prdc_indicators`, which several metrics need, computed once.

        Arguments:
            k: Number of neighbours.
        """
        if k not in self._indicators:
            self._indicators[k] = prdc_indicators(self.real.values, self.fake.values, k)
        return self._indicators[k]

    @cached_property
    def _indicators(self) -> dict[int, PRDC]:
        """Indicators by the number of neighbours."""
        return {}

    def protocol(self) -> dict[str, str | int | float | bool]:
        """Return what all scores of this pair depend on: features, and samples of both sides."""
        return {
            **flatten_protocol(self.real.protocol),
            "real_shape": _describe_shape(self.real_shape),
            "generated_shape": _describe_shape(self.fake_shape),
            "num_real": len(self.real),
            "num_generated": len(self.fake),
            "real_sha256": self._real_sha256,
        }

    @cached_property
    def _real_sha256(self) -> str:
        """Digest of the real features, whatever files they come from."""
        return hashlib.sha256(self.real.values.contiguous().numpy().data).hexdigest()


def _describe_shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def flatten_protocol(protocol: FeatureProtocol) -> dict[str, str | int | float | bool]:
    """Return the protocol of features as single values.

    Arguments:
        protocol: The protocol.

    Examples:
        >>> from iidgan.features import create_extractor
        >>> values = flatten_protocol(create_extractor("pixels", size=8).protocol)
        >>> values["input_size"], values["value_range"]
        ('8 x 8', '0.0 to 1.0')
    """
    values = protocol.to_dict()
    low, high = protocol.value_range
    size = protocol.input_size
    values["input_size"] = "own" if size is None else f"{size[0]} x {size[1]}"
    values["value_range"] = f"{low} to {high}"
    return values


def name_by_extractor(short_name: str, extractor: str, inception_name: str) -> str:
    """Name a value by its extractor, since numbers of different features share no column.

    Arguments:
        short_name: Name without the extractor, such as `fd`.
        extractor: Name of the extractor.
        inception_name: Name with the Inception features of the papers, such as `fid`.

    Examples:
        >>> name_by_extractor("fd", "efficientnet-lite0", "fid")
        'fd_efficientnet_lite0'
        >>> name_by_extractor("fd", "inception", "fid")
        'fid'
    """
    if extractor == INCEPTION:
        return inception_name
    return f"{short_name}_{re.sub('[^a-zA-Z0-9]+', '_', extractor).strip('_')}"


class FeatureMetric(TypedFields, ABC):
    """Named values computed from a pair of features, with intervals.

    A metric is a frozen dataclass whose fields are its options, which are part of the protocol.
    `unsuited` says why it cannot be computed of some features at all, `missing` why not of a pair,
    and `compute` computes its values.
    """

    min_samples: ClassVar[int] = 2
    """Smallest number of samples of each side, unless an option raises it."""

    def unsuited(self, extractor: str, head: nn.Linear | None) -> str | None:
        """Return why no features of this kind suffice, and the way on; None if they may.

        Arguments:
            extractor: Name of the extractor.
            head: Layer that maps features to logits of classes; None if there is none.
        """
        return None

    def missing(self, pair: FeaturePair) -> str | None:
        """Return why the metric cannot be computed, and the way on; None if it can.

        Arguments:
            pair: The features.
        """
        if reason := self.unsuited(pair.extractor, pair.head):
            return reason
        num_samples, min_samples = min(len(pair.real), len(pair.fake)), self._count_needed()
        if num_samples < min_samples:
            return f"needs at least {min_samples} samples of each side, got {num_samples}"
        return None

    def notes(self, pair: FeaturePair) -> list[str]:
        """Return sentences for the user on what limits the values.

        Arguments:
            pair: The features.
        """
        return []

    @abstractmethod
    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the values of the metric.

        Arguments:
            pair: The features, of which nothing is missing.
        """

    def _count_needed(self) -> int:
        return self.min_samples

    def _mean_score(self, pair: FeaturePair, name: str, values: Tensor) -> Score:
        """Score of the mean of values of single samples."""
        # Not the interval's own method, which depends on the values: those of two generators
        # would not be comparable.
        return self._score(pair, name, mean_interval(values, level=LEVEL), "bca")

    def _parts_scores(
        self,
        pair: FeaturePair,
        names: Sequence[str],
        scores: Callable[..., Sequence[Tensor]],
        *feature_sets: Tensor,
        minimum: float = 0.0,
        maximum: float = math.inf,
    ) -> list[Score]:
        """Scores with intervals from their parts; without any if there are too few samples.

        Bounds outside the range of the scores are cut off.
        """
        if min(map(len, feature_sets)) < NUM_PARTS * PART_FACTOR * self._count_needed():
            values = map(float, scores(*feature_sets))
            return [self._plain_score(pair, name, value) for name, value in zip(names, values)]
        intervals = parts_intervals(scores, *feature_sets, num_parts=NUM_PARTS, level=LEVEL)
        return [
            self._score(pair, name, _limit_bounds(interval, minimum, maximum), interval.method)
            for name, interval in zip(names, intervals)
        ]

    def _plain_score(self, pair: FeaturePair, name: str, value: float) -> Score:
        """Score without an interval."""
        return self._score(pair, name, Interval(value, math.nan, math.nan, LEVEL, ""), "none")

    def _score(self, pair: FeaturePair, name: str, interval: Interval, method: str) -> Score:
        """Score with the protocol of the pair, of the options and of the interval."""
        options: Mapping[str, Any] = asdict(self)  # type: ignore[call-overload]
        protocol = {**pair.protocol(), **options, "interval": method}
        if method != "none":
            protocol["level"] = interval.level
        return Score(name, interval.value, interval.low, interval.high, protocol)


def _limit_bounds(interval: Interval, minimum: float, maximum: float) -> Interval:
    # Rounding must not move a bound past the value.
    low = min(max(interval.low, minimum), interval.value)
    high = max(min(interval.high, maximum), interval.value)
    return interval._replace(low=low, high=high)
