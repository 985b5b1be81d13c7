"""Decompositions of operators in a captured step, which let the compiler fuse them.

Otherwise a fused optimiser is a kernel of its own, and so is a matrix product, even one with a
side of length one or two, which takes several times as long as its few operations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from iidgan.engine.compile.inductor import FUSED_ADAM, Operator

MAX_THIN_SIDE = 4  # products with a side of at most this length are decomposed
PRECISE_DTYPES = (torch.float32, torch.float64)  # others would be rounded after each addition
REDUCTION_SIZE = 16  # elements: large enough that the compiler keeps the reduction as a loop


def decompose_fused_adam(
    parameters: list[Tensor],
    gradients: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    _: list[Tensor],
    step_counts: list[Tensor],
    *,
    lr: Tensor,
    beta1: float,
    beta2: float,
    eps: float,
    **options: Any,  # noqa: ANN401 - weight decay and the kernel's other options
) -> None:
    """Decompose the fused kernel of Adam; all parameters are at the same step.

    Calls with other options, such as weight decay, are not decomposed. Parameters and their
    averages are updated in place.

    Arguments:
        parameters: Tensors to update.
        gradients: Their gradients.
        means: Moving averages of the gradients.
        squares: Moving averages of the squared gradients.
        _: Maxima of these, which only AMSGrad uses.
        step_counts: 0-d tensors with the number of the step, counted from 1.
        lr: Learning rate.
        beta1: Decay rate of `means`.
        beta2: Decay rate of `squares`.
        eps: Added to the square root of the second moment.
        **options: The kernel's other options.
    """
    if any(options.values()):
        return NotImplemented
    count = step_counts[0].double()  # the kernel corrects the bias in double precision
    rate = _computed_once(lr / (1 - beta1**count))
    scale = _computed_once((1 - beta2**count).sqrt())
    for value, gradient, mean, square in zip(parameters, gradients, means, squares, strict=True):
        mean.lerp_(gradient, 1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        value.sub_(rate * mean / (square.sqrt() / scale + eps))


def _computed_once(scalar: Tensor) -> Tensor:
    """Keep a 0-d tensor out of the loops that read it, where it would be computed repeatedly.

    A compiler moves elementwise operations into loops, powers in double precision included, but
    no reductions: the maximum of equal numbers is one.
    """
    return scalar.expand(REDUCTION_SIZE).amax()


def decompose_bmm(a: Tensor, b: Tensor) -> Tensor:
    """Decompose a batched product into elementwise operations, if a side is short.

    Arguments:
        a: Matrices (S, m, k).
        b: Matrices (S, k, n).

    Returns:
        The products (S, m, n), or `NotImplemented` if m, k and n are above `MAX_THIN_SIDE`, or in
        low precision.

    Examples:
        >>> import torch
        >>> from iidgan.engine.compile.decompositions import decompose_bmm
        >>> a, b = torch.arange(6.0).view(1, 3, 2), torch.arange(8.0).view(1, 2, 4)
        >>> torch.equal(decompose_bmm(a, b), torch.bmm(a, b))
        True
        >>> decompose_bmm(torch.ones(1, 9, 9), torch.ones(1, 9, 9))
        NotImplemented
    """
    _, m, k = a.shape
    n = b.shape[2]
    if k == 0 or a.dtype not in PRECISE_DTYPES:
        return NotImplemented
    if k <= MAX_THIN_SIDE:
        outer_products = [a[:, :, i, None] * b[:, i, None, :] for i in range(k)]
        return sum(outer_products[1:], outer_products[0])
    if n <= MAX_THIN_SIDE:
        return torch.stack([(a * b[:, None, :, j]).sum(2) for j in range(n)], dim=2)
    if m <= MAX_THIN_SIDE:
        return torch.stack([(a[:, i, :, None] * b).sum(1) for i in range(m)], dim=1)
    return NotImplemented


def decompose_baddbmm(
    bias: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """Add the bias after the product, where the addition is fused with what follows.

    The kernel starts by writing the bias once for each sample, and reads it again.

    Arguments:
        bias: Tensor that broadcasts to (S, m, n).
        a: Matrices (S, m, k).
        b: Matrices (S, k, n).
        beta: Factor of the bias.
        alpha: Factor of the product.

    Returns:
        `beta * bias + alpha * a @ b`, or `NotImplemented` in low precision.
    """
    if a.dtype not in PRECISE_DTYPES:
        return NotImplemented
    product = decompose_bmm(a, b)
    if product is NotImplemented:
        product = torch.bmm(a, b)
    # With beta = 0 the bias is ignored, even if it is not finite.
    return beta * bias + alpha * product if beta else alpha * product


DECOMPOSITIONS: Mapping[Operator, Callable[..., Any]] = {
    FUSED_ADAM: decompose_fused_adam,
    torch.ops.aten.bmm.default: decompose_bmm,
    torch.ops.aten.baddbmm.default: decompose_baddbmm,
}
