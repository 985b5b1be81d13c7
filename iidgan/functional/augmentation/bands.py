"""Filters of images in four bands of frequencies, each of which is amplified or damped."""

from __future__ import annotations

import torch
from torch import Tensor

from iidgan.functional.augmentation.draws import is_applied
from iidgan.functional.augmentation.interpolation import convolution_matrix

NUM_BANDS = 4
LOWPASS_TAPS = {-3: -1 / 32, -1: 9 / 32, 0: 16 / 32, 1: 9 / 32, 3: -1 / 32}
"""A symmetric filter that halves the band: the autocorrelation of a wavelet with four taps."""


def band_matrices(size: int, like: Tensor) -> Tensor:
    """Return the filters of the four bands of a line of pixels, which sum to the identity.

    The bands are about [0, π/8], [π/8, π/4], [π/4, π/2] and [π/2, π]. With the low-pass L, and its
    taps twice and four times as far apart in L₂ and L₄, they are

        L L₂ L₄, L L₂ (I - L₄), L (I - L₂), I - L

    Arguments:
        size: Number of pixels of the line.
        like: A tensor of the dtype and device of the result.

    Returns:
        Matrices, with shape (4, size, size), from low to high frequencies.
    """
    rest = torch.eye(size, dtype=like.dtype, device=like.device)
    bands = []
    for spacing in (1, 2, 4):
        taps = {spacing * distance: weight for distance, weight in LOWPASS_TAPS.items()}
        low = rest @ convolution_matrix(taps, size, like)
        bands.append(rest - low)
        rest = low
    return torch.stack([rest, *reversed(bands)])


def draw_gains(normals: Tensor, p: Tensor) -> Tensor:
    """Draw the gain of each band.

    Each band is chosen with probability p, and then has 2^n times the gain of the others, with
    n ~ N(0, 1). The four gains keep the power of images in whose spectrum the bands count
    10 : 1 : 1 : 1, as in natural ones.

    Arguments:
        normals: Normal numbers, with shape (S, B, 8): choices first.
        p: Strength of each seed, with shape (S,).

    Returns:
        Gains, with shape (S, B, 4).
    """
    choices, exponents = normals.split(NUM_BANDS, -1)
    chosen = is_applied(choices, p)
    band = torch.arange(NUM_BANDS, device=normals.device)
    power_share = (1 + 9 * (band == 0)) / 13  # of natural images
    factor = torch.exp2(exponents)
    scale = (1 + power_share * (factor.square() - 1)).rsqrt()
    is_own = band[:, None] == band  # the row is the chosen band, the column the one that changes
    gains = torch.where(is_own, factor[..., None], 1.0) * scale[..., None]
    return torch.where(chosen[..., None], gains, 1.0).prod(-2)


def filter_bands(images: Tensor, gains: Tensor) -> Tensor:
    """Multiply the bands of images by gains, along rows and along columns.

    Arguments:
        images: Images, with shape (S, B, C, H, W).
        gains: Gains, with shape (S, B, 4).

    Returns:
        Images of the same shape.
    """
    height, width = images.shape[-2:]

    def mix(size: int) -> Tensor:
        weights = gains[..., None, None] * band_matrices(size, images)
        return weights.sum(2).unsqueeze(2)

    return mix(height) @ images @ mix(width).mT
