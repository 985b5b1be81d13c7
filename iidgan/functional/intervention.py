r"""Interventions on codes, which replace parts of them and preserve their distribution.

Liang et al., *Intervention Generative Adversarial Networks*, 2020,
https://arxiv.org/abs/2008.03712.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def standardise_codes(codes: Tensor) -> Tensor:
    """Scale codes (S, B, M) to mean 0 and variance 1, per seed and dimension."""
    variance, mean = torch.var_mean(codes, dim=1, correction=0, keepdim=True)
    return (codes - mean) * (variance + 1e-5).rsqrt()


def substitute_block(
    codes: Tensor, new_codes: Tensor, block_index: Tensor, num_blocks: int
) -> Tensor:
    """Replace one block of dimensions of each code by that of `new_codes`.

    The dimensions are split as by `torch.tensor_split`: if their number is not a multiple of the
    number of blocks, the first blocks are longer by one.

    Arguments:
        codes: Codes, with shape (S, B, M).
        new_codes: Codes to take the block from, with the same shape.
        block_index: Block of all codes of a seed; integers in [0, num_blocks), with shape (S,).
        num_blocks: Number of blocks.
    """
    dimensions = torch.arange(codes.shape[-1], device=codes.device)
    block_dimensions = dimensions.tensor_split(num_blocks)
    block_of_dimension = torch.cat(
        [torch.full_like(members, i) for i, members in enumerate(block_dimensions)]
    )
    return torch.where((block_of_dimension == block_index[:, None])[:, None], new_codes, codes)


def block_cross_entropy(logits: Tensor, block_index: Tensor) -> Tensor:
    """Average the cross-entropy of predicting `block_index` from logits (S, B, blocks): (S,)."""
    # By comparison rather than a gather, for which Inductor inserts a bounds check: a failing
    # device assertion kills the CUDA context.
    log_probabilities = logits.movedim(2, 1).log_softmax(1)
    is_target = torch.arange(logits.shape[2], device=logits.device) == block_index[:, None]
    return -torch.where(is_target[..., None], log_probabilities, 0).sum(1).mean(1)


def shifted_square_divergences(shifts: Tensor) -> tuple[Tensor, Tensor]:
    r"""Compute two divergences of two unit squares, the second shifted by (a, 1).

    X_0 is uniform on \([-\frac12, \frac12]^2\), X_1 on \([a - \frac12, a + \frac12] \times
    [\frac12, \frac32]\), and an intervention replaces the second coordinate of one by that of the
    other. With weights of 1/4, the mixture of all four squares has density 1/4 on an area of
    4 min(|a|, 1), density 1/2 on 2 max(0, 1 - |a|), and each square has entropy 0, so that

    .. math:: JS(X_0; X_1) = \log 2, \quad
        JS(X_0; X_1; Y_1; Y_2) = (1 + \min(|a|, 1)) \log 2

    Only the second depends on the distance of the squares. (Example 1 of the paper, which prints
    -a log 2 for the second; the area of the union is 2 (1 + a), not 2 (2 - a).)

    Arguments:
        shifts: Shifts of the second square, of any shape.

    Returns:
        The divergence of the two squares and that of all four, in nats, shaped as `shifts`.
    """
    return torch.full_like(shifts, math.log(2)), math.log(2) * (1 + shifts.abs().clamp_max(1))
