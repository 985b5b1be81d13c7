"""Confidence intervals of scores: of means of per-sample values, and of other scores by parts.

Samples that are drawn with replacement contain copies, which change neighbours, and covariances of
few samples: so scores that are no means of per-sample values are computed on disjoint parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.functional.scores.seeds import check_level

_MAX_ELEMENTS = 2**21  # of resampled values at a time, float64: 16 MB
_NUM_RESAMPLES = 1999


class Interval(NamedTuple):
    """A score with its confidence interval.

    Arguments:
        value: The score.
        low: Lower bound.
        high: Upper bound.
        level: Confidence level.
        method: How the bounds were computed: `bca`, `clopper-pearson`, `constant` or
            `N-disjoint-parts`.
    """

    value: float
    low: float
    high: float
    level: float
    method: str


def mean_interval(values: Tensor, *, level: float = 0.95, seed: int = 0) -> Interval:
    """Compute a confidence interval of the mean of values of single samples.

    It is the bias-corrected and accelerated bootstrap interval (`bca`) of 1,999 resamples of the
    values; their neighbours are not computed again. It treats the values as independent: with
    indicators of real samples, as of coverage, the generated samples are taken as fixed, and vice
    versa. Values that are all the same have no bootstrap interval. If they are all 0 or all 1,
    the exact interval of a proportion is taken (`clopper-pearson`), which ends about 3.7 / N from
    them; otherwise the bounds are the value (`constant`). With fewer than about 20 values the
    interval is too narrow: 84 instead of 95 % of the intervals of 5 values contain the mean.

    Arguments:
        values: Values of single samples, such as `prdc_indicators`, with shape (N,).
        level: Confidence level, in (0, 1).
        seed: Seed of the resamples, by an own generator.

    Returns:
        The mean and its interval; NaN if a value is.

    Raises:
        InputError: There are no values, or `level` is not in (0, 1).

    References:
        Better Bootstrap Confidence Intervals (Efron, 1987), https://doi.org/10.2307/2289144; The
        Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial (Clopper and
        Pearson, 1934), https://doi.org/10.1093/biomet/26.4.404

    Examples:
        >>> interval = mean_interval(torch.ones(100))  # such as a coverage of 1
        >>> interval.value, round(interval.low, 3), interval.high, interval.method
        (1.0, 0.964, 1.0, 'clopper-pearson')
    """
    check_level(level)
    if values.ndim != 1 or len(values) == 0:
        raise InputError(f"values: must have shape (N,), N >= 1, got {tuple(values.shape)}")
    array = values.detach().double().cpu().numpy()
    mean = float(array.mean())
    if not math.isfinite(mean):
        return Interval(math.nan, math.nan, math.nan, level, "bca")
    if (array == array[0]).all():
        return _constant_interval(float(array[0]), len(array), level)
    from scipy import stats  # takes a second to import

    bounds = stats.bootstrap(
        (array,),
        np.mean,
        n_resamples=_NUM_RESAMPLES,
        batch=max(1, _MAX_ELEMENTS // len(array)),
        confidence_level=level,
        method="BCa",
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(mean, float(bounds.low), float(bounds.high), level, "bca")


def parts_interval(
    score: Callable[..., Tensor],
    *feature_sets: Tensor,
    num_parts: int = 10,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Compute a confidence interval of a score from its spread over disjoint parts.

        value ± t s / √B, with the standard deviation s of the scores of B parts of each set

    and the quantile t of Student's distribution with B - 1 degrees of freedom. The parts are
    random and of equal size. Scores of parts have another bias than that of all samples, as those
    of `frechet_distance` and `vendi_score` do; only their spread is used, which assumes that it
    decreases as one over the root of the number of samples. The bias of the value itself is not
    in the interval. It costs about a second computation of the score.

    Arguments:
        score: Computes a value with shape () from parts of the feature sets.
        *feature_sets: Features, each with shape (N, D); N may differ.
        num_parts: Number of parts B, at least 2.
        level: Confidence level, in (0, 1).
        seed: Seed of the parts, by an own generator.

    Returns:
        The score of all samples, and its interval.

    Raises:
        InputError: There are fewer samples than parts, or `num_parts` or `level` is invalid.

    Examples:
        >>> values = torch.arange(100.0)[:, None]
        >>> interval = parts_interval(lambda part: part.mean(), values)
        >>> interval.value, interval.low < 49.5 < interval.high, interval.method
        (49.5, True, '10-disjoint-parts')
    """
    (interval,) = parts_intervals(
        lambda *parts: (score(*parts),), *feature_sets, num_parts=num_parts, level=level, seed=seed
    )
    return interval


def parts_intervals(
    scores: Callable[..., Sequence[Tensor]],
    *feature_sets: Tensor,
    num_parts: int = 10,
    level: float = 0.95,
    seed: int = 0,
) -> list[Interval]:
    """Compute confidence intervals as `parts_interval` does, of scores that are computed together.

    Arguments:
        scores: Computes values, each with shape (), from parts of the feature sets.
        *feature_sets: Features, each with shape (N, D); N may differ.
        num_parts: Number of parts B, at least 2.
        level: Confidence level, in (0, 1).
        seed: Seed of the parts, by an own generator.

    Returns:
        For each score, its value of all samples, and its interval.

    Raises:
        InputError: There are fewer samples than parts, or `num_parts` or `level` is invalid.

    Examples:
        >>> values = torch.arange(100.0)[:, None]
        >>> [i.value for i in parts_intervals(lambda part: (part.mean(), part.max()), values)]
        [49.5, 99.0]
    """
    from scipy.special import stdtrit  # on use, since every training imports this module

    check_level(level)
    num_samples = min(len(features) for features in feature_sets)
    if not 2 <= num_parts <= num_samples:
        raise InputError(
            f"num_parts: must be in [2, {num_samples}], the number of samples, got {num_parts}"
        )
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(len(features), generator=generator) for features in feature_sets]
    part_scores = []
    for part in range(num_parts):
        parts = []
        for features, order in zip(feature_sets, orders):
            size = len(features) // num_parts
            indices = order[part * size : (part + 1) * size]
            parts.append(features[indices.to(features.device)])
        part_scores.append([float(score) for score in scores(*parts)])
    values = np.array([float(score) for score in scores(*feature_sets)])
    quantile = float(stdtrit(num_parts - 1, (1 + level) / 2))
    half_widths = quantile * np.std(part_scores, axis=0, ddof=1) / math.sqrt(num_parts)
    method = f"{num_parts}-disjoint-parts"
    return [
        Interval(value, value - half_width, value + half_width, level, method)
        for value, half_width in zip(values.tolist(), half_widths.tolist())
    ]


def _constant_interval(value: float, num_values: int, level: float) -> Interval:
    if value not in (0, 1):
        return Interval(value, value, value, level, "constant")
    width = 1 - ((1 - level) / 2) ** (1 / num_values)
    low, high = (0.0, width) if value == 0 else (1 - width, 1.0)
    return Interval(value, low, high, level, "clopper-pearson")
