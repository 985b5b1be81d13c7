"""The Frechet distance between Gaussians that are fitted to two sets of features."""

from __future__ import annotations

import torch
from torch import Tensor


def frechet_distance(fake_features: Tensor, real_features: Tensor) -> Tensor:
    """Compute the squared Fréchet (2-Wasserstein) distance between fitted Gaussians.

        ‖m - m'‖² + tr C + tr C' - 2 tr (C C')^½

    with the means m, m' and the covariances C, C', which divide by n - 1. The last trace is the
    sum of singular values of AᵀB for any C = A Aᵀ, C' = B Bᵀ. This avoids products of covariances,
    whose eigenvalues may become negative or complex by rounding, and works for covariances of any
    rank without adding to their diagonals.

    On the features of an Inception network it is the FID.

    Arguments:
        fake_features: Features, with shape (S, n, D), n of at least 2.
        real_features: Features, with shape (m, D), m of at least 2.

    Returns:
        float64 with shape (S,), at least 0; NaN for a seed with features that are not finite.

    References:
        The Fréchet Distance between Multivariate Normal Distributions (Dowson and Landau, 1982),
        https://doi.org/10.1016/0047-259X(82)90077-X; GANs Trained by a Two Time-Scale Update Rule
        Converge to a Local Nash Equilibrium (Heusel et al., 2017),
        https://arxiv.org/abs/1706.08500, as a distance of images

    Examples:
        >>> real = torch.tensor([[-1.0], [0.0], [1.0]])  # mean 0, standard deviation 1
        >>> fake = torch.stack([real + 3, 5 * real])  # of two seeds
        >>> frechet_distance(fake, real).round(decimals=6)
        tensor([ 9., 16.], dtype=torch.float64)
    """
    real_moments = _mean_and_root(real_features)
    distances = [
        _distance_between(_mean_and_root(features), real_moments) for features in fake_features
    ]
    return torch.stack(distances)


def _distance_between(
    moments: tuple[Tensor, Tensor], other_moments: tuple[Tensor, Tensor]
) -> Tensor:
    (mean, covariance_root), (other_mean, other_root) = moments, other_moments
    mean_distance = (mean - other_mean).square().sum()
    total = mean_distance + (covariance_root.square().sum() + other_root.square().sum())
    if not total.isfinite():
        return torch.full_like(total, torch.nan)
    # Not linalg.nuclear_norm, which is differentiable but ignores small singular values.
    singular_values = torch.linalg.svdvals(covariance_root.mT @ other_root)
    return (total - 2 * singular_values.sum()).clamp_min(0)


def _mean_and_root(features: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean and an A with A Aᵀ the covariance: (n, D) -> (D,), (D, D).

    Both are NaN if a feature is not finite, for which the decomposition would raise an error.
    """
    features = features.double()
    mean = features.mean(0)
    centred_features = features - mean
    covariance = centred_features.mT @ centred_features / (len(features) - 1)
    if not covariance.isfinite().all():
        return mean * torch.nan, covariance * torch.nan
    eigenvalues, eigenvectors = torch.linalg.eigh(covariance)
    return mean, eigenvectors * eigenvalues.clamp_min(0).sqrt()
