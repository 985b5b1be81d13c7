"""Negative log-likelihoods of normal distributions, in nats, for autoencoders and encoders.

Samples have shape (S, B, ...), values (S,): sums over the dimensions of a sample, means over the
samples of a batch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from iidgan.functional.reduce import mean_per_seed


def mean_squared_error(x: Tensor, x_mean: Tensor) -> Tensor:
    """Compute the mean of (x - x_mean)² over all elements, per seed.

    Arguments:
        x: Samples, with shape (S, B, *shape).
        x_mean: Their reconstructions, with the same shape.

    Returns:
        One value per seed, with shape (S,).

    Examples:
        >>> x = torch.zeros(1, 4, 2)
        >>> mean_squared_error(x, x + torch.tensor([3.0, 4.0]))  # (9 + 16) / 2
        tensor([12.5000])
    """
    return mean_per_seed((x - x_mean).square())


def unit_normal_nll(x: Tensor, x_mean: Tensor) -> Tensor:
    """Compute the negative log-likelihood of samples under normal distributions of variance 1.

        -log N(x; c, I) = ½ ‖x - c‖² + d/2 log 2π

    Arguments:
        x: Samples, with shape (S, B, *shape) of d elements each.
        x_mean: Means c, with the same shape.

    Returns:
        One value per seed, with shape (S,), in nats.

    Examples:
        >>> x = torch.zeros(1, 4, 2)
        >>> unit_normal_nll(x, x)  # log 2π
        tensor([1.8379])
        >>> unit_normal_nll(x, x + torch.tensor([3.0, 4.0]))  # 12.5 more
        tensor([14.3379])
    """
    num_dimensions = x.shape[2:].numel()
    return num_dimensions / 2 * (mean_squared_error(x, x_mean) + math.log(2 * math.pi))


def calibrated_normal_nll(x: Tensor, x_mean: Tensor) -> Tensor:
    """Compute the negative log-likelihood of samples under the best common variance σ².

        min_σ -log N(x; c, σ² I) = d/2 (log(2π σ²) + 1), where σ² = E ‖x - c‖² / d

    with one variance per batch and seed. It is unbounded below, so variances are clamped to the
    smallest normal number of the dtype.

    Arguments:
        x: Samples, with shape (S, B, *shape) of d elements each.
        x_mean: Means c, with the same shape.

    Returns:
        One value per seed, with shape (S,), in nats.

    References:
        Simple and Effective VAE Training with Calibrated Decoders (Rybkin, Daniilidis and Levine,
        2021), https://arxiv.org/abs/2006.13202

    Examples:
        >>> x = torch.zeros(1, 4, 2)
        >>> calibrated_normal_nll(x, x + 1)  # σ = 1: log 2π + 1
        tensor([2.8379])
        >>> calibrated_normal_nll(x, x + 0.1)  # 2 log 0.1 = -4.605 more
        tensor([-1.7673])
    """
    num_dimensions = x.shape[2:].numel()
    variance = mean_squared_error(x, x_mean).clamp_min(torch.finfo(x.dtype).tiny)
    return num_dimensions / 2 * ((2 * math.pi * variance).log() + 1)


def kl_to_prior(code_mean: Tensor, log_variance: Tensor) -> Tensor:
    """Compute the divergence KL(N(μ, diag σ²) ‖ N(0, I)) of a diagonal normal posterior.

        ½ sum_i (μ_i² + σ_i² - 1 - log σ_i²)

    Arguments:
        code_mean: Means μ, with shape (S, B, M).
        log_variance: Logarithms of the variances, log σ², with the same shape.

    Returns:
        Mean over the batch for each seed, with shape (S,), in nats.

    References:
        Auto-Encoding Variational Bayes (Kingma and Welling, 2013),
        https://arxiv.org/abs/1312.6114, appendix B

    Examples:
        >>> code_mean = torch.tensor([[[3.0, 4.0]]])
        >>> kl_to_prior(code_mean, log_variance=torch.zeros(1, 1, 2))  # 25 / 2
        tensor([12.5000])
    """
    return 0.5 * mean_per_seed((code_mean.square() + log_variance.expm1() - log_variance).sum(-1))
