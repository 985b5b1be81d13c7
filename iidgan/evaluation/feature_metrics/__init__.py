"""Metrics of features by name: what `evaluate` and `diagnose` print of images and points.

Functions on tensors, which they call, are in `functional.scores`.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from iidgan.errors import InputError, unknown_name_error
from iidgan.evaluation.feature_metrics.base import FeatureMetric, FeaturePair, Score
from iidgan.evaluation.feature_metrics.classes import (
    InceptionScoreMetric,
    ModeScoreMetric,
    SimilarityMetric,
)
from iidgan.evaluation.feature_metrics.moments import (
    FIDMetric,
    FrechetDistanceMetric,
    KernelDistanceMetric,
    KIDMetric,
)
from iidgan.evaluation.feature_metrics.neighbours import (
    BirthdayMetric,
    ClassCoverageMetric,
    ClippedMetric,
    MemorisationMetric,
    PRDCMetric,
    RetrievalMetric,
)
from iidgan.evaluation.feature_metrics.variety import BinsMetric, VendiMetric

__all__ = [
    "DEFAULT_METRICS",
    "FEATURE_METRICS",
    "FeatureMetric",
    "FeaturePair",
    "Score",
    "check_suited",
    "compute_scores",
    "find_feature_metric",
]

FEATURE_METRICS: dict[str, FeatureMetric] = {
    "fd": FrechetDistanceMetric(),
    "fid": FIDMetric(),
    "kd": KernelDistanceMetric(),
    "kid": KIDMetric(),
    "is": InceptionScoreMetric(),
    "mode-score": ModeScoreMetric(),
    "jsd": BinsMetric(),
    "prdc": PRDCMetric(),
    "clipped": ClippedMetric(),
    "irs": RetrievalMetric(),
    "vendi": VendiMetric(),
    "memorisation": MemorisationMetric(),
    "birthday": BirthdayMetric(),
    "ms-ssim": SimilarityMetric(),
    "class-coverage": ClassCoverageMetric(),
}
"""Metrics of features, with their default options."""

DEFAULT_METRICS = ("fd", "kd", "prdc")
"""What is computed unless other metrics are named: a few seconds for 5,000 samples a side."""


def find_feature_metric(name: str) -> FeatureMetric:
    """Find a metric of features by its name.

    Arguments:
        name: The name.

    Raises:
        InputError: There is none.

    Examples:
        >>> find_feature_metric("prdc")
        PRDCMetric(k=5)
    """
    if name not in FEATURE_METRICS:
        raise unknown_name_error("metrics", name, FEATURE_METRICS)
    return FEATURE_METRICS[name]


def check_suited(names: Sequence[str], extractor: str, head: nn.Linear | None) -> None:
    """Check, before features are computed, that metrics can be computed of them.

    Arguments:
        names: Names of the metrics.
        extractor: Name of the extractor.
        head: Layer that maps features to logits of classes; None if there is none.

    Raises:
        InputError: A name is unknown, or a metric needs other features.

    Examples:
        >>> check_suited(["fid"], "pixels", head=None)
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: metrics: fid is of the features of inception, got those of ...
    """
    for name in names:
        if reason := find_feature_metric(name).unsuited(extractor, head):
            raise InputError(f"metrics: {name} {reason}")


def compute_scores(names: Sequence[str], pair: FeaturePair) -> list[Score]:
    """Compute the values of metrics of features.

    Arguments:
        names: Names of the metrics; what two of them have in common is returned once.
        pair: The features.

    Raises:
        InputError: A name is unknown, or a metric cannot be computed of this pair.

    Examples:
        >>> import torch
        >>> from iidgan.features import Features, extract
        >>> images = torch.randint(256, (50, 1, 8, 8), generator=torch.Generator().manual_seed(0))
        >>> features = extract(images.byte(), "pixels", cache_dir=None)
        >>> scores = compute_scores(["prdc"], FeaturePair(features, features))
        >>> [(score.metric, score.value) for score in scores if score.metric != "density"]
        [('precision', 1.0), ('recall', 1.0), ('coverage', 1.0)]
    """
    metrics = {name: find_feature_metric(name) for name in names}
    for name, metric in metrics.items():
        if reason := metric.missing(pair):
            raise InputError(f"metrics: {name} {reason}")
    scores: dict[str, Score] = {}
    for metric in metrics.values():
        for score in metric.compute(pair):
            scores.setdefault(score.metric, score)
    return list(scores.values())
