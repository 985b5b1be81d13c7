"""The share of real samples that are ever the nearest one of a generated sample."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from iidgan.functional.scores.neighbours import nearest_neighbours
from iidgan.functional.scores.seeds import check_level, check_sets, score_seeds


class RetrievalScore(NamedTuple):
    """Shares of the real samples that are retrieved.

    Arguments:
        retrieved: Share that was retrieved by the samples at hand.
        estimate: Share that would be retrieved by any number of samples.
        low: Lower confidence bound of the estimate.
        high: Upper confidence bound of the estimate.
    """

    retrieved: Tensor
    estimate: Tensor
    low: Tensor
    high: Tensor


def retrieval_score(real: Tensor, fake: Tensor, *, level: float = 0.95) -> RetrievalScore:
    """Compute the Image Retrieval Score: the share of the data's variety that is ever generated.

    Each of n generated samples retrieves its nearest real one, k different ones of N together. If
    s of them are retrieved with equal probability, and the others never,

        P(k | s, n) = S(n, k) s! / ((s - k)! sⁿ)

    with the Stirling numbers S of the second kind. The s in k ... N that makes k most probable,
    over N, is the estimate; its bounds are the smallest and the largest s for which k or more, or
    k or fewer, have a probability of at least (1 - level) / 2. All lie in [0, 1]; the estimate is
    1 if no real sample is retrieved twice.

    Real samples are not retrieved with equal probability, which lowers the estimate: it is below 1
    for samples of the real distribution itself, too, the more so in many dimensions, where some
    points are the nearest ones of many. Compare with as many real samples that are not in the
    reference: the publication divides by their estimate, and its bounds are those of `level` 0.9,
    with 5 % on each side. It cannot see whether a sample is any good: each retrieves something.
    Time is O(N n D), memory that of a copy of one set.

    Arguments:
        real: Features of real samples, with shape (N, D).
        fake: Features of generated samples, with shape (n, D) or (S, n, D).
        level: Confidence level, in (0, 1).

    Returns:
        float64 with shape () or (S,); NaN for a seed whose features are not finite.

    Raises:
        InputError: The arguments are not as described.

    References:
        Image Generation Diversity Issues and How to Tame Them (Dombrowski et al., 2025),
        https://arxiv.org/abs/2411.16171; Asymptotic Estimates of Stirling Numbers (Temme, 1993),
        https://doi.org/10.1002/sapm1993893233, for their approximation

    Examples:
        >>> real = torch.arange(100.0)[:, None]
        >>> collapsed = real[:20].repeat(10, 1)  # a fifth, again and again
        >>> scores = retrieval_score(real, collapsed)
        >>> scores.retrieved, scores.estimate
        (tensor(0.2000, dtype=torch.float64), tensor(0.2000, dtype=torch.float64))
    """
    check_sets(real, fake)
    check_level(level)

    def score(features: Tensor) -> tuple[Tensor, ...]:
        _, indices = nearest_neighbours(features, real)
        num_retrieved = len(indices.unique())
        support = estimate_support(num_retrieved, len(features), len(real), level=level)
        counts = torch.tensor([num_retrieved, *support], dtype=torch.float64)
        return tuple(counts / len(real))

    return RetrievalScore(*score_seeds(score, fake))


def estimate_support(
    num_different: int, num_draws: int, max_support: int, *, level: float = 0.95
) -> tuple[int, int, int]:
    """Estimate the number of equally probable values from how many of them were drawn.

    Arguments:
        num_different: Number k of different values among the draws.
        num_draws: Number n of draws, at least k.
        max_support: Largest possible number of values.
        level: Confidence level, in (0, 1).

    Returns:
        The most likely number, and its lower and upper bound, each in k ... `max_support`.

    Examples:
        >>> estimate_support(num_different=50, num_draws=100, max_support=1000)
        (62, 54, 76)
    """
    supports = torch.arange(num_different, max_support + 1, dtype=torch.float64)
    log_permutations = torch.lgamma(supports + 1) - torch.lgamma(supports - num_different + 1)
    best = num_different + int((log_permutations - num_draws * supports.log()).argmax())
    log_stirling = log_stirling_numbers(num_draws)
    tail = (1 - level) / 2

    def enough_or_more(support: int) -> bool:
        return float(_occupancy(support, log_stirling)[num_different - 1 :].sum()) >= tail

    def too_few_or_fewer(support: int) -> bool:
        return float(_occupancy(support, log_stirling)[:num_different].sum()) < tail

    low = _bisect(enough_or_more, num_different, best)
    high = max(best, _bisect(too_few_or_fewer, best, max_support + 1) - 1)
    return best, low, high


def log_stirling_numbers(n: int) -> Tensor:
    """Approximate the logarithms of the Stirling numbers of the second kind S(n, k), k = 1 ... n.

    By Temme's uniform approximation, with a relative error of about 1 / (15 n).

    Arguments:
        n: Number of elements, at least 1.

    Returns:
        float64 with shape (n,).

    Examples:
        >>> log_stirling_numbers(4).exp().round(decimals=1)  # exactly 1, 7, 6, 1
        tensor([1.0000, 7.1000, 6.0000, 1.0000], dtype=torch.float64)
    """
    from scipy.special import lambertw  # on use, since every training imports this module

    k = torch.arange(1, n, dtype=torch.float64)
    v = n / k
    g = -torch.from_numpy(lambertw((-v * (-v).exp()).numpy()).real)
    log_binomials = math.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
    log_values = (
        0.5 * ((v - 1) / (v * (1 - g))).log()
        + (n - k) * ((v - 1) / (v - g)).log()
        + (n * k.log() - k * math.log(n) + k * (1 - g))
        + log_binomials
    )
    return torch.cat([log_values, log_values.new_zeros(1)])


def _occupancy(support: int, log_stirling: Tensor) -> Tensor:
    """Compute the probabilities that 1, 2, ... of the values are among the draws."""
    k = torch.arange(1, min(support, len(log_stirling)) + 1, dtype=torch.float64)
    return (log_stirling[: len(k)] - torch.lgamma(support - k + 1)).softmax(0)


def _bisect(condition: Callable[[int], bool], low: int, high: int) -> int:
    """Find the smallest integer in [low, high) for which a monotone condition holds, or `high`."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if condition(middle) else (middle + 1, high)
    return low
