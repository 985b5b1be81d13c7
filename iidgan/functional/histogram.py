"""Divergences between histograms over K modes, and from the uniform distribution, in nats."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def count(index: Tensor, bins: int) -> Tensor:
    """Counts each of 0 ... `bins` - 1, not -1: int64 (..., N) -> (..., bins)."""
    counts = index.new_zeros(*index.shape[:-1], bins + 1)
    return counts.scatter_add(-1, index + 1, torch.ones_like(index))[..., 1:]


def kl_to_uniform(counts: Tensor) -> Tensor:
    r"""Computes the divergence of the normalised histogram from the uniform one.

    .. math:: KL(p \| u) = \sum_i p_i \ln (K p_i), \quad p_i = n_i / n, \quad n = \sum_i n_i

    with 0 ln 0 = 0. It lies in [0, ln K]: 0 for equal counts, ln(K / k) for k equal modes.

    N samples of the uniform distribution itself give (K - 1) / (2N) on average, since 2N KL is
    asymptotically chi-squared with K - 1 degrees of freedom (The Large-Sample Distribution of the
    Likelihood Ratio for Testing Composite Hypotheses, Wilks, 1938,
    https://doi.org/10.1214/aoms/1177732360): no generator can be told from perfect below that.

    Arguments:
        counts: Samples in each mode, with shape (..., K).

    Returns:
        float64 with shape (...); NaN where all counts are zero.
    """
    return _entropy_deficit(counts, counts.sum(-1, keepdim=True))


def kl_to_uniform_raw(counts: Tensor, total: int) -> Tensor:
    r"""Computes the same sum with the shares of all samples, those in no mode included.

    .. math:: \sum_i p_i \ln (K p_i), \quad p_i = n_i / N, \quad \sum_i p_i = q \le 1

    This is no divergence: it is q (KL(p / q || u) + ln q), at least q ln q, and so negative when
    the modes are balanced but some samples are bad.

    Arguments:
        counts: Samples in each mode, with shape (..., K).
        total: All samples N, in a mode or not.

    Returns:
        float64 with shape (...); NaN where all counts are zero, although the sum is then 0: that
        would read as a perfect balance.
    """
    value = _entropy_deficit(counts, torch.as_tensor(total, device=counts.device))
    return value.where(counts.sum(-1) > 0, torch.nan)


def kl_from_uniform(counts: Tensor) -> Tensor:
    r"""Computes the divergence of the uniform distribution from the histogram.

    .. math:: KL(u \| p) = -\frac{1}{K} \sum_i \ln (K p_i), \quad
              p_i = \frac{n_i + 1/2}{n + K/2}, \quad n = \sum_i n_i

    With p_i = n_i / n one empty mode would make it infinite, so p is the estimate under Jeffreys'
    prior (An Invariant Form for the Prior Probability in Estimation Problems, Jeffreys, 1946,
    https://doi.org/10.1098/rspa.1946.0056). It pulls p to uniform: compare values of equal n only.

    Arguments:
        counts: Samples in each mode, with shape (..., K).

    Returns:
        float64 with shape (...); NaN where all counts are zero.
    """
    bins = counts.shape[-1]
    total = counts.sum(-1, keepdim=True)
    share = (counts.double() + 0.5) / (total + bins / 2)
    value = -(bins * share).log().mean(-1)
    return value.where(total.squeeze(-1) > 0, torch.nan)


def kl(counts: Tensor, reference: Tensor) -> Tensor:
    r"""Computes the divergence of one histogram from another.

    .. math:: KL(p \| q) = \sum_i p_i \ln \frac{p_i}{q_i}, \quad p_i = n_i / n, \quad
              q_i = \frac{m_i + 1/2}{m + K/2}

    with 0 ln 0 = 0. An empty bin of q alone would make it infinite, so q is the estimate under
    Jeffreys' prior, as in `kl_from_uniform`; p is not smoothed.

    Arguments:
        counts: n_i, with shape (..., K).
        reference: m_i, with a shape that broadcasts with it.

    Returns:
        float64 with the shape of both, without K; NaN where all counts of one are zero.
    """
    p = counts.double() / counts.sum(-1, keepdim=True)
    total = reference.sum(-1, keepdim=True)
    q = (reference.double() + 0.5) / (total + reference.shape[-1] / 2)
    value = (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)
    return value.where(total.squeeze(-1) > 0, torch.nan)


def kl_floor(bins: int, num: int) -> float:
    r"""Computes `kl_to_uniform` of as many samples of the uniform distribution, on average.

    Each count is n ~ Binomial(N, 1/K), and so, with a count weighted by itself,

    .. math:: E\, KL(p \| u) = K\, E \left[\frac{n}{N} \ln \frac{K n}{N}\right]
              = E \ln \frac{K (1 + b)}{N}, \quad b \sim \mathrm{Binomial}(N - 1, 1/K)

    which is summed exactly: 0.0193 for 1,000 modes and 26,000 samples, where the first order
    (K - 1) / (2N) gives 0.0192.

    Arguments:
        bins: Number of modes K.
        num: Number of samples N, at least 1.
    """
    b = torch.arange(num, dtype=torch.float64)
    if bins == 1:
        return 0.0
    ways = math.lgamma(num) - torch.lgamma(b + 1) - torch.lgamma(num - b)
    chance = (ways - b * math.log(bins) + (num - 1 - b) * math.log1p(-1 / bins)).exp()
    return float((chance * (bins * (1 + b) / num).log()).sum())


def _entropy_deficit(counts: Tensor, total: Tensor) -> Tensor:
    share = counts.double() / total
    return torch.xlogy(share, counts.shape[-1] * share).sum(-1)
