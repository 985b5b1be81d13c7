"""Divergences between histograms over K modes, and from their true weights, in nats."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def count_bins(labels: Tensor, num_bins: int) -> Tensor:
    """Count how often each bin occurs among labels.

    Arguments:
        labels: Indices of bins, int64 with shape (..., N); those of -1 are not counted.
        num_bins: Number of bins K; labels are in -1 ... K - 1.

    Returns:
        Counts, int64 with shape (..., K).

    Examples:
        >>> count_bins(torch.tensor([0, 2, 2, -1]), num_bins=4)
        tensor([1, 0, 2, 0])
    """
    counts = labels.new_zeros(*labels.shape[:-1], num_bins + 1)
    return counts.scatter_add(-1, labels + 1, torch.ones_like(labels))[..., 1:]


def kl_to_weights(counts: Tensor, weights: Tensor | None = None) -> Tensor:
    """Compute the divergence of the normalised histogram from the weights of the modes.

        KL(p ‖ w) = sum_i p_i ln(p_i / w_i), with p_i = n_i / n and n = sum_i n_i

    with 0 ln 0 = 0. For equal weights 1 / K it lies in [0, ln K]: 0 for equal counts, ln(K / k)
    for k equal modes.

    N samples of the weights itself give (K - 1) / (2N) on average, since 2N KL is
    asymptotically chi-squared with K - 1 degrees of freedom: below that, no generator can be
    distinguished from a perfect one.

    Arguments:
        counts: Samples in each mode, with shape (..., K).
        weights: Probabilities w_i of the modes, float64 with shape (K,); None: all 1 / K.

    Returns:
        float64 with shape (...); NaN where all counts are zero.

    References:
        The Large-Sample Distribution of the Likelihood Ratio for Testing Composite Hypotheses
        (Wilks, 1938), https://doi.org/10.1214/aoms/1177732360

    Examples:
        >>> kl_to_weights(torch.tensor([[5, 5, 5, 5], [10, 10, 0, 0]]))  # the second: ln 2
        tensor([0.0000, 0.6931], dtype=torch.float64)
    """
    return _sum_log_ratios(counts, counts.sum(-1, keepdim=True), weights)


def kl_to_weights_raw(counts: Tensor, num_samples: int, weights: Tensor | None = None) -> Tensor:
    """Compute the sum of `kl_to_weights` with p_i as fractions of all N samples.

    Samples in no mode count towards N:

        sum_i p_i ln(p_i / w_i), with p_i = n_i / N and q = sum_i p_i <= 1

    This is not a divergence: it is q (KL(p / q ‖ w) + ln q), at least q ln q, and negative if
    the modes have their weights but some samples are bad.

    Arguments:
        counts: Samples in each mode, with shape (..., K).
        num_samples: All samples N, in a mode or not.
        weights: As of `kl_to_weights`.

    Returns:
        float64 with shape (...); NaN where all counts are zero, since the sum 0 would mean a
        perfect balance.

    Examples:
        >>> counts = torch.tensor([5, 5, 5, 5])
        >>> kl_to_weights_raw(counts, num_samples=20)
        tensor(0., dtype=torch.float64)
        >>> kl_to_weights_raw(counts, num_samples=40)  # half of the samples are bad: ½ ln ½
        tensor(-0.3466, dtype=torch.float64)
    """
    total = torch.as_tensor(num_samples, device=counts.device)
    return _sum_log_ratios(counts, total, weights).where(counts.sum(-1) > 0, torch.nan)


def kl_from_weights(counts: Tensor, weights: Tensor | None = None) -> Tensor:
    """Compute the divergence of the weights of the modes from the histogram.

        KL(w ‖ p) = -sum_i w_i ln(p_i / w_i), with p_i = (n_i + ½) / (n + K/2) and n = sum_i n_i

    With p_i = n_i / n, one empty mode would make it infinite, so p is the estimate under Jeffreys'
    prior. It pulls p to uniform: compare values of equal n only.

    Arguments:
        counts: Samples in each mode, with shape (..., K).
        weights: As of `kl_to_weights`.

    Returns:
        float64 with shape (...); NaN where all counts are zero.

    References:
        An Invariant Form for the Prior Probability in Estimation Problems (Jeffreys, 1946),
        https://doi.org/10.1098/rspa.1946.0056

    Examples:
        >>> kl_from_weights(torch.tensor([[60, 40], [100, 0]]))  # uneven; one mode is empty
        tensor([0.0200, 1.9635], dtype=torch.float64)
    """
    num_bins = counts.shape[-1]
    num_good = counts.sum(-1, keepdim=True)
    probabilities = (counts.double() + 0.5) / (num_good + num_bins / 2)
    log_ratios = _relate(probabilities, weights).log()
    divergence = -(log_ratios.mean(-1) if weights is None else (weights * log_ratios).sum(-1))
    return divergence.where(num_good.squeeze(-1) > 0, torch.nan)


def kl_divergence(counts: Tensor, reference_counts: Tensor) -> Tensor:
    """Compute the divergence of one histogram from another.

        KL(p ‖ q) = sum_i p_i ln(p_i / q_i), with p_i = n_i / n and q_i = (m_i + ½) / (m + K/2)

    with 0 ln 0 = 0. A bin that is empty in q only would make it infinite, so q is the estimate
    under Jeffreys' prior, as in `kl_from_weights`; p is not smoothed.

    Arguments:
        counts: n_i, with shape (..., K).
        reference_counts: m_i, with a shape that broadcasts with it.

    Returns:
        float64 with the shape of both, without K; NaN where all counts of one are zero.

    Examples:
        >>> kl_divergence(torch.tensor([10, 0]), torch.tensor([500, 500]))  # ln 2
        tensor(0.6931, dtype=torch.float64)
    """
    p = counts.double() / counts.sum(-1, keepdim=True)
    num_reference = reference_counts.sum(-1, keepdim=True)
    q = (reference_counts.double() + 0.5) / (num_reference + reference_counts.shape[-1] / 2)
    divergence = (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)
    return divergence.where(num_reference.squeeze(-1) > 0, torch.nan)


def kl_floor(num_bins: int, num_samples: int) -> float:
    """Compute the expected `kl_to_weights` of samples of the uniform distribution.

    Each count is n ~ Binomial(N, 1/K), and so, with a count weighted by itself,

        E KL(p ‖ u) = K E[n/N ln(K n / N)] = E ln(K (1 + b) / N), with b ~ Binomial(N - 1, 1/K)

    which is summed exactly. The first order is (K - 1) / (2N).

    Arguments:
        num_bins: Number of modes K.
        num_samples: Number of samples N, at least 1.

    Returns:
        The expected divergence in nats, at least 0.

    Examples:
        >>> round(kl_floor(1000, 26_000), 4)  # of Stacked MNIST; (K - 1) / (2N) = 0.0192
        0.0193
    """
    b = torch.arange(num_samples, dtype=torch.float64)
    if num_bins == 1:
        return 0.0
    log_combinations = (
        math.lgamma(num_samples) - torch.lgamma(b + 1) - torch.lgamma(num_samples - b)
    )
    probabilities = (
        log_combinations
        - b * math.log(num_bins)
        + (num_samples - 1 - b) * math.log1p(-1 / num_bins)
    ).exp()
    return float((probabilities * (num_bins * (1 + b) / num_samples).log()).sum())


def _sum_log_ratios(counts: Tensor, total: Tensor, weights: Tensor | None) -> Tensor:
    probabilities = counts.double() / total
    return torch.xlogy(probabilities, _relate(probabilities, weights)).sum(-1)


def _relate(probabilities: Tensor, weights: Tensor | None) -> Tensor:
    """Return p_i / w_i, where None are weights of 1 / K, by which nothing is rounded."""
    return probabilities.shape[-1] * probabilities if weights is None else probabilities / weights
