"""The Frechet distance between Gaussians that are fitted to two sets of features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.functional.scores.gram import gram_matrix
from iidgan.functional.scores.seeds import check_features, check_sets, score_seeds

_BLOCK_SIZE = 2048  # rows that are converted to float64 at a time
_MIN_CONDITION = 1e-6  # of covariances; below, a Cholesky factor may be that of rounding errors
_TOLERANCE = 1e-8  # relative, of the distance


def frechet_distance(real: Tensor, fake: Tensor) -> Tensor:
    """Compute the squared Fréchet (2-Wasserstein) distance between fitted Gaussians.

        ‖m - m'‖² + tr C + tr C' - 2 tr (C C')^½

    with the means m, m' and the covariances C, C', which divide by n - 1. It is at least 0. The
    last trace is the sum of singular values of AᵀB for any C = A Aᵀ, C' = B Bᵀ, where the features
    themselves are such an A if they are fewer than their dimensions. So no covariance needs an
    addition to its diagonal, and no eigenvalue becomes negative or complex by rounding.

    On the features of an Inception network it is the FID.

    It is biased: for equal distributions its mean is not 0 but decreases about as D / n, so
    compare equal numbers of samples only, well above D on both sides. It sees two moments and
    nothing else: neither copies of the real samples, nor whether a mode is missing that leaves
    the moments as they are. Time is O((n + m) D² + D³), or O(n m min(n, m)) for few samples;
    memory that of some D x D matrices.

    Arguments:
        real: Features of real samples, with shape (m, D), m of at least 2.
        fake: Features of generated samples, with shape (n, D) or (S, n, D), n of at least 2.

    Returns:
        float64 with shape () or (S,); NaN for a seed with features that are not finite.

    Raises:
        InputError: The features are not as described.

    References:
        The Fréchet Distance between Multivariate Normal Distributions (Dowson and Landau, 1982),
        https://doi.org/10.1016/0047-259X(82)90077-X; GANs Trained by a Two Time-Scale Update Rule
        Converge to a Local Nash Equilibrium (Heusel et al., 2017),
        https://arxiv.org/abs/1706.08500, as a distance of images

    Examples:
        >>> real = torch.tensor([[-1.0], [0.0], [1.0]])  # mean 0, standard deviation 1
        >>> fake = torch.stack([real + 3, 5 * real])  # of two seeds
        >>> frechet_distance(real, fake).round(decimals=6)
        tensor([ 9., 16.], dtype=torch.float64)
    """
    check_sets(real, fake, min_count=2)
    real_gaussian = _fit_gaussian(real)
    return score_seeds(
        lambda features: (_distance(real_gaussian, _fit_gaussian(features)),), fake
    )[0]


def effective_rank(features: Tensor) -> Tensor:
    """Compute the effective rank of the covariance of features.

        exp(-sum_i p_i ln p_i), with p_i = λ_i / sum λ and the eigenvalues λ of the covariance

    It lies between 1, for features on a line, and min(N - 1, D); 0 if all features are equal. A
    `frechet_distance` to a reference of low rank compares few directions, whatever D is.

    Arguments:
        features: Finite features, with shape (N, D), N of at least 2.

    Returns:
        float64 with shape ().

    Raises:
        InputError: The features are not as described.

    References:
        The Effective Rank: A Measure of Effective Dimensionality (Roy and Vetterli, 2007),
        https://ieeexplore.ieee.org/document/7098875

    Examples:
        >>> effective_rank(torch.cat([torch.eye(3), -torch.eye(3)])).round(decimals=6)
        tensor(3., dtype=torch.float64)
    """
    check_features("features", features, min_count=2)
    features = features.detach()
    mean = _mean(features)
    if len(features) <= features.shape[1]:
        matrix = gram_matrix([(features.double() - mean).mT])
    else:
        matrix = _covariance(features, mean)
    eigenvalues = torch.linalg.eigvalsh(matrix).clamp_min(0).cpu()
    total = eigenvalues.sum()
    if total == 0:
        return total
    shares = eigenvalues / total
    return (-torch.xlogy(shares, shares).sum()).exp()


@dataclass(frozen=True)
class _Gaussian:
    """A Gaussian with a root A (D, r) of its covariance A Aᵀ."""

    mean: Tensor
    root: Tensor


def _fit_gaussian(features: Tensor) -> _Gaussian:
    features = features.detach()
    mean = _mean(features)
    if len(features) <= features.shape[1]:
        root = (features.double() - mean).mT / (len(features) - 1) ** 0.5
        return _Gaussian(mean, root)
    return _from_moments(mean, _covariance(features, mean))


def _from_moments(mean: Tensor, covariance: Tensor) -> _Gaussian:
    root, info = torch.linalg.cholesky_ex(covariance)
    squared_diagonal = root.diagonal().square()
    if info == 0 and squared_diagonal.amin() > _MIN_CONDITION * squared_diagonal.amax():
        return _Gaussian(mean, root)
    eigenvalues, eigenvectors = torch.linalg.eigh(covariance)
    root = eigenvectors * eigenvalues.clamp_min(0).sqrt()
    return _Gaussian(mean, root)


def _distance(real: _Gaussian, fake: _Gaussian) -> Tensor:
    mean_distance = (real.mean - fake.mean).square().sum()
    total = mean_distance + (real.root.square().sum() + fake.root.square().sum())
    product = fake.root.mT @ real.root
    trace, error = _sum_singular_values(product)
    distance = total - 2 * trace
    if 2 * error > _TOLERANCE * distance:
        # Not linalg.nuclear_norm, which is differentiable but ignores small singular values.
        distance = total - 2 * torch.linalg.svdvals(product).sum()
    return distance.clamp_min(0)


def _sum_singular_values(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the sum of singular values as roots of eigenvalues, in a fifth of the time.

    Returns the sum and a bound of its error, which is large if many singular values are small.
    """
    gram = gram_matrix([matrix if matrix.shape[1] <= matrix.shape[0] else matrix.mT])
    squares = torch.linalg.eigvalsh(gram).clamp_min(0)
    values = squares.sqrt()
    rounding = 2 * len(squares) ** 0.5 * torch.finfo(squares.dtype).eps * squares.amax()
    errors = torch.minimum(rounding.sqrt(), rounding / (2 * values))
    return values.sum(), errors.nan_to_num().sum()


def _mean(features: Tensor) -> Tensor:
    return features.mean(0, dtype=torch.float64)


def _covariance(features: Tensor, mean: Tensor) -> Tensor:
    """Compute the covariance, which divides by n - 1: (n, D) -> (D, D)."""
    centred_blocks = (block - mean for block in features.split(_BLOCK_SIZE))  # float64
    return gram_matrix(centred_blocks) / (len(features) - 1)
