"""Flips, turns, shifts and scales of images: affine maps of the plane, and the warp by them.

A matrix maps each pixel of the result to the point of the image that it shows, in homogeneous
coordinates (x, y, 1) with the origin at the centre and pixels as the unit; y points down.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from iidgan.functional.augmentation.draws import choose_index, to_uniform
from iidgan.functional.augmentation.interpolation import midpoint_matrix, mirror
from iidgan.functional.augmentation.matrices import RandomMatrix, Shape, homogeneous

SHIFT = 0.125  # of the sides of an image


def scaling(x_factor: Tensor, y_factor: Tensor) -> Tensor:
    """Return the matrices diag(a, b, 1).

    Arguments:
        x_factor: Factor a, with shape (S, B).
        y_factor: Factor b, with shape (S, B).
    """
    factors = torch.stack([x_factor, y_factor], -1)
    return homogeneous(torch.diag_embed(factors), torch.zeros_like(factors))


def rotation(cos: Tensor, sin: Tensor) -> Tensor:
    """Return the matrices that rotate the plane.

    Arguments:
        cos: Cosine of the angle from the x to the y axis, with shape (S, B).
        sin: Its sine, with shape (S, B).
    """
    linear = torch.stack([cos, -sin, sin, cos], -1).unflatten(-1, (2, 2))
    return homogeneous(linear, torch.zeros_like(linear[..., 0]))


def translation(shift: Tensor) -> Tensor:
    """Return the matrices that add a shift to points.

    Arguments:
        shift: Shift in pixels, (S, B, 2), x first.
    """
    return homogeneous(torch.eye(2, dtype=shift.dtype, device=shift.device), shift)


def flip_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Mirror left and right, or not, with equal probability."""
    sign = 1 - 2 * choose_index(normals[..., 0], 2)
    return scaling(sign, torch.ones_like(sign))


def quarter_turn_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Rotate by 0, 90, 180 or 270 degrees, with equal probability."""
    turns = choose_index(normals[..., 0], 4)
    cos, sin = ((turns == i).to(turns.dtype) - (turns == i + 2).to(turns.dtype) for i in (0, 1))
    return rotation(cos, sin)


def whole_shift_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Shift by whole pixels, uniform up to an eighth of each side."""
    sides = _sides_like(normals, shape)
    return translation((SHIFT * (2 * to_uniform(normals) - 1) * sides).round())


def zoom_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Scale by a factor 2^(0.2 n), with n ~ N(0, 1)."""
    factor = torch.exp2(0.2 * normals[..., 0])
    return scaling(factor, factor)


def stretch_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Scale one axis by 2^(0.2 n) and the other by 2^(-0.2 n), with n ~ N(0, 1)."""
    factor = torch.exp2(0.2 * normals[..., 0])
    return scaling(factor, 1 / factor)


def turn_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Rotate by any angle, all equally likely."""
    angle = 2 * math.pi * to_uniform(normals[..., 0])
    return rotation(angle.cos(), angle.sin())


def shift_matrix(normals: Tensor, shape: Shape) -> Tensor:
    """Shift by n / 8 of each side, with n ~ N(0, 1) for each."""
    return translation(SHIFT * normals * _sides_like(normals, shape))


def _sides_like(normals: Tensor, shape: Shape) -> Tensor:
    """Return width and height as a tensor, which is not copied from the host."""
    height, width = shape[-2:]
    is_x = torch.arange(2, device=normals.device) == 0
    return width * is_x + height * ~is_x


def _turn_share(p: Tensor) -> Tensor:
    """Probability of each of two rotations, at least one of which has the probability p."""
    return 1 - (1 - p).sqrt()


BLIT = (
    RandomMatrix(flip_matrix),
    RandomMatrix(quarter_turn_matrix),
    RandomMatrix(whole_shift_matrix, 2),
)
"""Maps that move pixels without interpolation, in the order in which the image is changed."""

GEOMETRIC = (
    RandomMatrix(zoom_matrix),
    RandomMatrix(turn_matrix, share=_turn_share),
    RandomMatrix(stretch_matrix),
    RandomMatrix(turn_matrix, share=_turn_share),
    RandomMatrix(shift_matrix, 2),
)
"""Maps that interpolate between pixels, in the order in which the image is changed."""


def warp(images: Tensor, matrix: Tensor) -> Tensor:
    """Show, at each pixel, the point of the image that a matrix maps the pixel to.

    Images continue beyond their edges as in a mirror. Values between pixels are interpolated
    bilinearly from pixels and the values halfway between them (`midpoint_matrix`), so that shifts
    by halves of pixels and rotations by multiples of 90 degrees are exact.

    Arguments:
        images: Images, with shape (S, B, C, H, W), and sides of at least two pixels.
        matrix: Affine maps, with shape (S, B, 3, 3).

    Returns:
        Images of the same shape.

    Examples:
        >>> image = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).view(1, 1, 1, 2, 3)
        >>> warp(image, translation(torch.tensor([[[1.0, 0.0]]])))[0, 0, 0]
        tensor([[2., 3., 2.],
                [5., 6., 5.]])
    """
    height, width = images.shape[-2:]
    points = matrix[..., :2, :] @ _pixel_grid(images)
    column = _locate(points[..., 0, :] + (width - 1) / 2, width)
    row = _locate(points[..., 1, :] + (height - 1) / 2, height)
    fine_rows = midpoint_matrix(height, images) @ images
    fine_pixels = (fine_rows @ midpoint_matrix(width, images).mT).flatten(3)
    fine_width = 2 * width - 1
    start = row.start * fine_width + column.start

    def read(offset: int) -> Tensor:
        index = (start + offset).unsqueeze(2).expand(-1, -1, images.shape[2], -1)
        return fine_pixels.gather(-1, index)

    upper = torch.lerp(read(0), read(1), column.share)
    lower = torch.lerp(read(fine_width), read(fine_width + 1), column.share)
    return torch.lerp(upper, lower, row.share).view_as(images)


class _FinePosition(NamedTuple):
    """Positions on a line of pixels and midpoints: the point before, and the share of the next."""

    start: Tensor
    share: Tensor


def _pixel_grid(images: Tensor) -> Tensor:
    """Return the homogeneous coordinates of all pixels, (3, H W)."""
    height, width = images.shape[-2:]
    x = torch.arange(width, dtype=images.dtype, device=images.device) - (width - 1) / 2
    y = torch.arange(height, dtype=images.dtype, device=images.device) - (height - 1) / 2
    columns, rows = x.expand(height, width), y[:, None].expand(height, width)
    return torch.stack([columns, rows, torch.ones_like(columns)]).flatten(1)


def _locate(position: Tensor, size: int) -> _FinePosition:
    fine_position = 2 * mirror(position, size)
    start = fine_position.floor().clamp_max(2 * size - 3)
    return _FinePosition(start.long(), (fine_position - start).unsqueeze(2))
