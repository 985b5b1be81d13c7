"""Convolutions of lines of pixels as matrices, mirrored at the first and the last pixel."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

MIDPOINT_TAPS = {-2: 3 / 256, -1: -25 / 256, 0: 150 / 256, 1: 150 / 256, 2: -25 / 256, 3: 3 / 256}
"""Weights of six neighbours in the value halfway between pixels 0 and 1, exact for quintics."""


def mirror(position: Tensor, size: int) -> Tensor:
    """Mirror positions at the first and the last of `size` pixels, as often as needed.

    Arguments:
        position: Positions, in pixels from the first.
        size: Number of pixels, >= 2.

    Returns:
        Positions in [0, size - 1].

    Examples:
        >>> mirror(torch.tensor([-1, 0, 1, 2, 3, 4]), 3)
        tensor([1, 0, 1, 2, 1, 0])
    """
    last = size - 1
    return last - (position.remainder(2 * last) - last).abs()


def convolution_matrix(taps: Mapping[int, float], size: int, like: Tensor) -> Tensor:
    """Return the matrix of a convolution of a line of pixels.

        (A x)_i = sum over k of taps[k] x_{i + k}

    Arguments:
        taps: Weights by the distance of the pixel that they are for.
        size: Number of pixels of the line.
        like: A tensor of the dtype and device of the result.

    Returns:
        The matrix A, with shape (size, size).

    Examples:
        >>> convolution_matrix({-1: 0.5, 1: 0.5}, 3, torch.zeros(()))
        tensor([[0.0000, 1.0000, 0.0000],
                [0.5000, 0.0000, 0.5000],
                [0.0000, 1.0000, 0.0000]])
    """
    index = torch.arange(size, device=like.device)
    matrix = torch.zeros(size, size, dtype=like.dtype, device=like.device)
    for distance, weight in taps.items():
        matrix = matrix + weight * (mirror(index + distance, size)[:, None] == index)
    return matrix


def midpoint_matrix(size: int, like: Tensor) -> Tensor:
    """Return the matrix that interpolates the values halfway between the pixels of a line.

    Its even rows are those of the identity, its odd rows have the weights of Deslauriers and
    Dubuc, and constants stay as they are.

    Arguments:
        size: Number of pixels of the line.
        like: A tensor of the dtype and device of the result.

    Returns:
        The matrix, with shape (2 size - 1, size).

    References:
        Symmetric iterative interpolation processes (Deslauriers and Dubuc, 1989),
        https://doi.org/10.1007/BF01889598

    Examples:
        >>> midpoint_matrix(4, torch.zeros(())) @ torch.tensor([1.0, 1.0, 1.0, 1.0])
        tensor([1., 1., 1., 1., 1., 1., 1.])
    """
    identity = torch.eye(size, dtype=like.dtype, device=like.device)
    between = convolution_matrix(MIDPOINT_TAPS, size, like)
    return torch.stack([identity, between], 1).flatten(0, 1)[:-1]
