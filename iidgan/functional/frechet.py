"""The distance between Gaussians that are fitted to two sets of vectors."""

from __future__ import annotations

import torch
from torch import Tensor


def distance(x: Tensor, y: Tensor) -> Tensor:
    r"""Computes the squared Frechet (2-Wasserstein) distance between fitted Gaussians.

    .. math:: \|\mu_x - \mu_y\|^2 + \operatorname{tr} \Sigma_x + \operatorname{tr} \Sigma_y
              - 2 \operatorname{tr} (\Sigma_x \Sigma_y)^{1/2}

    with covariances that divide by n - 1. The last trace is the sum of singular values of
    \(A^\top B\) for any \(\Sigma_x = A A^\top, \Sigma_y = B B^\top\). So no product of covariances
    is formed, whose eigenvalues rounding makes negative or complex, and covariances of any rank
    need nothing added to their diagonals.

    Dowson & Landau, *The Fréchet Distance between Multivariate Normal Distributions*, 1982,
    https://doi.org/10.1016/0047-259X(82)90077-X; Heusel et al., *GANs Trained by a Two Time-Scale
    Update Rule Converge to a Local Nash Equilibrium*, 2017, https://arxiv.org/abs/1706.08500 (as a
    distance of images, by their features).

    Arguments:
        x: Vectors, with shape (S, n, D), n of at least 2.
        y: Vectors, with shape (m, D), m of at least 2.

    Returns:
        float64 with shape (S,), at least 0; NaN for a seed with vectors that are not finite.
    """
    reference = _moments(y)
    return torch.stack([_between(_moments(of_seed), reference) for of_seed in x])


def _between(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> Tensor:
    (mean, root), (other_mean, other_root) = one, other
    apart = (mean - other_mean).square().sum()
    spread = root.square().sum() + other_root.square().sum()
    if not (apart + spread).isfinite():
        return torch.full_like(apart, torch.nan)
    # Not linalg.nuclear_norm, which is differentiable but blind to small singular values.
    return (apart + spread - 2 * torch.linalg.svdvals(root.mT @ other_root).sum()).clamp_min(0)


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Computes the mean and an A with \(\Sigma = A A^\top\): (n, D) -> (D,), (D, D).

    Both are NaN where a vector is not finite, on which the decomposition would raise.
    """
    x = x.double()
    mean = x.mean(0)
    centred = x - mean
    covariance = centred.mT @ centred / (len(x) - 1)
    if not covariance.isfinite().all():
        return mean * torch.nan, covariance * torch.nan
    values, vectors = torch.linalg.eigh(covariance)
    return mean, vectors * values.clamp_min(0).sqrt()
