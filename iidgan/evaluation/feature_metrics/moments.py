"""Distances of the moments of two sets of features: Frechet and kernel distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from iidgan.evaluation.feature_metrics.base import (
    INCEPTION,
    FeatureMetric,
    FeaturePair,
    Score,
    name_by_extractor,
)
from iidgan.functional.scores.frechet import effective_rank, frechet_distance
from iidgan.functional.scores.kernel_distance import kernel_distance


@dataclass(frozen=True, kw_only=True)
class FrechetDistanceMetric(FeatureMetric):
    """Fréchet distance (`fid` on Inception), and the effective rank of the real features.

    See `iidgan.metrics.frechet_distance` and `effective_rank`.
    """

    def notes(self, pair: FeaturePair) -> list[str]:
        """Return a sentence on the bias if there are fewer samples than dimensions.

        Arguments:
            pair: The features.
        """
        num_samples = min(len(pair.real), len(pair.fake))
        num_features = pair.real.protocol.num_features
        if num_samples > num_features:
            return []
        name = name_by_extractor("fd", pair.extractor, "fid")
        return [
            f"{name}: {num_samples:,} samples for {num_features:,} dimensions: the distance is "
            "biased upwards, and comparable with that of equally many samples only; use more "
            "(--num), or kd, which is unbiased"
        ]

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the distance and the effective rank.

        Arguments:
            pair: The features.
        """
        real, fake = pair.real.values, pair.fake.values
        name = name_by_extractor("fd", pair.extractor, "fid")
        return [
            *self._parts_scores(
                pair, [name], lambda *parts: [frechet_distance(*parts)], real, fake
            ),
            self._plain_score(pair, "effective_rank", float(effective_rank(real))),
        ]


@dataclass(frozen=True, kw_only=True)
class KernelDistanceMetric(FeatureMetric):
    """Kernel distance (`kid` on Inception): squared maximum mean discrepancy, unbiased.

    See `iidgan.metrics.kernel_distance`.

    Arguments:
        subset_size: Samples of each side in a subset; with fewer samples, a single subset has all.
        num_passes: Number of subsets that a sample is in, on average; 2 give 100 subsets of 1,000
            for 50,000 samples, as is usual. So more samples give a narrower interval.
        seed: Seed of the subsets.
    """

    subset_size: int = 1000
    num_passes: int = 2
    seed: int = 0

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the distance.

        Arguments:
            pair: The features.
        """
        name = name_by_extractor("kd", pair.extractor, "kid")
        real, fake = pair.real.values, pair.fake.values
        return self._parts_scores(
            pair, [name], self._compute_distance, real, fake, minimum=-math.inf
        )

    def _compute_distance(self, real: Tensor, fake: Tensor) -> list[Tensor]:
        num_samples = min(len(real), len(fake))
        distance = kernel_distance(
            real,
            fake,
            subset_size=self.subset_size if num_samples > self.subset_size else None,
            num_subsets=math.ceil(self.num_passes * num_samples / self.subset_size),
            seed=self.seed,
        )
        return [distance.mean]


class _InceptionOnly(FeatureMetric):
    """A metric under the name of the papers, which stands for their features alone."""

    other_name: ClassVar[str]

    def unsuited(self, extractor: str, head: nn.Linear | None) -> str | None:
        """Return why features of this kind do not suffice.

        Arguments:
            extractor: Name of the extractor.
            head: Layer that maps features to logits of classes; None if there is none.
        """
        if extractor != INCEPTION:
            return (
                f"is of the features of inception, got those of {extractor}; take --metrics "
                f"{self.other_name}, or --features {INCEPTION}"
            )
        return super().unsuited(extractor, head)


@dataclass(frozen=True, kw_only=True)
class FIDMetric(_InceptionOnly, FrechetDistanceMetric):
    """Fréchet Inception distance: `fd`, refused with any other features."""

    other_name = "fd"


@dataclass(frozen=True, kw_only=True)
class KIDMetric(_InceptionOnly, KernelDistanceMetric):
    """Kernel Inception distance: `kd`, refused with any other features."""

    other_name = "kd"
