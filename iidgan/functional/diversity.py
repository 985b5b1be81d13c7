r"""Distances between the covariances of two batches of features: GDPP and Bures.

Values and gradients are finite also where features are rank deficient or all the same.

References:
    GDPP: Learning Diverse Generations Using Determinantal Point Process (Elfeki et al., 2019),
    https://arxiv.org/abs/1812.00068
    The Bures Metric for Generative Adversarial Networks (De Meulemeester et al., 2020),
    https://arxiv.org/abs/2006.09096
"""

from __future__ import annotations

import torch
from torch import Tensor

from iidgan.functional.linalg import nuclear_norm, to_full_precision

MIN_ROW_NORM = 1e-3  # rows of features with a smaller norm count as zero


def unit_rows(features: Tensor) -> Tensor:
    """Divides rows by their norms: (S, B, h) -> (S, B, h).

    Rows much shorter than `SHORT` stay short. Otherwise a batch without any spread would show
    nothing but rounding, and with enormous gradients.
    """
    squared_norms = to_full_precision(features).square().sum(-1, keepdim=True)
    return features * (squared_norms + MIN_ROW_NORM**2).rsqrt()


def unit_directions(features: Tensor) -> Tensor:
    """Centre a batch and divide its rows by their norms: (S, B, h) -> (S, B, h)."""
    return unit_rows(features - features.mean(1, keepdim=True))


def bures_distance(features_a: Tensor, features_b: Tensor) -> Tensor:
    r"""Compute the squared Bures distance of \(C_a = a^\top a / B\) and \(C_b = b^\top b / B\).

    .. math:: \operatorname{tr} C_a + \operatorname{tr} C_b
              - 2 \operatorname{tr} (C_a C_b)^{1/2}

    The last trace is the nuclear norm of \(a b^\top / B\): \(C_a C_b\) and
    \(a b^\top (a b^\top)^\top / B^2\) have the same eigenvalues other than 0. Without square
    roots of matrices, the gradient is bounded at any rank.

    Arguments:
        features_a: Rows of features, with shape (S, B, h).
        features_b: Rows of features, with shape (S, B, h).

    Returns:
        Distances with shape (S,).
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
    r"""Compare the similarity matrices of two batches of B samples by their eigenpairs.

    With unit rows \(\phi\), \(\phi \phi^\top = \sum_j \lambda_j v_j v_j^\top\), eigenvalues in
    order, and weights \(w_j\) that map the real ones to [0, 1]:

    .. math:: \frac1B \sum_j (\lambda_j^{fake} - \lambda_j^{real})^2, \qquad
              -\sum_j w_j |\langle v_j^{fake}, v_j^{real} \rangle|

    The sign of an eigenvector is arbitrary, hence the absolute value. Its derivative
    \(\sum_{i \ne j} v_i \, v_i^\top dK v_j / (\lambda_j - \lambda_i)\) is infinite where
    eigenvalues meet, as the zeros of a rank-deficient K always do; here
    \(g / (g^2 + \epsilon^2)\) replaces 1 / g for a gap g. Where generated features have
    no variance left, any \(v_j^{fake}\) is as good as another; so \(w_j\) is multiplied by
    \(\lambda^2 / (\lambda^2 + \epsilon^2)\) of the generated eigenvalue, without a derivative.
    Eigenvalues have mean 1.

    Arguments:
        fake_features: Features, with shape (S, B, h).
        real_features: Features, with shape (S, B, h), constant to the gradient.
        broadening: Gap \(\epsilon\) of eigenvalues, to others and to 0, below which eigenvectors
            do not count.

    Returns:
        The two values, each with shape (S,). Only first derivatives are correct.
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
