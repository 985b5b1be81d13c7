r"""Negative log-likelihoods of normal distributions, in nats, for autoencoders and encoders.

Samples have shape (S, B, ...), values (S,): sums over the dimensions of a sample, means over the
samples of a batch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from iidgan.functional.reduce import mean_per_seed


def mean_squared_error(x: Tensor, x_mean: Tensor) -> Tensor:
    """Average (x - x_mean)^2 over everything but the seed axis: (S, B, *), (S, B, *) -> (S,)."""
    return mean_per_seed((x - x_mean).square())


def unit_normal_nll(x: Tensor, x_mean: Tensor) -> Tensor:
    r"""Compute \(-\log N(x; c, I) = \frac12 |x - c|^2 + \frac d2 \log 2\pi\)."""
    num_dimensions = x.shape[2:].numel()
    return num_dimensions / 2 * (mean_squared_error(x, x_mean) + math.log(2 * math.pi))


def calibrated_normal_nll(x: Tensor, x_mean: Tensor) -> Tensor:
    r"""Compute \(\min_{\sigma} -\log N(x; c, \sigma^2 I)\), one variance per batch and seed.

    .. math:: \frac d2 (\log(2 \pi \sigma^2) + 1), \quad \sigma^2 = E |x - c|^2 / d

    which is unbounded below, so variances are clamped to the smallest normal number of the dtype.

    Rybkin, Daniilidis & Levine, *Simple and Effective VAE Training with Calibrated Decoders*,
    2021, https://arxiv.org/abs/2006.13202.
    """
    num_dimensions = x.shape[2:].numel()
    variance = mean_squared_error(x, x_mean).clamp_min(torch.finfo(x.dtype).tiny)
    return num_dimensions / 2 * ((2 * math.pi * variance).log() + 1)


def kl_to_prior(code_mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Compute \(KL(N(\mu, \operatorname{diag} \sigma^2) \| N(0, I))\).

    .. math:: \frac12 \sum_i (\mu_i^2 + \sigma_i^2 - 1 - \log \sigma_i^2)

    Arguments:
        code_mean: Means, with shape (S, B, M).
        log_variance: Logarithms of the variances, with the same shape.
    """
    return 0.5 * mean_per_seed((code_mean.square() + log_variance.expm1() - log_variance).sum(-1))
