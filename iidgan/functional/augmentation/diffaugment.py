"""The augmentations of DiffAugment: colour, translation and cutout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from iidgan.functional.augmentation.corruption import cut_out
from iidgan.functional.augmentation.draws import to_uniform

Policy = Literal["colour", "translation", "cutout"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
NUM_DRAWS: Mapping[str, int] = {"colour": 3, "translation": 2, "cutout": 2}
"""Number of normal numbers of one image."""

MAX_SHIFT = 1 / 8  # of each side


def augment(images: Tensor, draws: Mapping[str, Tensor]) -> Tensor:
    """Augment images by the policies whose draws are given.

    Arguments:
        images: Images, with shape (S, B, C, H, W).
        draws: Normal numbers by policy, with shape (S, B, NUM_DRAWS[policy]).

    Returns:
        Images of the same shape.

    References:
        Differentiable Augmentation for Data-Efficient GAN Training (Zhao, Liu, Lin, Zhu and Han,
        2020), https://arxiv.org/abs/2006.10738
    """
    functions = {"colour": change_colours, "translation": translate, "cutout": cut_out}
    for policy in POLICIES:
        if policy in draws:
            images = functions[policy](images, draws[policy])
    return images


def change_colours(images: Tensor, normals: Tensor) -> Tensor:
    """Change brightness by up to 0.5, saturation by a factor below 2, contrast by 0.5 to 1.5.

    Saturation is the distance of the channels from their mean, so that it is without effect on
    one channel; contrast is the distance of the image from its mean.

    Arguments:
        images: Images, with shape (S, B, C, H, W).
        normals: Normal numbers, with shape (S, B, 3).

    Returns:
        Images of the same shape.
    """
    uniforms = to_uniform(normals)[..., None, None, None]
    brightness, saturation, contrast = uniforms.unbind(2)
    images = images + (brightness - 0.5)
    grey = images.mean(2, keepdim=True)
    images = grey + 2 * saturation * (images - grey)
    mean = images.mean((2, 3, 4), keepdim=True)
    return mean + (contrast + 0.5) * (images - mean)


def translate(images: Tensor, normals: Tensor) -> Tensor:
    """Shift images by whole pixels, up to an eighth of each side; the rest is 0.

    Arguments:
        images: Images, with shape (S, B, C, H, W).
        normals: Normal numbers, with shape (S, B, 2), x first.

    Returns:
        Images of the same shape.

    Examples:
        >>> image = torch.arange(1.0, 65.0).view(1, 1, 1, 8, 8)
        >>> translate(image, torch.tensor([[[9.0, 0.0]]]))[0, 0, 0, 0]
        tensor([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    shift_x, shift_y = (2 * to_uniform(normals) - 1).unbind(-1)
    height, width = images.shape[-2:]
    rows, columns = _shift_matrix(shift_y, height, images), _shift_matrix(shift_x, width, images)
    return rows @ images @ columns.mT


def _shift_matrix(share: Tensor, size: int, like: Tensor) -> Tensor:
    """Return matrices (S, B, 1, size, size) that shift a line by a share of the maximum."""
    max_shift = int(size * MAX_SHIFT + 0.5)
    # Each of the whole numbers from -max_shift to max_shift is equally likely.
    shift = (share * (max_shift + 0.5)).round().clamp(-max_shift, max_shift)
    index = torch.arange(size, device=like.device)
    is_source = index[:, None] - index == shift[..., None, None]
    return is_source.to(like.dtype).unsqueeze(2)
