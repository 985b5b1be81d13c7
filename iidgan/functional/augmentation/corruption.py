"""Corruptions of images: noise, and squares that are cut out."""

from __future__ import annotations

import torch
from torch import Tensor

from iidgan.functional.augmentation.draws import is_applied, to_uniform

NOISE_STD = 0.1


def add_noise(images: Tensor, noise: Tensor, normals: Tensor, p: Tensor) -> Tensor:
    """Add noise to a share p of the images.

        x + 0.1 |n| ε, with n ~ N(0, 1) and ε ~ N(0, I)

    Arguments:
        images: Images, with shape (S, B, C, H, W).
        noise: The noise ε, normal numbers with the same shape.
        normals: Normal numbers, with shape (S, B, 2); the last is n.
        p: Strength of each seed, with shape (S,).

    Returns:
        Images of the same shape.
    """
    std = torch.where(is_applied(normals[..., 0], p), NOISE_STD * normals[..., 1].abs(), 0.0)
    return images + std[..., None, None, None] * noise


def cut_out(images: Tensor, normals: Tensor) -> Tensor:
    """Set a rectangle of half the height and half the width to 0.

    Its centre is uniform in the image, and parts of it may lie outside.

    Arguments:
        images: Images, with shape (S, B, C, H, W).
        normals: Normal numbers, with shape (S, B, 2), which decide on the centre, x first.

    Returns:
        Images of the same shape.

    Examples:
        >>> cut_out(torch.ones(1, 1, 1, 4, 4), torch.zeros(1, 1, 2))[0, 0, 0]
        tensor([[1., 1., 1., 1.],
                [1., 0., 0., 1.],
                [1., 0., 0., 1.],
                [1., 1., 1., 1.]])
    """
    x, y = to_uniform(normals).unbind(-1)
    height, width = images.shape[-2:]
    is_inside = _is_near(y, height)[..., :, None] & _is_near(x, width)[..., None, :]
    return torch.where(is_inside.unsqueeze(2), 0.0, images)


def _is_near(centre: Tensor, size: int) -> Tensor:
    """Whether pixels are within a quarter of the side from the centre: (S, B, size)."""
    position = (torch.arange(size, dtype=centre.dtype, device=centre.device) + 0.5) / size
    return (position - centre[..., None]).abs() < 0.25
