"""Resampling with the filter [1, 3, 3, 1]."""

import pytest
import torch
from torch.nn.functional import conv2d, pad

from iidgan.nn.layers.resample import blur, downsample, upsample


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


def filter_images(x, *padding):
    """Convolve every channel with the filter, whose sum is 1."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    kernel = torch.outer(taps, taps).expand(x.shape[1], 1, 4, 4)
    return conv2d(pad(x, padding), kernel, groups=x.shape[1])


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_blur_convolves_with_the_filter(padding):
    x = torch.randn(2, 3, 6, 8)
    torch.testing.assert_close(blur(x, padding), filter_images(x, *[padding] * 4))


def test_downsample_keeps_every_second_pixel_of_the_filtered_image():
    x = torch.randn(2, 3, 6, 8)
    torch.testing.assert_close(downsample(x), filter_images(x, 1, 1, 1, 1)[..., ::2, ::2])


def test_upsample_filters_zeros_between_pixels():
    x = torch.randn(2, 3, 3, 4)
    with_zeros = torch.zeros(2, 3, 6, 8)
    with_zeros[..., ::2, ::2] = x
    torch.testing.assert_close(upsample(x), 4 * filter_images(with_zeros, 2, 1, 2, 1))


def test_resampling_keeps_constants_inside():
    x = torch.ones(1, 1, 8, 8)
    for resampled in (upsample(x), downsample(x)):
        inside = resampled[..., 1:-1, 1:-1]
        torch.testing.assert_close(inside, torch.ones_like(inside))
