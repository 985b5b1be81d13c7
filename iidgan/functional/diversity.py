"""Distances between two batches of features as sets: the Bures distance and the losses of GDPP.

Values and gradients are finite also where features are rank deficient or all the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from iidgan.functional.linalg import nuclear_norm, to_full_precision

MIN_ROW_NORM = 1e-3  # rows of features with a smaller norm count as zero


def unit_rows(features: Tensor) -> Tensor:
    """Divide rows by their norms, except rows much shorter than 0.001, which stay short.

        v / √(‖v‖² + 0.001²)

    Otherwise a batch without any spread would become nothing but rounding errors, with enormous
    gradients.

    Arguments:
        features: Rows of features, with shape (S, B, h).

    Returns:
        Rows with norms below 1, with the same shape.

    Examples:
        >>> unit_rows(torch.tensor([[[3.0, 4.0], [0.0, 0.0]]]))
        tensor([[[0.6000, 0.8000],
                 [0.0000, 0.0000]]])
    """
    squared_norms = to_full_precision(features).square().sum(-1, keepdim=True)
    return features * (squared_norms + MIN_ROW_NORM**2).rsqrt()


def unit_directions(features: Tensor) -> Tensor:
    """Centre a batch, and divide its rows by their norms as `unit_rows` does.

    Arguments:
        features: Rows of features, with shape (S, B, h).

    Returns:
        Directions from the mean of the batch, with the same shape.

    Examples:
        >>> unit_directions(torch.tensor([[[1.0, 5.0], [3.0, 5.0]]]))
        tensor([[[-1.0000,  0.0000],
                 [ 1.0000,  0.0000]]])
    """
    return unit_rows(features - features.mean(1, keepdim=True))


def bures_distance(features_a: Tensor, features_b: Tensor) -> Tensor:
    """Compute the squared Bures distance between the second moments of two batches.

        tr A + tr B - 2 tr (A B)^½, with A = aᵀa / n and B = bᵀb / n for batches a and b of n rows

    The last trace is the nuclear norm of a bᵀ / n, since A B and (a bᵀ)(a bᵀ)ᵀ / n² have the same
    eigenvalues other than 0. Without square roots of matrices, the gradient is bounded at any
    rank.

    Arguments:
        features_a: Rows of features, with shape (S, B, h).
        features_b: Rows of features, with shape (S, B, h).

    Returns:
        One distance per seed, with shape (S,).

    References:
        The Bures Metric for Generative Adversarial Networks (De Meulemeester et al., 2020),
        https://arxiv.org/abs/2006.09096

    Examples:
        >>> along_x = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]])
        >>> along_y = torch.tensor([[[0.0, 1.0], [0.0, -1.0]]])
        >>> bures_distance(along_x, along_y).round(decimals=4)  # they share no direction: 1 + 1
        tensor([2.])
        >>> bures_distance(along_x, 3 * along_x).round(decimals=4)  # (1 - 3)²
        tensor([4.])
    """
    # C = a^T a of the scaled rows, whose trace is the sum of their squares.
    scaled_a, scaled_b = (
        to_full_precision(x) / x.shape[1] ** 0.5 for x in (features_a, features_b)
    )
    traces = scaled_a.square().sum((1, 2)) + scaled_b.square().sum((1, 2))
    return traces - 2 * nuclear_norm(scaled_a @ scaled_b.mT)


def gdpp_losses(
    fake_features: Tensor, real_features: Tensor, broadening: float = 1e-2
) -> tuple[Tensor, Tensor]:
    """Compare the similarity matrices of two batches of B samples by their eigenpairs.

    With unit rows φ, φ φᵀ = sum_j λ_j v_j v_jᵀ, eigenvalues in order, and weights w_j that map the
    real eigenvalues to [0, 1], the two values are

        magnitude = 1/B sum_j (λ_j(fake) - λ_j(real))²
        structure = -sum_j w_j |⟨v_j(fake), v_j(real)⟩|

    The sign of an eigenvector is arbitrary, hence the absolute value. Its derivative,
    sum_{i ≠ j} v_i (v_iᵀ dK v_j) / (λ_j - λ_i), is infinite where eigenvalues meet, as the zeros
    of a rank-deficient K always do; here g / (g² + ε²) replaces 1 / g for a gap g. Where generated
    features have no variance left, any v_j(fake) is as good as another; so w_j is multiplied by
    λ² / (λ² + ε²) of the generated eigenvalue, without a derivative. Eigenvalues have mean 1.

    Arguments:
        fake_features: Features, with shape (S, B, h).
        real_features: Features, with shape (S, B, h), constant to the gradient.
        broadening: Gap ε of eigenvalues, to others and to 0, below which eigenvectors do not
            count.

    Returns:
        Magnitude and structure, each with shape (S,). Only first derivatives are correct.

    References:
        GDPP: Learning Diverse Generations Using Determinantal Point Process (Elfeki et al., 2019),
        https://arxiv.org/abs/1812.00068

    Examples:
        >>> real = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])  # eigenvalues 0, 1, 2
        >>> collapsed = torch.tensor([[[1.0, 0.0]] * 3])  # eigenvalues 0, 0, 3
        >>> gdpp_losses(collapsed, real)
        (tensor([0.6667]), tensor([-0.8165]))
    """
    fake_kernel = _similarity_kernel(fake_features)
    eigenvalues, eigenvectors = _decompose_kernel(fake_kernel)
    real_eigenvalues, real_eigenvectors = _decompose_kernel(_similarity_kernel(real_features))
    # Zero, but with the derivative of the kernel in its own eigenbasis.
    kernel_change = eigenvectors.mT @ (fake_kernel - fake_kernel.detach()) @ eigenvectors
    gaps = eigenvalues.unsqueeze(-2) - eigenvalues.unsqueeze(-1)
    overlaps = eigenvectors.mT @ real_eigenvectors
    inverse_gaps = gaps / (gaps.square() + broadening**2)
    cosine_change = (inverse_gaps * kernel_change * overlaps).sum(-2)
    cosines = overlaps.diagonal(dim1=-2, dim2=-1) + cosine_change
    shifted_values = real_eigenvalues - real_eigenvalues.amin(-1, keepdim=True)
    tiny = torch.finfo(shifted_values.dtype).tiny
    structure_weights = shifted_values / shifted_values.amax(-1, keepdim=True).clamp_min(tiny)
    reliability = eigenvalues.square() / (eigenvalues.square() + broadening**2)
    structure_loss = -(structure_weights * reliability * cosines.abs()).sum(-1)
    eigenvalues = eigenvalues + kernel_change.diagonal(dim1=-2, dim2=-1)
    return (eigenvalues - real_eigenvalues).square().mean(-1), structure_loss


def _similarity_kernel(features: Tensor) -> Tensor:
    unit_features = unit_rows(to_full_precision(features))
    return unit_features @ unit_features.mT


def _decompose_kernel(kernel: Tensor) -> tuple[Tensor, Tensor]:
    # The decomposition raises an error on NaN, and one diverged seed must not stop the others.
    eigenvalues, eigenvectors = torch.linalg.eigh(kernel.detach().nan_to_num())
    return eigenvalues, eigenvectors
