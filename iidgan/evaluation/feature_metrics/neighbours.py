"""Metrics of neighbours: coverage and its kin, retrieval, copies and repeated samples."""

from __future__ import annotations

from dataclasses import dataclass

from iidgan.errors import InputError
from iidgan.evaluation.feature_metrics.base import LEVEL, FeatureMetric, FeaturePair, Score
from iidgan.functional.scores.intervals import Interval
from iidgan.functional.scores.manifold import clipped_density_and_coverage
from iidgan.functional.scores.memorisation import birthday_support_size, memorisation_indicators
from iidgan.functional.scores.neighbours import nearest_neighbours
from iidgan.functional.scores.retrieval import retrieval_score


@dataclass(frozen=True, kw_only=True)
class _NeighbourMetric(FeatureMetric):
    """A metric of k nearest neighbours.

    Arguments:
        k: Number of neighbours.
    """

    k: int = 5

    def _count_needed(self) -> int:
        return self.k + 1


@dataclass(frozen=True, kw_only=True)
class PRDCMetric(_NeighbourMetric):
    """Improved precision and recall, density and coverage.

    See `iidgan.metrics.prdc`.
    """

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the four values.

        Arguments:
            pair: The features.
        """
        indicators = pair.prdc_indicators(self.k)
        return [
            self._mean_score(pair, name, values) for name, values in indicators._asdict().items()
        ]


@dataclass(frozen=True, kw_only=True)
class ClassCoverageMetric(_NeighbourMetric):
    """Coverage of each class of the real samples, by their labels.

    See `iidgan.metrics.class_coverage`. A class without real samples has no value.
    """

    def missing(self, pair: FeaturePair) -> str | None:
        """Return why it cannot be computed.

        Arguments:
            pair: The features.
        """
        if pair.real_labels is None or not (pair.real_labels >= 0).any():
            return "needs labels of the real samples, got none; prepare them with --labels"
        return super().missing(pair)

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute one value for each class.

        Arguments:
            pair: The features.
        """
        labels = pair.real_labels
        assert labels is not None  # or it is missing
        indicators = pair.prdc_indicators(self.k).coverage
        return [
            self._mean_score(
                pair, f"class_coverage_{_name_label(pair, label)}", indicators[labels == label]
            )
            for label in labels[labels >= 0].unique().tolist()
        ]


def _name_label(pair: FeaturePair, label: int) -> str:
    return pair.label_names[label] if label < len(pair.label_names) else str(label)


@dataclass(frozen=True, kw_only=True)
class ClippedMetric(_NeighbourMetric):
    """Clipped density and clipped coverage, which are linear in the share of bad samples.

    See `iidgan.metrics.clipped_density_and_coverage`.
    """

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute both values.

        Arguments:
            pair: The features.
        """
        return self._parts_scores(
            pair,
            ["clipped_density", "clipped_coverage"],
            lambda real, fake: clipped_density_and_coverage(real, fake, self.k),
            pair.real.values,
            pair.fake.values,
            maximum=1.0,
        )


@dataclass(frozen=True, kw_only=True)
class RetrievalMetric(FeatureMetric):
    """Image Retrieval Score: share of the real samples that is ever retrieved, with bounds.

    See `iidgan.metrics.retrieval_score`. `irs_retrieved` is the share that was retrieved by the
    samples at hand.
    """

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the estimate and the share at hand.

        Arguments:
            pair: The features.
        """
        shares = retrieval_score(pair.real.values, pair.fake.values, level=LEVEL)
        estimate, low, high = map(float, (shares.estimate, shares.low, shares.high))
        return [
            self._score(pair, "irs", Interval(estimate, low, high, LEVEL, ""), "occupancy"),
            self._plain_score(pair, "irs_retrieved", float(shares.retrieved)),
        ]


@dataclass(frozen=True, kw_only=True)
class MemorisationMetric(FeatureMetric):
    """Copies of real samples: authenticity, share of near copies, ratio of distances.

    See `iidgan.metrics.memorisation`.

    Arguments:
        max_ratio: Ratio below which a sample counts as a near copy.
    """

    max_ratio: float = 1 / 3

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the three values.

        Arguments:
            pair: The features.
        """
        real, fake = pair.real.values, pair.fake.values
        indicators = memorisation_indicators(real, fake, max_ratio=self.max_ratio)
        return [
            self._mean_score(pair, "authenticity", indicators.authenticity),
            self._mean_score(pair, "near_copies", indicators.near_copies),
            *self._parts_scores(
                pair,
                ["copy_ratio"],
                lambda ratios: [ratios.quantile(0.5)],
                indicators.ratio,
                maximum=1.0,
            ),
        ]


@dataclass(frozen=True, kw_only=True)
class BirthdayMetric(FeatureMetric):
    """Support size by the birthday paradox, from pairs of generated samples that are alike.

    See `iidgan.metrics.birthday_support_size`. Samples are alike if they are at most as far apart
    as the closest `quantile` of the real samples are from their nearest neighbours: so the real
    samples themselves have a size of about N / `quantile`.

    Arguments:
        quantile: Quantile of the distances between real samples and their nearest neighbours.
    """

    quantile: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.quantile <= 1:
            raise InputError(f"quantile: must be in [0, 1], got {self.quantile}")

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the support size, infinite if no two samples are alike, and the number of pairs.

        Arguments:
            pair: The features.
        """
        real = pair.real.values
        distances, _ = nearest_neighbours(real, real, same_set=True)
        threshold = float(distances[:, 0].quantile(self.quantile))
        size = birthday_support_size(pair.fake.values, threshold, level=LEVEL)
        estimate, low, high = map(float, (size.estimate, size.low, size.high))
        return [
            self._score(pair, "support_size", Interval(estimate, low, high, LEVEL, ""), "poisson"),
            self._plain_score(pair, "similar_pairs", float(size.num_pairs)),
        ]
