"""Interventions on codes, which replace parts of them and preserve their distribution.

References:
    Intervention Generative Adversarial Networks (Liang et al., 2020),
    https://arxiv.org/abs/2008.03712
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def standardise_codes(codes: Tensor) -> Tensor:
    """Scale codes to mean 0 and variance 1, per seed and dimension.

        (z - mean) / √(variance + 1e-5), over the batch, as batch normalisation does

    Arguments:
        codes: Codes, with shape (S, B, M).

    Returns:
        Codes, with the same shape.

    Examples:
        >>> standardise_codes(torch.tensor([[[10.0], [30.0]]])).round(decimals=4)
        tensor([[[-1.],
                 [ 1.]]])
    """
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

    Returns:
        Codes, with the same shape.

    Examples:
        >>> codes, noise = torch.zeros(2, 1, 4), torch.ones(2, 1, 4)
        >>> substitute_block(codes, noise, torch.tensor([0, 1]), num_blocks=2)
        tensor([[[1., 1., 0., 0.]],
        <BLANKLINE>
                [[0., 0., 1., 1.]]])
    """
    dimensions = torch.arange(codes.shape[-1], device=codes.device)
    block_dimensions = dimensions.tensor_split(num_blocks)
    block_of_dimension = torch.cat(
        [torch.full_like(members, i) for i, members in enumerate(block_dimensions)]
    )
    return torch.where((block_of_dimension == block_index[:, None])[:, None], new_codes, codes)


def block_cross_entropy(logits: Tensor, block_index: Tensor) -> Tensor:
    """Compute the cross-entropy of predicting which block was replaced.

    Arguments:
        logits: Logits of the blocks, with shape (S, B, num_blocks).
        block_index: Replaced block of all codes of a seed, integers with shape (S,).

    Returns:
        Mean over the batch for each seed, with shape (S,), in nats.

    Examples:
        >>> block_cross_entropy(torch.zeros(1, 8, 2), torch.tensor([1]))  # guessing: log 2
        tensor([0.6931])
    """
    # By comparison rather than a gather, for which Inductor inserts a bounds check: a failing
    # device assertion kills the CUDA context.
    log_probabilities = logits.movedim(2, 1).log_softmax(1)
    is_target = torch.arange(logits.shape[2], device=logits.device) == block_index[:, None]
    return -torch.where(is_target[..., None], log_probabilities, 0).sum(1).mean(1)


def shifted_square_divergences(shifts: Tensor) -> tuple[Tensor, Tensor]:
    """Compute two divergences of two unit squares, the second shifted by (a, 1).

    X₀ is uniform on [-½, ½]², X₁ on [a - ½, a + ½] x [½, 3/2], and an intervention replaces the
    second coordinate of one by that of the other, which gives Y₁ and Y₂. With weights of ¼, the
    mixture of all four squares has density ¼ on an area of 4 min(|a|, 1), density ½ on
    2 max(0, 1 - |a|), and each square has entropy 0, so that

        JS(X₀; X₁) = log 2
        JS(X₀; X₁; Y₁; Y₂) = (1 + min(|a|, 1)) log 2

    Only the second depends on the distance of the squares. (Example 1 of the paper, which prints
    -a log 2 for the second; the area of the union is 2 (1 + a), not 2 (2 - a).)

    Arguments:
        shifts: Shifts a of the second square, of any shape.

    Returns:
        The divergence of the two squares and that of all four, in nats, shaped as `shifts`.

    Examples:
        >>> two_squares, four_squares = shifted_square_divergences(torch.tensor([0.0, 0.5, 1.0]))
        >>> two_squares
        tensor([0.6931, 0.6931, 0.6931])
        >>> four_squares
        tensor([0.6931, 1.0397, 1.3863])
    """
    return torch.full_like(shifts, math.log(2)), math.log(2) * (1 + shifts.abs().clamp_max(1))
