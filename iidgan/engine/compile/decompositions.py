"""What a recorded move spells out before it goes to the compiler, which can then fuse it.

A fused optimiser is a kernel of its own, and so is a matrix product, even one with a side of one
or two, which takes several times as long as its few operations do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

THIN = 4  # the longest side of a product that is spelled out
PRECISE = (torch.float32, torch.float64)  # others would be rounded after each addend
BORDER = 16  # elements: enough that a compiler reduces them, rather than writing out each


def fused_adam_(
    parameters: list[Tensor],
    gradients: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    _: list[Tensor],
    steps: list[Tensor],
    *,
    lr: Tensor,
    beta1: float,
    beta2: float,
    eps: float,
    **options: Any,  # noqa: ANN401 - weight decay, and what else the kernel takes
) -> None:
    """Spells out the fused kernel, whose parameters are all at the same step.

    With any other option than Adam's own it is left as it is.
    """
    if any(options.values()):
        return NotImplemented
    count = steps[0].double()  # the kernel corrects the bias in double precision
    rate = _once(lr / (1 - beta1**count))
    scale = _once((1 - beta2**count).sqrt())
    for value, gradient, mean, square in zip(parameters, gradients, means, squares, strict=True):
        mean.lerp_(gradient, 1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        value.sub_(rate * mean / (square.sqrt() / scale + eps))


def _once(number: Tensor) -> Tensor:
    """Keeps a 0-d tensor out of the loops that read it, where it would be computed each time.

    A compiler moves what is elementwise into the loops, powers in double precision included, but
    no reduction: the maximum of equal numbers is one.
    """
    return number.expand(BORDER).amax()


def bmm(a: Tensor, b: Tensor) -> Tensor:
    """Spells out a product of (S, m, k) and (S, k, n) if m, k or n is at most `THIN`."""
    _, m, k = a.shape
    n = b.shape[2]
    if k == 0 or a.dtype not in PRECISE:
        return NotImplemented
    if k <= THIN:
        addends = [a[:, :, i, None] * b[:, i, None, :] for i in range(k)]
        return sum(addends[1:], addends[0])
    if n <= THIN:
        return torch.stack([(a * b[:, None, :, j]).sum(2) for j in range(n)], dim=2)
    if m <= THIN:
        return torch.stack([(a[:, i, :, None] * b).sum(1) for i in range(m)], dim=1)
    return NotImplemented


def baddbmm(bias: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Adds after the product, along with what follows.

    The kernel begins by writing the bias once for each sample, and reads it again.
    """
    if a.dtype not in PRECISE:
        return NotImplemented
    product = bmm(a, b)
    if product is NotImplemented:
        product = torch.bmm(a, b)
    return beta * bias + alpha * product if beta else alpha * product  # whatever the bias is


DECOMPOSITIONS: Mapping[torch._ops.OpOverload[..., Any], Callable[..., Any]] = {
    torch.ops.aten._fused_adam_.tensor_lr: fused_adam_,
    torch.ops.aten.bmm.default: bmm,
    torch.ops.aten.baddbmm.default: baddbmm,
}
