"""Columns of tables: metrics that training measures, and scores on features of a network.

Scores on features, such as FID, are measured of a run once it has ended. Who prints the table
chooses the network of the features; numbers of different networks are never in one column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from iidgan.errors import InputError, unknown_name_error
from iidgan.evaluation.feature_metrics.base import INCEPTION, name_by_extractor
from iidgan.records import MetricRecord
from iidgan.sample_sets.feature_set import DEFAULT_FEATURES


def checkpoint_interval(num_steps: int, num_checkpoints: int) -> int:
    """Return the number of steps between checkpoints of a run, the last of which is at its end.

    Arguments:
        num_steps: Number of steps of the run.
        num_checkpoints: How often it is saved during training.

    Examples:
        >>> checkpoint_interval(100, 3)
        34
    """
    return -(-num_steps // num_checkpoints)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: a metric on one data set.

    Arguments:
        metric: Name of the metric in the records.
        dataset: Name of the data set, a key of `RowGroup.datasets`.
        decimals: Digits after the decimal point.
        scale: Factor of the values in the table, such as 100 for percent.
    """

    metric: str
    dataset: str
    decimals: int = 2
    scale: float = 1.0

    def has_record(self, record: MetricRecord) -> bool:
        """Return whether a record is of this column's metric.

        Arguments:
            record: A record of a run on the column's data set.
        """
        return record.metric == self.metric

    def list_steps(self, num_steps: int, num_checkpoints: int) -> tuple[int, ...]:
        """List the steps of a run of which a value needs records: the last one.

        Arguments:
            num_steps: Number of steps of the run.
            num_checkpoints: How often it is saved during training.
        """
        return (num_steps,)

    def select_records(
        self, records: Iterable[MetricRecord], steps: Sequence[int]
    ) -> list[MetricRecord]:
        """Select the records that a value needs, by seed; of a diverged seed those of that step.

        Arguments:
            records: Records of a run on the column's data set.
            steps: The steps of `list_steps`.
        """
        selected = (
            record
            for record in records
            if self.has_record(record) and (record.step in steps or record.diverged >= 0)
        )
        return sorted(selected, key=lambda record: (record.seed, record.step))


@dataclass(frozen=True, kw_only=True)
class PaperScore:
    """A score on features, as papers print it and as it is measured here.

    Arguments:
        metric: Name of the metric of features that computes it.
        record_name: Name of its records; those of a distance or of an Inception Score, which only
            mean something with their network, are named after it.
        inception_name: Name of these records on Inception features; empty: `record_name`.
        other_title: Its title on the features of another network; empty: that of the paper.
        features: Extractor of the paper's features.
        is_distance: Whether it is the better the smaller.
        of_training: Whether it is about the images of the training even where these are a part of
            all (`Subset`), with which other scores compare samples.
    """

    metric: str
    record_name: str
    inception_name: str = ""
    other_title: str = ""
    features: str = INCEPTION
    is_distance: bool = False
    of_training: bool = False

    @property
    def has_choice(self) -> bool:
        """Whether it is measured on the features of other networks, too."""
        return self.features == INCEPTION

    def name_record(self, features: str) -> str:
        """Return the name of the records on the features of an extractor.

        Arguments:
            features: Name of the extractor.
        """
        if not self.inception_name:
            return self.record_name
        return name_by_extractor(self.record_name, features, self.inception_name)


SCORES: Mapping[str, PaperScore] = {
    "IS": PaperScore(metric="is", record_name="is", inception_name="inception_score"),
    "FID": PaperScore(
        metric="fd", record_name="fd", inception_name="fid", other_title="FD", is_distance=True
    ),
    "MS": PaperScore(metric="mode-score", record_name="mode_score"),
    "JSD": PaperScore(
        metric="jsd", record_name="js_divergence", features="pixels", is_distance=True
    ),
    "KID": PaperScore(
        metric="kd", record_name="kd", inception_name="kid", other_title="KD", is_distance=True
    ),
    "clipped coverage": PaperScore(
        metric="clipped", record_name="clipped_coverage", features=DEFAULT_FEATURES
    ),
    "near copies": PaperScore(
        metric="memorisation",
        record_name="near_copies",
        features=DEFAULT_FEATURES,
        of_training=True,
    ),
    "FD": PaperScore(
        metric="fd",
        record_name=name_by_extractor("fd", DEFAULT_FEATURES, "fid"),
        features=DEFAULT_FEATURES,
        is_distance=True,
    ),
}
"""Scores by the title of the papers, or of the library: clipped coverage, and FD for tables of its
own. The bins of JSD are clusters in pixels, as in its paper."""

MIN_FULL_RANK = 2_049
"""Number of images from which on the covariance of Inception's 2,048 features has full rank."""
NUM_SAMPLES = 50_000
"""Default number of generated samples, and at most of real ones, that a score reads."""


@dataclass(frozen=True, kw_only=True)
class ScoreColumn(Column):
    """A column of a score on features; `score_columns` creates it.

    Arguments:
        score: Title of the score in the papers, a key of `SCORES`.
        features: Name of the extractor.
        num_samples: Number of generated samples of each seed, and at most of real ones.
        over_training: Whether its value is the smallest of those at all checkpoints of the
            training instead of that of the last step. Choosing by the score itself flatters it.
    """

    score: str
    features: str
    num_samples: int = NUM_SAMPLES
    over_training: bool = False

    @property
    def title(self) -> str:
        """Title, which names the features unless they are those of the paper."""
        factor = "" if self.scale == 1 else f" x {self.scale:g}"
        factor += ", minimum over training" if self.over_training else ""
        score = SCORES[self.score]
        if self.features == score.features:
            return f"{self.dataset} {self.score}{factor}"
        title = f"{self.dataset} {score.other_title or self.score}{factor}"
        return f"{title}, {self.features} (paper: {score.features})"

    def has_record(self, record: MetricRecord) -> bool:
        """Return whether a record is of this score on these features.

        Arguments:
            record: A record of a run on the column's data set.
        """
        return super().has_record(record) and record.protocol.get("extractor") == self.features

    def list_steps(self, num_steps: int, num_checkpoints: int) -> tuple[int, ...]:
        """List the steps of a run of which a value needs records: all checkpoints, or the last.

        Arguments:
            num_steps: Number of steps of the run.
            num_checkpoints: How often it is saved during training.

        Examples:
            >>> column = score_columns("MNIST", {"FID": 2}, over_training=True)
            >>> [column.list_steps(100, 3) for column in column.values()]
            [(34, 68, 100)]
        """
        if not self.over_training:
            return super().list_steps(num_steps, num_checkpoints)
        interval = checkpoint_interval(num_steps, num_checkpoints)
        return (*range(interval, num_steps, interval), num_steps)

    def with_features(self, features: str) -> ScoreColumn:
        """Return the column on other features, if the score is measured on others.

        Arguments:
            features: Name of the extractor.
        """
        score = SCORES[self.score]
        if not score.has_choice:
            return self
        return replace(self, metric=score.name_record(features), features=features)


def describe_reading(columns: Sequence[ScoreColumn]) -> str:
    """Describe in a sentence which images scores read.

    Arguments:
        columns: Columns of scores, at least one.

    Examples:
        >>> describe_reading([*score_columns("CIFAR-10", {"FID": 2, "JSD": 2}).values()])
        '50,000 generated images of each seed and at most as many training images; JSD: over ...'
    """
    datasets: dict[int, dict[str, None]] = {}
    for column in columns:
        datasets.setdefault(column.num_samples, {})[column.dataset] = None
    numbers = (
        f"{num:,}" + (f" ({', '.join(names)})" if len(datasets) > 1 else "")
        for num, names in datasets.items()
    )
    text = f"{' and '.join(numbers)} generated images of each seed and at most as many training "
    has_bins = any(column.score == "JSD" for column in columns)
    bins = "; JSD: over 100 clusters of training images in pixels" * has_bins
    is_biased = any(
        SCORES[c.score].metric == "fd" and c.num_samples < MIN_FULL_RANK for c in columns
    )
    return f"{text}images{bins}{'; FD of so few images is biased upwards' * is_biased}."


def score_columns(
    dataset: str,
    scores: Mapping[str, int],
    *,
    scale: Mapping[str, float] | None = None,
    num_samples: int = NUM_SAMPLES,
    over_training: bool = False,
) -> dict[str, Column]:
    """Create columns of scores on the features of the papers, by title.

    Arguments:
        dataset: Name of the data set.
        scores: Digits after the decimal point, by the title of the score in the papers.
        scale: Factors of the values, by title; 1 for others.
        num_samples: Number of generated samples of each seed, and at most of real ones.
        over_training: Whether values are the smallest at all checkpoints, for distances alone.

    Raises:
        InputError: A score is unknown, or the smallest value of one that is no distance is asked
            for.

    Examples:
        >>> columns = score_columns("CIFAR-10", {"JSD": 2, "FID": 1}, scale={"JSD": 100})
        >>> [column.title for column in columns.values()]
        ['CIFAR-10 JSD x 100', 'CIFAR-10 FID']
        >>> columns["CIFAR-10 FID"].with_features("dinov2").title
        'CIFAR-10 FD, dinov2 (paper: inception)'
    """
    columns: dict[str, Column] = {}
    for title, decimals in scores.items():
        if title not in SCORES:
            raise unknown_name_error("score", title, SCORES)
        score = SCORES[title]
        if over_training and not score.is_distance:
            distances = " or ".join(name for name in SCORES if SCORES[name].is_distance)
            raise InputError(
                f"over_training: the smallest value is the best of {distances} alone, got {title}"
            )
        column = ScoreColumn(
            metric=score.name_record(score.features),
            dataset=dataset,
            decimals=decimals,
            scale=(scale or {}).get(title, 1.0),
            score=title,
            features=score.features,
            num_samples=num_samples,
            over_training=over_training,
        )
        columns[column.title] = column
    return columns
