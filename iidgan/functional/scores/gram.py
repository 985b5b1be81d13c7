"""Gram matrices of features, in little more than half the operations of a product."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

_STRIPE_SIZE = 256  # rows of the result in a product


def gram_matrix(blocks: Iterable[Tensor]) -> Tensor:
    """Compute the sum of XᵀX over blocks X of rows.

    The products are those of the upper triangle alone, in stripes.

    Arguments:
        blocks: At least one block, each with shape (n, D), n may differ.

    Returns:
        The symmetric matrix, with shape (D, D).

    Examples:
        >>> import torch
        >>> gram_matrix([torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 1.0], [3.0, 0.0]])])
        tensor([[10.,  2.],
                [ 2.,  5.]])
    """
    blocks = iter(blocks)
    gram = _add_upper(None, next(blocks))
    for block in blocks:
        gram = _add_upper(gram, block)
    return gram.triu() + gram.triu(1).mT


def _add_upper(gram: Tensor | None, block: Tensor) -> Tensor:
    size = block.shape[1]
    if gram is None:
        gram = block.new_zeros(size, size)
    for start in range(0, size, _STRIPE_SIZE):
        rows = slice(start, start + _STRIPE_SIZE)
        gram[rows, start:].addmm_(block[:, rows].mT, block[:, start:])
    return gram
