"""Spectral functions of matrices by products only, without eigenvalues or host synchronisation.

Each is a fixed sequence of matrix products and elementwise operations, so that it can be captured
in a CUDA graph, traced, batched over leading axes, and differentiated repeatedly.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor


def _cubic_coefficients(low: float, tolerance: float) -> tuple[tuple[float, float], ...]:
    """Compute odd cubics a x - b x³ whose composition maps [low, 1] to 1 ± tolerance.

    Each cubic is the one closest to 1 on the image of its predecessors. It has a closed form, with
    extrema 1 - e, 1 + e, 1 - e at low, inside, and at high.
    """
    high = 1.0
    cubics = []
    while 1 - low > tolerance:
        q = low * low + low * high + high * high
        b = 2 / (low * high * (low + high) + 2 / 3 * q * (q / 3) ** 0.5)
        cubics.append((b * q, b))
        low = b * low * high * (low + high)
        high = 2 - low
    return tuple(cubics)


_CUBICS = {
    torch.float32: _cubic_coefficients(low=1.5e-3, tolerance=1e-7),
    torch.float64: _cubic_coefficients(low=1e-4, tolerance=1e-15),
}

MIN_ASPECT_RATIO = 2  # from here on, products with the Gram matrix are cheaper


def to_full_precision(x: Tensor) -> Tensor:
    """Convert half precision to float32, as covariances need; keep float64.

    Arguments:
        x: Floating-point tensor of any shape.

    Returns:
        float64 if `x` is, else float32.

    Examples:
        >>> to_full_precision(torch.ones(2, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return x if x.dtype == torch.float64 else x.float()


def polar_factor(x: Tensor) -> Tensor:
    """Compute the polar factor U Vᵀ of x = U diag(s) Vᵀ.

    Newton-Schulz iteration x ← a x - b x xᵀ x after division by an upper bound (sum_i s_i⁴)^¼ of
    s₁, with the coefficients that converge fastest: 10 steps in float32, 14 in float64, two
    products each. Singular values above 1.5e-3 (float32) or 1e-4 (float64) of the bound become 1
    to working precision; below, they become an increasing function of theirs, and 0 stays 0. It
    works on x rather than on x xᵀ, whose condition number is the square; but if x has many more
    columns than rows, most products are with x xᵀ, which is recomputed halfway. Rounding then
    rotates the vectors of a singular value s, relative to the bound, by some machine epsilons over
    s².

    Arguments:
        x: Matrices, float32 or float64 with shape (..., r, c).

    Returns:
        Matrices of the same shape.

    References:
        The Polar Express: Optimal Matrix Sign Methods and Their Application to the Muon Algorithm
        (Amsel, Persson, Musco and Gower, 2025), https://arxiv.org/abs/2505.16932

    Examples:
        >>> polar_factor(torch.tensor([[0.0, 5.0], [-2.0, 0.0]])).round(decimals=4)
        tensor([[ 0.,  1.],
                [-1.,  0.]])
    """
    rows, columns = x.shape[-2:]
    if rows > columns:
        return polar_factor(x.mT.contiguous()).mT
    u, gram = _normalise(x.reshape(-1, rows, columns))
    cubics = _CUBICS[x.dtype]
    if columns >= MIN_ASPECT_RATIO * rows:
        # Not the quotient `gram`: polynomials of it alone would amplify its rounding.
        midpoint = len(cubics) // 2
        for cubic_part in (cubics[:midpoint], cubics[midpoint:]):
            u = torch.bmm(_composed_cubics(torch.bmm(u, u.mT), cubic_part), u)
    else:
        u = _apply_cubic(u, gram, cubics[0])
        for cubic in cubics[1:]:
            u = _apply_cubic(u, torch.bmm(u, u.mT), cubic)
    return u.reshape(x.shape)


def gram_matrix(x: Tensor) -> Tensor:
    """Compute x xᵀ, differentiable any number of times, each time in one product.

    Arguments:
        x: Matrices, with shape (..., r, c).

    Returns:
        Matrices, with shape (..., r, r).

    Examples:
        >>> gram_matrix(torch.tensor([[1.0, 2.0], [0.0, 3.0]]))
        tensor([[5., 6.],
                [6., 9.]])
    """
    product: Tensor = _Gram.apply(x)  # type: ignore[no-untyped-call]
    return product


def nuclear_norm(x: Tensor) -> Tensor:
    """Compute the sum of singular values, tr (xᵀx)^½.

    It is ⟨x, polar(x)⟩, and its gradient is the polar factor: bounded by one at any rank, and free
    once the value is known. Second derivatives are those of the iteration.

    Arguments:
        x: Matrices, float32 or float64 with shape (..., r, c).

    Returns:
        Values with shape (...).

    Examples:
        >>> nuclear_norm(torch.tensor([[0.0, 5.0], [-2.0, 0.0]])).round(decimals=4)
        tensor(7.)
    """
    value, _ = _NuclearNorm.apply(x)  # type: ignore[no-untyped-call]
    return cast(Tensor, value)


def spd_inverse(a: Tensor) -> tuple[Tensor, Tensor]:
    """Invert symmetric positive definite matrices by Cholesky decomposition.

    Differentiable any number of times. For matrices that are not positive definite to
    working precision, the values are meaningless; an error would need a host synchronisation.

    Arguments:
        a: Matrices, with shape (..., m, m).

    Returns:
        The inverses, with the same shape, and the logarithms of the determinants of `a`, with
        shape (...).

    Examples:
        >>> spd_inverse(torch.tensor([[4.0, 0.0], [0.0, 2.0]]))  # log 8
        (tensor([[0.2500, 0.0000],
                [0.0000, 0.5000]]), tensor(2.0794))
    """
    inverse, log_det = _Inverse.apply(a)  # type: ignore[no-untyped-call]
    return inverse, log_det


def _composed_cubics(gram: Tensor, cubics: tuple[tuple[float, float], ...]) -> Tensor:
    """Compute the factor by which the cubics multiply u, a polynomial in k = u uᵀ."""
    eye = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    a, b = cubics[0]
    factor = a * eye - b * gram
    for (a, b), (c, d) in pairwise(cubics):
        intermediate = torch.baddbmm(gram, gram, gram, beta=a, alpha=-b)
        gram = torch.baddbmm(intermediate, intermediate, gram, beta=a, alpha=-b)
        factor = torch.baddbmm(factor, gram, factor, beta=c, alpha=-d)
    return factor


def _apply_cubic(u: Tensor, gram: Tensor, cubic: tuple[float, float]) -> Tensor:
    """Compute a u - b u uᵀ u, where `gram` is u uᵀ."""
    a, b = cubic
    return torch.baddbmm(u, gram, u, beta=a, alpha=-b)


def _normalise(x: Tensor) -> tuple[Tensor, Tensor]:
    """Divide matrices by a bound of their largest singular values, which counts as constant.

    The bound is the Schatten 4-norm, which the Gram matrix of the first step yields as well.

    Returns:
        The quotients u, and u uᵀ: (S, r, c), r <= c -> (S, r, c), (S, r, r).
    """
    floor = torch.finfo(x.dtype).tiny ** 0.5
    scale = torch.linalg.matrix_norm(x.detach(), keepdim=True).clamp_min(floor)
    scaled = x / scale  # fourth powers of x overflow
    gram = torch.bmm(scaled, scaled.mT)
    bound = torch.linalg.matrix_norm(gram.detach(), keepdim=True).sqrt().clamp_min(floor)
    return scaled / bound, gram / bound.square()


class _Gram(torch.autograd.Function):
    """The product of a matrix and its transpose, with one product for its gradient."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x @ x.mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:  # noqa: ANN401
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx: Any, grad_product: Tensor) -> Tensor:  # noqa: ANN401
        (x,) = ctx.saved_tensors
        grad: Tensor = (grad_product + grad_product.mT) @ x
        return grad


class _NuclearNorm(torch.autograd.Function):
    """The nuclear norm and the polar factor, which is the gradient of the norm."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        factor = polar_factor(x)
        return (x * factor).sum((-2, -1)), factor

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:  # noqa: ANN401
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(inputs[0], output[1])

    @staticmethod
    def backward(ctx: Any, grad_norm: Tensor | None, grad_factor: Tensor | None) -> Tensor | None:  # noqa: ANN401
        x, factor = ctx.saved_tensors
        grad = None if grad_norm is None else grad_norm[..., None, None] * factor
        if grad_factor is None:  # except for second derivatives
            return grad
        second_order_grad: Tensor = torch.func.vjp(polar_factor, x)[1](grad_factor)[0]
        return second_order_grad if grad is None else grad + second_order_grad


class _Inverse(torch.autograd.Function):
    """The inverse and the log-determinant of symmetric positive definite matrices."""

    generate_vmap_rule = True

    @staticmethod
    def forward(a: Tensor) -> tuple[Tensor, Tensor]:
        # An upper factor and a solution from the right take LAPACK 2/3 of the time of their
        # mirror images. Not torch.cholesky_inverse, which synchronises to report errors.
        factor = torch.linalg.cholesky_ex(a, upper=True).L
        eye = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        triangular_inverse = torch.linalg.solve_triangular(factor, eye.mT, upper=True, left=False)
        log_det = 2 * factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return triangular_inverse @ triangular_inverse.mT, log_det

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:  # noqa: ANN401
        ctx.save_for_backward(output[0])

    @staticmethod
    def backward(ctx: Any, grad_inverse: Tensor, grad_log_det: Tensor) -> Tensor:  # noqa: ANN401
        (inverse,) = ctx.saved_tensors
        grad: Tensor = grad_log_det[..., None, None] * inverse - inverse @ grad_inverse @ inverse
        return grad
