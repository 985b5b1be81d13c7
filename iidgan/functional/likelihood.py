r"""Likelihoods of normal distributions, in nats: what autoencoders and encoders are judged by.

Samples have shape (S, B, ...), values (S,): sums over the dimensions of a sample, means over the
samples of a batch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from iidgan.functional.reduce import mean


def squared_error(x: Tensor, y: Tensor) -> Tensor:
    """Averages (x - y)^2 over everything but the seed axis: (S, B, *), (S, B, *) -> (S,)."""
    return mean((x - y).square())


def unit_normal(x: Tensor, centre: Tensor) -> Tensor:
    r"""Computes \(-\log N(x; c, I) = \frac12 |x - c|^2 + \frac d2 \log 2\pi\)."""
    d = x.shape[2:].numel()
    return d / 2 * (squared_error(x, centre) + math.log(2 * math.pi))


def calibrated_normal(x: Tensor, centre: Tensor) -> Tensor:
    r"""Computes \(\min_{\sigma} -\log N(x; c, \sigma^2 I)\), one variance per batch and seed.

    .. math:: \frac d2 (\log(2 \pi \sigma^2) + 1), \quad \sigma^2 = E |x - c|^2 / d

    which is unbounded below: variances count as at least the least normal number of the type.

    Rybkin, Daniilidis & Levine, *Simple and Effective VAE Training with Calibrated Decoders*,
    2021, https://arxiv.org/abs/2006.13202.
    """
    d = x.shape[2:].numel()
    variance = squared_error(x, centre).clamp_min(torch.finfo(x.dtype).tiny)
    return d / 2 * ((2 * math.pi * variance).log() + 1)


def kl_to_prior(centre: Tensor, log_variance: Tensor) -> Tensor:
    r"""Computes \(KL(N(\mu, \operatorname{diag} \sigma^2) \| N(0, I))\).

    .. math:: \frac12 \sum_i (\mu_i^2 + \sigma_i^2 - 1 - \log \sigma_i^2)

    Arguments:
        centre: Means, with shape (S, B, M).
        log_variance: Logarithms of the variances, with the same shape.
    """
    return 0.5 * mean((centre.square() + log_variance.expm1() - log_variance).sum(-1))
