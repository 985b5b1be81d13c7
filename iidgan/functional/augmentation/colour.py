"""Changes of colours: affine maps of the channels of each pixel, as homogeneous matrices."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from iidgan.functional.augmentation.draws import choose_index, to_uniform
from iidgan.functional.augmentation.matrices import RandomMatrix, Shape, homogeneous


def brightness_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Add 0.2 n to all channels, with n ~ N(0, 1)."""
    shift = (0.2 * normals).expand(*normals.shape[:-1], shape[0])
    return homogeneous(_identity(normals, shape), shift)


def contrast_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Multiply all channels by 2^(0.5 n), with n ~ N(0, 1)."""
    return _linear(torch.exp2(0.5 * normals[..., None]) * _identity(normals, shape))


def luma_flip_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Negate the luma, which is the mean of the channels, or not, with equal probability."""
    is_flipped = choose_index(normals[..., None], 2)
    return _linear(_identity(normals, shape) - 2 * is_flipped * _luma_part(normals, shape))


def hue_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Rotate the three channels about the axis of greys by any angle, all equally likely."""
    identity, luma = _identity(normals, shape), _luma_part(normals, shape)
    angle = 2 * math.pi * to_uniform(normals[..., None])
    # The cross product with (1, 1, 1) / sqrt(3); rolled identities are cyclic permutations.
    cross = (identity.roll(1, 0) - identity.roll(1, 1)) / math.sqrt(3)
    return _linear(luma + angle.cos() * (identity - luma) + angle.sin() * cross)


def saturation_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Multiply the distance of three channels from grey by 2^n, with n ~ N(0, 1)."""
    luma = _luma_part(normals, shape)
    return _linear(luma + torch.exp2(normals[..., None]) * (_identity(normals, shape) - luma))


ANY_CHANNELS = (RandomMatrix(contrast_matrix), RandomMatrix(brightness_matrix))
GREY = (RandomMatrix(luma_flip_matrix), *ANY_CHANNELS)
COLOUR = (RandomMatrix(saturation_matrix), RandomMatrix(hue_matrix), *GREY)


def colour_factors(num_channels: int) -> tuple[RandomMatrix, ...]:
    """Return the random matrices of colours, of which the last one changes the image first.

    Hue and saturation are those of three channels, and a luma is that of one or three. Channels
    of any other number are no colours: they change in brightness and contrast alone.

    Arguments:
        num_channels: Number of channels C.

    Examples:
        >>> [len(colour_factors(num_channels)) for num_channels in (1, 2, 3)]
        [3, 2, 5]
    """
    return {1: GREY, 3: COLOUR}.get(num_channels, ANY_CHANNELS)


def map_channels(images: Tensor, matrix: Tensor) -> Tensor:
    """Map the channels of each pixel.

        x -> A x + b

    Arguments:
        images: Images, with shape (S, B, C, H, W).
        matrix: The matrices [[A, b], [0, 1]], with shape (S, B, C + 1, C + 1).

    Returns:
        Images of the same shape.

    Examples:
        >>> grey = torch.tensor([0.25, 0.5]).view(1, 1, 1, 1, 2)
        >>> negative = luma_flip_matrix(torch.ones(1, 1, 1), (1, 1, 2))
        >>> map_channels(grey, negative).flatten()
        tensor([-0.2500, -0.5000])
    """
    shifted = matrix[..., :-1, :-1] @ images.flatten(3) + matrix[..., :-1, -1:]
    return shifted.view_as(images)


def _identity(normals: Tensor, shape: Shape) -> Tensor:
    return torch.eye(shape[0], dtype=normals.dtype, device=normals.device)


def _luma_part(normals: Tensor, shape: Shape) -> Tensor:
    """Return the projection v v' onto greys, with v = (1, ..., 1) / sqrt(C)."""
    return torch.ones_like(_identity(normals, shape)) / shape[0]


def _linear(matrix: Tensor) -> Tensor:
    return homogeneous(matrix, torch.zeros_like(matrix[..., 0]))
