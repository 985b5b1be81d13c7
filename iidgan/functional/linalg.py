r"""Spectral functions of matrices from products alone: no eigenvalues, no host synchronisation.

Everything is a fixed sequence of matrix products and elementwise operations, so that it can be
captured in a CUDA graph, traced, batched over leading axes, and differentiated more than once.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor


def _schedule(low: float, tolerance: float) -> tuple[tuple[float, float], ...]:
    r"""Computes odd cubics \(a x - b x^3\) whose composition maps [low, 1] to 1 +- tolerance.

    Each cubic is the one closest to 1 on the interval that its predecessors leave, which has a
    closed form: with extrema \(1 - e, 1 + e, 1 - e\) at low, inside, and at high.
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
    torch.float32: _schedule(low=1.5e-3, tolerance=1e-7),
    torch.float64: _schedule(low=1e-4, tolerance=1e-15),
}

LONG = 2  # from here on columns a row 24 products of rows take less than 16 of all of x


def at_least_single(x: Tensor) -> Tensor:
    """Converts half precision to float32, in which covariances survive; leaves float64."""
    return x if x.dtype == torch.float64 else x.float()


def polar(x: Tensor) -> Tensor:
    r"""Computes the polar factor \(U V^\top\) of \(x = U \operatorname{diag}(s) V^\top\).

    Newton-Schulz iteration \(x \gets a x - b x x^\top x\) after division by an upper bound
    \((\sum_i s_i^4)^{1/4}\) of \(s_1\), with the coefficients that converge fastest: 10 steps in
    float32, 14 in float64, two products each. Singular values above 1.5e-3 (float32) or 1e-4
    (float64) of the bound become 1 to working precision; below, they become an increasing
    function of theirs, and 0 stays 0. It works on x rather than on \(x x^\top\), whose condition
    number is the square; but where x is long, most products are of \(x x^\top\), which is
    computed anew halfway. Rounding then turns the vectors of a singular value s, in terms of the
    bound, by some machine epsilons over \(s^2\).

    Amsel, Persson, Musco & Gower, *The Polar Express: Optimal Matrix Sign Methods and Their
    Application to the Muon Algorithm*, 2025, https://arxiv.org/abs/2505.16932.

    Arguments:
        x: Matrices, float32 or float64 with shape (..., r, c).

    Returns:
        Matrices of the same shape.
    """
    rows, columns = x.shape[-2:]
    if rows > columns:
        return polar(x.mT.contiguous()).mT
    u = x.reshape(-1, rows, columns) / _spectral_bound(x.detach()).reshape(-1, 1, 1)
    cubics = _CUBICS[x.dtype]
    if columns >= LONG * rows:
        half = len(cubics) // 2
        for part in (cubics[:half], cubics[half:]):
            u = torch.bmm(_factor(torch.bmm(u, u.mT), part), u)
    else:
        for a, b in cubics:
            u = torch.baddbmm(u, torch.bmm(u, u.mT), u, beta=a, alpha=-b)
    return u.reshape(x.shape)


def gram(x: Tensor) -> Tensor:
    r"""Computes \(x x^\top\), differentiable any number of times, each time in one product.

    Arguments:
        x: Matrices, with shape (..., r, c).

    Returns:
        Matrices, with shape (..., r, r).
    """
    product: Tensor = _Gram.apply(x)  # type: ignore[no-untyped-call]
    return product


def nuclear_norm(x: Tensor) -> Tensor:
    r"""Computes the sum of singular values, \(\operatorname{tr} (x^\top x)^{1/2}\).

    It is \(\langle x, \mathrm{polar}(x) \rangle\), and its gradient is polar(x): bounded by one at
    any rank, and free once the value is known. Second derivatives go through the iteration.

    Arguments:
        x: Matrices, float32 or float64 with shape (..., r, c).

    Returns:
        Values with shape (...).
    """
    value, _ = _NuclearNorm.apply(x)  # type: ignore[no-untyped-call]
    return cast(Tensor, value)


def inverse(a: Tensor) -> tuple[Tensor, Tensor]:
    """Inverts symmetric positive definite matrices by their Cholesky decomposition.

    Differentiable any number of times. Matrices that are not positive definite to working
    precision give values without meaning, and no error, which would have to be waited for.

    Arguments:
        a: Matrices, with shape (..., m, m).

    Returns:
        The inverses, with the same shape, and the logarithms of the determinants of `a`, with
        shape (...).
    """
    inverted, log_det = _Inverse.apply(a)  # type: ignore[no-untyped-call]
    return inverted, log_det


def _factor(k: Tensor, cubics: tuple[tuple[float, float], ...]) -> Tensor:
    r"""Computes what the cubics multiply u by, a polynomial in \(k = u u^\top\)."""
    eye = torch.eye(k.shape[-1], dtype=k.dtype, device=k.device)
    a, b = cubics[0]
    factor = a * eye - b * k
    for (a, b), (c, d) in pairwise(cubics):
        once = torch.baddbmm(k, k, k, beta=a, alpha=-b)
        k = torch.baddbmm(once, once, k, beta=a, alpha=-b)
        factor = torch.baddbmm(factor, k, factor, beta=c, alpha=-d)
    return factor


def _spectral_bound(x: Tensor) -> Tensor:
    """Bounds the largest singular value by the Schatten 4-norm: (..., r, c), r <= c -> (...)."""
    floor = torch.finfo(x.dtype).tiny ** 0.5
    size = torch.linalg.matrix_norm(x, keepdim=True).clamp_min(floor)  # fourth powers overflow
    y = x / size
    bound: Tensor = torch.linalg.matrix_norm(y @ y.mT).sqrt().clamp_min(floor)
    return size[..., 0, 0] * bound


class _Gram(torch.autograd.Function):
    """The product of a matrix and its transpose, whose gradient has one product for both."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x @ x.mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:  # noqa: ANN401
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx: Any, by_product: Tensor) -> Tensor:  # noqa: ANN401
        (x,) = ctx.saved_tensors
        grad: Tensor = (by_product + by_product.mT) @ x
        return grad


class _NuclearNorm(torch.autograd.Function):
    """The nuclear norm and the polar factor, which is the gradient of the norm."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        factor = polar(x)
        return (x * factor).sum((-2, -1)), factor

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:  # noqa: ANN401
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(inputs[0], output[1])

    @staticmethod
    def backward(ctx: Any, by_norm: Tensor | None, by_factor: Tensor | None) -> Tensor | None:  # noqa: ANN401
        x, factor = ctx.saved_tensors
        grad = None if by_norm is None else by_norm[..., None, None] * factor
        if by_factor is None:  # always so, but for second derivatives
            return grad
        through: Tensor = torch.func.vjp(polar, x)[1](by_factor)[0]
        return through if grad is None else grad + through


class _Inverse(torch.autograd.Function):
    """The inverse and the log-determinant of symmetric positive definite matrices."""

    generate_vmap_rule = True

    @staticmethod
    def forward(a: Tensor) -> tuple[Tensor, Tensor]:
        factor = torch.linalg.cholesky_ex(a).L
        eye = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        # Not torch.cholesky_inverse, which waits for the device to report errors.
        root = torch.linalg.solve_triangular(factor, eye, upper=False)
        return root.mT @ root, 2 * factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:  # noqa: ANN401
        ctx.save_for_backward(output[0])

    @staticmethod
    def backward(ctx: Any, by_inverse: Tensor, by_log_det: Tensor) -> Tensor:  # noqa: ANN401
        (y,) = ctx.saved_tensors
        grad: Tensor = by_log_det[..., None, None] * y - y @ by_inverse @ y
        return grad
