"""Metrics of proportions and of variety: histograms over bins, and the Vendi score."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from iidgan.evaluation.feature_metrics.base import FeatureMetric, FeaturePair, Score
from iidgan.functional.histogram import count_bins
from iidgan.functional.scores.bins import assign_bins, cluster, compare_bins, js_divergence
from iidgan.functional.scores.vendi import vendi_score


@dataclass(frozen=True, kw_only=True)
class BinsMetric(FeatureMetric):
    """Jensen-Shannon divergence over bins of real samples, and share of different bins (NDB).

    See `iidgan.metrics.bin_scores`. The interval of the divergence is for these bins. The share
    has none: what is significant depends on the number of samples, so that parts tell nothing.

    Arguments:
        num_bins: Number of bins.
        significance: Probability of a different bin for equal distributions.
        seed: Seed of the bins.
    """

    num_bins: int = 100
    significance: float = 0.05
    seed: int = 0

    def missing(self, pair: FeaturePair) -> str | None:
        """Return why it cannot be computed.

        Arguments:
            pair: The features.
        """
        if len(pair.real) < self.num_bins:
            return f"needs at least {self.num_bins} real samples, one a bin, got {len(pair.real)}"
        return super().missing(pair)

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the divergence and the share.

        Arguments:
            pair: The features.
        """
        centres = cluster(pair.real.values, self.num_bins, seed=self.seed)
        bins = [assign_bins(side.values, centres) for side in (pair.real, pair.fake)]
        real_counts, fake_counts = (count_bins(indices, self.num_bins) for indices in bins)
        scores = compare_bins(real_counts, fake_counts, significance=self.significance)
        return [
            *self._parts_scores(
                pair, ["js_divergence"], self._compute_divergence, *bins, maximum=math.log(2)
            ),
            self._plain_score(pair, "different_bins", float(scores.different_bins)),
        ]

    def _compute_divergence(self, real_bins: Tensor, fake_bins: Tensor) -> list[Tensor]:
        counts = (count_bins(indices, self.num_bins) for indices in (real_bins, fake_bins))
        return [js_divergence(*counts)]


@dataclass(frozen=True, kw_only=True)
class VendiMetric(FeatureMetric):
    """Vendi score: effective number of different samples, of generated and of real ones.

    See `iidgan.metrics.vendi_score`. `vendi_real` is what the real samples have.

    Arguments:
        q: Order.
    """

    q: float = 1.0

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the score of both sides.

        Arguments:
            pair: The features.
        """
        return [
            score
            for name, side in (("vendi", pair.fake), ("vendi_real", pair.real))
            for score in self._parts_scores(
                pair,
                [name],
                lambda features: [vendi_score(features, self.q)],
                side.values,
                minimum=1.0,
            )
        ]
