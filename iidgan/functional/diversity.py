r"""How differently two batches of features are spread: GDPP and the Bures distance.

Everything stays finite, value and gradient, where features are rank deficient or all the same.

References:
    GDPP: Learning Diverse Generations Using Determinantal Point Process (Elfeki et al., 2019),
    https://arxiv.org/abs/1812.00068
    The Bures Metric for Generative Adversarial Networks (De Meulemeester et al., 2020),
    https://arxiv.org/abs/2006.09096
"""

from __future__ import annotations

import torch
from torch import Tensor

from iidgan.functional.linalg import at_least_single, nuclear_norm

SHORT = 1e-3  # norm below which a row of features counts as none


def unit_rows(features: Tensor) -> Tensor:
    """Divides rows by their norms: (S, B, h) -> (S, B, h).

    Rows much shorter than `SHORT` stay short. Otherwise a batch without any spread would show
    nothing but rounding, and with enormous gradients.
    """
    squares = at_least_single(features).square().sum(-1, keepdim=True)
    return features * (squares + SHORT**2).rsqrt()


def directions(features: Tensor) -> Tensor:
    """Centres a batch and divides its rows by their norms: (S, B, h) -> (S, B, h)."""
    return unit_rows(features - features.mean(1, keepdim=True))


def bures(a: Tensor, b: Tensor) -> Tensor:
    r"""Computes the squared Bures distance of \(C_a = a^\top a / B\) and \(C_b = b^\top b / B\).

    .. math:: \operatorname{tr} C_a + \operatorname{tr} C_b
              - 2 \operatorname{tr} (C_a C_b)^{1/2}

    The last trace is the nuclear norm of \(a b^\top / B\): \(C_a C_b\) and
    \(a b^\top (a b^\top)^\top / B^2\) have the same eigenvalues other than 0. No square root of
    a matrix is taken, so that the gradient is bounded at any rank.

    Arguments:
        a: Rows of features, with shape (S, B, h).
        b: Rows of features, with shape (S, B, h).

    Returns:
        Distances with shape (S,).
    """
    a, b = (at_least_single(x) / x.shape[1] ** 0.5 for x in (a, b))
    return a.square().sum((1, 2)) + b.square().sum((1, 2)) - 2 * nuclear_norm(a @ b.mT)


def gdpp(fake: Tensor, real: Tensor, broadening: float = 1e-2) -> tuple[Tensor, Tensor]:
    r"""Compares the similarities within two batches, of B samples each, by their eigenpairs.

    With unit rows \(\phi\), \(\phi \phi^\top = \sum_j \lambda_j v_j v_j^\top\), eigenvalues in
    order, and weights \(w_j\) that map the real ones to [0, 1]:

    .. math:: \frac1B \sum_j (\lambda_j^{fake} - \lambda_j^{real})^2, \qquad
              -\sum_j w_j |\langle v_j^{fake}, v_j^{real} \rangle|

    The sign of an eigenvector has no meaning, hence the absolute value. Its derivative
    \(\sum_{i \ne j} v_i \, v_i^\top dK v_j / (\lambda_j - \lambda_i)\) is infinite where
    eigenvalues meet, as the zeros of a rank-deficient K always do; here
    \(g / (g^2 + \epsilon^2)\) stands for 1 over the gap g. And where generated features have
    no direction left, any \(v_j^{fake}\) is as good as another; so \(w_j\) is multiplied by
    \(\lambda^2 / (\lambda^2 + \epsilon^2)\) of the generated eigenvalue, without a derivative.
    Eigenvalues have mean 1.

    Arguments:
        fake: Features, with shape (S, B, h).
        real: Features, with shape (S, B, h), constant to the gradient.
        broadening: Gap \(\epsilon\) of eigenvalues, to others and to 0, below which eigenvectors
            do not count.

    Returns:
        The two values, each with shape (S,). First derivatives are right, second ones are not.
    """
    kernel = _kernel(fake)
    values, vectors = _eigenpairs(kernel)
    targets, axes = _eigenpairs(_kernel(real))
    # Zero, but with the derivative of the kernel in its own eigenbasis.
    change = vectors.mT @ (kernel - kernel.detach()) @ vectors
    gaps = values.unsqueeze(-2) - values.unsqueeze(-1)
    overlaps = vectors.mT @ axes
    turned = (gaps / (gaps.square() + broadening**2) * change * overlaps).sum(-2)
    cosines = overlaps.diagonal(dim1=-2, dim2=-1) + turned
    above = targets - targets.amin(-1, keepdim=True)
    weights = above / above.amax(-1, keepdim=True).clamp_min(torch.finfo(above.dtype).tiny)
    sure = values.square() / (values.square() + broadening**2)
    structure = -(weights * sure * cosines.abs()).sum(-1)
    values = values + change.diagonal(dim1=-2, dim2=-1)
    return (values - targets).square().mean(-1), structure


def _kernel(features: Tensor) -> Tensor:
    rows = unit_rows(at_least_single(features))
    return rows @ rows.mT


def _eigenpairs(kernel: Tensor) -> tuple[Tensor, Tensor]:
    # The decomposition raises an error on NaN, and one diverged seed must not end the others.
    values, vectors = torch.linalg.eigh(kernel.detach().nan_to_num())
    return values, vectors
