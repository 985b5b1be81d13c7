"""Copies of the real samples, and copies among the generated ones."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.functional.scores.neighbours import iterate_blocks, nearest_neighbours, point_sets
from iidgan.functional.scores.seeds import check_features, check_level, check_sets, score_seeds


class Memorisation(NamedTuple):
    """How close generated samples are to single real ones.

    Arguments:
        authenticity: Share of samples farther from their nearest real sample than that is from
            the other real ones.
        near_copies: Share of samples whose ratio is below a threshold.
        ratio: Distance to the nearest real sample over that to the second nearest; the median.
    """

    authenticity: Tensor
    near_copies: Tensor
    ratio: Tensor


def memorisation(real: Tensor, fake: Tensor, *, max_ratio: float = 1 / 3) -> Memorisation:
    """Compute how many generated samples are copies of real samples that were trained on.

    With the nearest real sample x₁ of a generated y, the second nearest x₂, and the nearest other
    real sample x' of x₁,

        y is authentic if ‖y - x₁‖ > ‖x₁ - x'‖;   its ratio is ‖y - x₁‖ / ‖y - x₂‖

    `authenticity` and `near_copies`, in [0, 1], are the shares of authentic samples and of those
    with a ratio below `max_ratio`; `ratio` is the median, in [0, 1], where an exact copy has 0.
    The training set itself has 0, 1 and 0.

    They have no ideal value of 1 or 0. Samples of the real distribution are not all authentic:
    the share is 1/3 in one dimension, 0.38 in two, and close to 1/2 in many. Compare with real
    samples that were not trained on. Neither score sees quality: noise is authentic. A copy of a
    real sample that is itself repeated is not authentic, and its ratio is 0. Time is O((N + N') N
    D), memory that of a copy of one set.

    Arguments:
        real: Features of the training samples, with shape (N, D), N of at least 2.
        fake: Features of generated samples, with shape (N', D) or (S, N', D).
        max_ratio: Ratio below which a sample counts as a near copy.

    Returns:
        float64 with shape () or (S,); NaN for a seed whose features are not finite.

    Raises:
        InputError: The features are not as described.

    References:
        How Faithful is your Synthetic Data? Sample-level Metrics for Evaluating and Auditing
        Generative Models (Alaa et al., 2022), https://arxiv.org/abs/2102.08921, for authenticity;
        On Memorization in Diffusion Models (Gu et al., 2023), https://arxiv.org/abs/2310.02664,
        for the ratio and its threshold

    Examples:
        >>> real = torch.tensor([[0.0], [10.0], [20.0]])
        >>> fake = torch.tensor([[0.0], [1.0], [5.0], [35.0]])
        >>> scores = memorisation(real, fake)
        >>> scores.authenticity, scores.near_copies  # 35 is authentic; 0 and 1 are near copies
        (tensor(0.2500, dtype=torch.float64), tensor(0.5000, dtype=torch.float64))
    """
    indicators = memorisation_indicators(real, fake, max_ratio=max_ratio)
    return Memorisation(
        indicators.authenticity.mean(-1),
        indicators.near_copies.mean(-1),
        indicators.ratio.quantile(0.5, dim=-1),
    )


def memorisation_indicators(
    real: Tensor, fake: Tensor, *, max_ratio: float = 1 / 3
) -> Memorisation:
    """Compute the values of `memorisation` of single samples.

    Those with the smallest `ratio` are the most suspicious ones; `mean_interval` takes the others.

    Arguments:
        real: Features of the training samples, with shape (N, D), N of at least 2.
        fake: Features of generated samples, with shape (N', D) or (S, N', D).
        max_ratio: Ratio below which a sample counts as a near copy.

    Returns:
        float64 with shape (N',) or (S, N').

    Raises:
        InputError: The features are not as described.

    Examples:
        >>> real = torch.tensor([[0.0], [10.0], [20.0]])
        >>> memorisation_indicators(real, torch.tensor([[1.0], [5.0]])).ratio
        tensor([0.1111, 1.0000], dtype=torch.float64)
    """
    check_sets(real, fake)
    check_features("real", real, min_count=2)
    real_distances = nearest_neighbours(real, real, same_set=True)[0][:, 0]

    def score(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        distances, indices = nearest_neighbours(features, real, k=2)
        first, second = distances.unbind(1)
        ratio = (first / second).where(first > 0, 0)
        return first > real_distances[indices[:, 0]], ratio < max_ratio, ratio

    return Memorisation(*score_seeds(score, fake))


class SupportSize(NamedTuple):
    """An estimate of the number of different samples that a generator makes.

    Arguments:
        estimate: The estimate; infinite if no two samples are alike.
        low: Lower confidence bound.
        high: Upper confidence bound; infinite if no two samples are alike.
        num_pairs: Number of pairs of samples that are alike.
    """

    estimate: Tensor
    low: Tensor
    high: Tensor
    num_pairs: Tensor


def birthday_support_size(fake: Tensor, threshold: float, *, level: float = 0.95) -> SupportSize:
    """Estimate the size of the support of a generator from pairs of samples that are alike.

    Of N samples, with c pairs at most `threshold` apart,

        N (N - 1) / (2 c)

    estimates 1 / sum_i p_i² of a distribution over points with probabilities p_i: their number
    if all are equally probable, and less otherwise. About √size samples are needed to see a pair.
    The bounds are those of a Poisson distributed c, which holds for a few pairs of different
    samples; they are too narrow where many pairs share a sample.

    The threshold decides: what counts as alike depends on the features. A small quantile of the
    distances between real samples and their nearest neighbours is a start, and the pairs should be
    looked at. It cannot see whether the samples are any good, nor modes that are missing. Time is
    O(N² D), memory that of a copy of one set.

    Arguments:
        fake: Features of generated samples, with shape (N, D) or (S, N, D), N of at least 2.
        threshold: Largest Euclidean distance of samples that are alike; 0 for equal ones.
        level: Confidence level, in (0, 1).

    Returns:
        float64 with shape () or (S,); NaN for a seed whose features are not finite.

    Raises:
        InputError: The arguments are not as described.

    References:
        Do GANs learn the distribution? Some Theory and Empirics (Arora, Risteski and Zhang, 2018),
        https://openreview.net/forum?id=BJehNfW0-

    Examples:
        >>> fake = torch.arange(100.0)[:, None] % 50  # two of each
        >>> birthday_support_size(fake, 0.1).estimate  # 100 * 99 / (2 * 50)
        tensor(99., dtype=torch.float64)
    """
    check_features("fake", fake, min_count=2, max_ndim=3)
    if not threshold >= 0:
        raise InputError(f"threshold: must be >= 0, got {threshold}")
    check_level(level)

    def score(features: Tensor) -> tuple[Tensor, ...]:
        (points,) = point_sets(features)
        squared_radius = torch.tensor((threshold / points.unit) ** 2, dtype=torch.float64)
        squared_radii = squared_radius.to(features.device).expand(len(features), 1)
        num_within = sum(
            int(block.within(squared_radii[block.rows]).sum())
            for block in iterate_blocks(points, points)
        )
        num_pairs = (num_within - len(features)) // 2
        low, high = _poisson_bounds(num_pairs, level)
        all_pairs = len(features) * (len(features) - 1) / 2
        estimates = [all_pairs / pairs if pairs else math.inf for pairs in (num_pairs, high, low)]
        return tuple(map(torch.tensor, (*estimates, num_pairs)))

    return SupportSize(*score_seeds(score, fake))


def _poisson_bounds(count: int, level: float) -> tuple[float, float]:
    """Compute the exact bounds of the mean of a Poisson distributed count."""
    from scipy.special import gammaincinv  # on use, since every training imports this module

    tail = (1 - level) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return low, float(gammaincinv(count + 1, 1 - tail))
