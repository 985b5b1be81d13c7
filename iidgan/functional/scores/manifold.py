"""Precision, recall, density and coverage: balls around samples that reach their neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.functional.scores.neighbours import (
    count_true,
    iterate_blocks,
    nearest_neighbours,
    point_sets,
    squared_radii,
)
from iidgan.functional.scores.seeds import check_sets, score_seeds


class PRDC(NamedTuple):
    """Precision, recall, density and coverage, or what they are the means of.

    Arguments:
        precision: Share of generated samples that lie in the ball of a real one.
        recall: Share of real samples that lie in the ball of a generated one.
        density: Number of balls of real samples that a generated one lies in, over k.
        coverage: Share of real samples whose ball contains a generated one.
    """

    precision: Tensor
    recall: Tensor
    density: Tensor
    coverage: Tensor


def prdc(real: Tensor, fake: Tensor, k: int = 5) -> PRDC:
    """Compute improved precision and recall, density and coverage.

    The ball B of a sample reaches to its k-th nearest neighbour among the others of its set, and
    contains its boundary. Of N real samples x and N' generated ones y,

        precision = 1/N' sum_y [y in some B(x)]      recall = 1/N sum_x [x in some B(y)]
        density = 1/(k N') sum_y sum_x [y in B(x)]   coverage = 1/N sum_x [some y in B(x)]

    All lie in [0, 1], but density in [0, N/k]. For equal distributions, density is about 1 and
    coverage about 1 - C(N-1, k)/C(N+N'-1, k), 0.97 for k = 5 and N = N'; precision and recall
    depend on the dimensions and on N, and are no shares of the distributions: compare equal
    numbers of samples only.

    What they cannot see: precision and density ignore missing modes, and one good sample that is
    repeated has precision 1. In many dimensions, a blurred sample near the mean of the data lies
    in the balls of most of it, so that even a constant may have coverage 1; its recall is 0. One
    outlier with a large ball raises precision, if it is real, or recall, if it is generated. None
    notices copies of real samples.

    Since balls contain their boundary, a set has precision, recall and coverage 1 with itself,
    also if its samples are repeated, whose balls have radius 0. Time is O((N² + N'² + N N') D),
    memory besides the features that of a copy of one set, and of blocks of 1024 x 1024 distances.

    Arguments:
        real: Features of real samples, with shape (N, D), N of at least k + 1.
        fake: Features of generated samples, with shape (N', D) or (S, N', D), N' of at least
            k + 1.
        k: Number of neighbours, at least 1.

    Returns:
        float64 with shape () or (S,); NaN for a seed whose features are not finite.

    Raises:
        InputError: `k` or the features are not as described.

    References:
        Improved Precision and Recall Metric for Assessing Generative Models (Kynkäänniemi et al.,
        2019), https://arxiv.org/abs/1904.06991; Reliable Fidelity and Diversity Metrics for
        Generative Models (Naeem et al., 2020), https://arxiv.org/abs/2002.09797

    Examples:
        >>> real = torch.arange(100.0)[:, None]
        >>> collapsed = torch.full((100, 1), 50.0)  # one real sample, repeated
        >>> scores = prdc(real, collapsed, k=2)
        >>> scores.precision, scores.coverage  # the balls of 49, 50 and 51 contain it
        (tensor(1., dtype=torch.float64), tensor(0.0300, dtype=torch.float64))
    """
    indicators = prdc_indicators(real, fake, k)
    return PRDC(*(values.mean(-1) for values in indicators))


def prdc_indicators(real: Tensor, fake: Tensor, k: int = 5) -> PRDC:
    """Compute the values of single samples whose means are precision, recall, density, coverage.

    Those of coverage and recall show which real samples are missed, and those of precision and
    density which generated samples are off the data; `mean_interval` takes them. Cost and limits
    are those of `prdc`.

    Arguments:
        real: Features of real samples, with shape (N, D), N of at least k + 1.
        fake: Features of generated samples, with shape (N', D) or (S, N', D), N' of at least
            k + 1.
        k: Number of neighbours, at least 1.

    Returns:
        float64: `precision` and `density` with shape (N',) or (S, N'), `recall` and `coverage`
        with shape (N,) or (S, N).

    Raises:
        InputError: `k` or the features are not as described.

    Examples:
        >>> real = torch.tensor([[0.0], [1.0], [2.0], [9.0]])
        >>> fake = torch.tensor([[0.1], [0.2], [0.3]])
        >>> prdc_indicators(real, fake, k=1).coverage
        tensor([1., 1., 0., 0.], dtype=torch.float64)
    """
    _check_neighbours(real, fake, k)
    return PRDC(*score_seeds(lambda features: _score_seed(real, features, k), fake))


class ClippedScores(NamedTuple):
    """Clipped density and clipped coverage.

    Arguments:
        density: Clipped density, in [0, 1].
        coverage: Clipped coverage, in [0, 1].
    """

    density: Tensor
    coverage: Tensor


def clipped_density_and_coverage(real: Tensor, fake: Tensor, k: int = 5) -> ClippedScores:
    """Compute density and coverage in forms that are linear in the share of bad samples.

    The ball of a real sample x reaches to its k-th nearest neighbour; for the density no farther
    than the median radius, so that the balls of outliers are not large. With min(c, k) / k for a
    count c,

        density = mean of it over generated y, c = number of balls that y lies in,
                  divided by the same mean over the real samples, other than their own balls
        coverage = g(mean of it over real x, c = number of generated samples in the ball of x)

    where g maps the value that is expected of m samples of the real distribution to m / N': the
    count of one x is beta-binomial, with parameters m, k and N - k. So a generator of which a
    share a is good and diverse, and the rest far from the data, has a density and a coverage of
    about a. Both lie in [0, 1].

    Where balls have no volume, as those of repeated real samples, the law of g does not hold.
    Neither score notices copies of the real samples, and density ignores missing modes. Time and
    memory are about those of `prdc`.

    For the coverage, the published code counts only samples strictly inside a ball, and rounds g
    to multiples of 1 / (N' + 1).

    Arguments:
        real: Features of real samples, with shape (N, D), N of at least k + 1.
        fake: Features of generated samples, with shape (N', D) or (S, N', D), N' of at least
            k + 1.
        k: Number of neighbours, at least 1.

    Returns:
        float64 with shape () or (S,); NaN for a seed whose features are not finite.

    Raises:
        InputError: `k` or the features are not as described.

    References:
        Enhanced Generative Model Evaluation with Clipped Density and Coverage (Salvy, Talbot and
        Thirion, 2025), https://arxiv.org/abs/2507.01761

    Examples:
        >>> generator = torch.Generator().manual_seed(0)
        >>> real = torch.randn(500, 2, generator=generator)
        >>> fake = torch.randn(500, 2, generator=generator)
        >>> fake[:200] = 50.0  # two fifths are off the data
        >>> scores = clipped_density_and_coverage(real, fake)
        >>> round(scores.density.item(), 1), round(scores.coverage.item(), 1)
        (0.6, 0.6)
    """
    _check_neighbours(real, fake, k)
    distances, neighbours = nearest_neighbours(real, real, k, same_set=True)
    radii = distances[:, -1]
    # Not Tensor.median, which is the lower one of the two in the middle.
    clipped_radii = radii.clamp_max(radii.quantile(0.5))
    in_clipped_ball = distances <= clipped_radii[:, None]
    real_counts = neighbours[in_clipped_ball].bincount(minlength=len(real))
    real_density = real_counts.clamp_max(k).double().mean()

    def score(features: Tensor) -> tuple[Tensor, Tensor]:
        real_points, fake_points = point_sets(real, features)
        counts = torch.zeros(len(features), dtype=torch.int64, device=features.device)
        fakes_inside = torch.zeros(len(real), dtype=torch.int64, device=features.device)
        for block in iterate_blocks(real_points, fake_points):
            squared_radii_of_rows = (radii[block.rows, None] / real_points.unit).square()
            squared_clipped_radii = (clipped_radii[block.rows, None] / real_points.unit).square()
            counts[block.columns] += count_true(block.within(squared_clipped_radii), 0)
            fakes_inside[block.rows] += count_true(block.within(squared_radii_of_rows), 1)
        density = (counts.clamp_max(k).double().mean() / real_density).clamp_max(1)
        raw_coverage = fakes_inside.clamp_max(k).double().mean() / k
        return density, _calibrate_coverage(raw_coverage, len(real), len(features), k)

    return ClippedScores(*score_seeds(score, fake))


def expected_clipped_coverage(num_fake: Tensor, num_real: int, k: int) -> Tensor:
    """Compute the expected raw clipped coverage of samples of the real distribution itself.

        E[min(J, k)] / k, with J ~ BetaBinomial(m, k, N - k)

    since the probability of the ball of a sample is Beta(k, N - k) for any distribution with a
    density. It increases with m.

    Arguments:
        num_fake: Numbers m of generated samples, of any shape.
        num_real: Number N of real samples, more than k.
        k: Number of neighbours.

    Returns:
        float64 with the shape of `num_fake`, in [0, 1).

    Examples:
        >>> expected_clipped_coverage(torch.tensor([0, 1]), num_real=10, k=1)  # E p = 1 / 10
        tensor([0.0000, 0.1000], dtype=torch.float64)
    """
    m, j = num_fake.double()[..., None], torch.arange(k, dtype=torch.float64)
    log_combinations = torch.lgamma(m + 1) - torch.lgamma(j + 1) - torch.lgamma(m - j + 1)
    log_beta_ratio = _log_beta(k + j, num_real - k + m - j) - _log_beta(
        torch.tensor(k).double(), torch.tensor(num_real - k).double()
    )
    probabilities = (log_combinations + log_beta_ratio).exp().where(j <= m, 0)
    return 1 - ((k - j) * probabilities).sum(-1) / k


def _log_beta(a: Tensor, b: Tensor) -> Tensor:
    return torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)


def _calibrate_coverage(raw_coverage: Tensor, num_real: int, num_fake: int, k: int) -> Tensor:
    numbers = torch.arange(num_fake + 1)
    expected = expected_clipped_coverage(numbers, num_real, k)
    return torch.tensor(np.interp(float(raw_coverage), expected, numbers / num_fake))


def _check_neighbours(real: Tensor, fake: Tensor, k: int) -> None:
    if k < 1:
        raise InputError(f"k: must be >= 1, got {k}; the default is 5")
    check_sets(real, fake, min_count=k + 1)


def _score_seed(real: Tensor, fake: Tensor, k: int) -> tuple[Tensor, ...]:
    real_points, fake_points = point_sets(real, fake)
    real_radii = squared_radii(real_points, k)
    fake_radii = _own_radii(fake, k) / fake_points.unit**2
    ball_counts = torch.zeros(len(fake), dtype=torch.int64, device=fake.device)
    has_fake = torch.zeros(len(real), dtype=torch.bool, device=fake.device)
    is_recalled = torch.zeros_like(has_fake)
    for block in iterate_blocks(real_points, fake_points):
        in_real_ball = block.within(real_radii[block.rows, None])
        in_fake_ball = block.within(fake_radii[None, block.columns])
        ball_counts[block.columns] += count_true(in_real_ball, 0)
        has_fake[block.rows] |= count_true(in_real_ball, 1) > 0
        is_recalled[block.rows] |= count_true(in_fake_ball, 1) > 0
    return ball_counts > 0, is_recalled, ball_counts / k, has_fake


def _own_radii(features: Tensor, k: int) -> Tensor:
    """Compute squared radii, centred at the set's own mean: the real one may be far away."""
    (points,) = point_sets(features)
    return squared_radii(points, k) * points.unit**2
