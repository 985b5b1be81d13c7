r"""Interventions on codes: parts of them are replaced, and their distribution is kept.

Liang et al., *Intervention Generative Adversarial Networks*, 2020,
https://arxiv.org/abs/2008.03712.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def standardise(codes: Tensor) -> Tensor:
    """Gives the codes of a batch mean 0 and variance 1: (S, B, M), per seed and dimension."""
    var, mean = torch.var_mean(codes, dim=1, correction=0, keepdim=True)
    return (codes - mean) * (var + 1e-5).rsqrt()


def substitute(codes: Tensor, fresh: Tensor, index: Tensor, blocks: int) -> Tensor:
    """Replaces one block of dimensions of each code by that of `fresh`.

    The dimensions are cut as by `torch.tensor_split`: the first blocks are longer by one where
    the number of blocks does not divide them.

    Arguments:
        codes: With shape (S, B, M).
        fresh: With the same shape.
        index: Which block, one for all codes of a seed; integers in [0, blocks), shape (S,).
        blocks: How many blocks there are.
    """
    dimensions = torch.arange(codes.shape[-1], device=codes.device)
    parts = dimensions.tensor_split(blocks)
    block = torch.cat([torch.full_like(part, i) for i, part in enumerate(parts)])
    return torch.where((block == index[:, None])[:, None], fresh, codes)


def cross_entropy(logits: Tensor, index: Tensor) -> Tensor:
    """Averages the cross-entropy of guessing `index` (S,) from `logits` (S, B, blocks): (S,)."""
    # By comparison: generated code that picks by an index looks whether it is one, and on a CUDA
    # device a process does not survive that it is not.
    chances = logits.movedim(2, 1).log_softmax(1)
    wanted = torch.arange(logits.shape[2], device=logits.device) == index[:, None]
    return -torch.where(wanted[..., None], chances, 0).sum(1).mean(1)


def square_fitting(a: Tensor) -> tuple[Tensor, Tensor]:
    r"""Computes two divergences of two unit squares, one above the other, `a` aside of it.

    X_0 is uniform on \([-\frac12, \frac12]^2\), X_1 on \([a - \frac12, a + \frac12] \times
    [\frac12, \frac32]\), and an intervention replaces the second coordinate of one by that of the
    other. With weights of 1/4, the mixture of all four squares has density 1/4 on an area of
    4 min(|a|, 1), density 1/2 on 2 max(0, 1 - |a|), and each square has entropy 0, so that

    .. math:: JS(X_0; X_1) = \log 2, \quad
        JS(X_0; X_1; Y_1; Y_2) = (1 + \min(|a|, 1)) \log 2

    Only the second tells how far the squares are apart. (Example 1 of the paper, which prints
    -a log 2 for the second; the area of the union is 2 (1 + a), not 2 (2 - a).)

    Arguments:
        a: Shifts of the second square, of any shape.

    Returns:
        The divergence of the two squares and that of all four, in nats, with the shape of `a`.
    """
    return torch.full_like(a, math.log(2)), math.log(2) * (1 + a.abs().clamp_max(1))
