"""Resampling of images with the binomial filter [1, 3, 3, 1], which avoids aliasing.

The filter is applied along both sides by a convolution of each channel. Beyond the image there are
zeros.

References:
    * Making Convolutional Networks Shift-Invariant Again (Zhang, 2019),
      https://arxiv.org/abs/1904.11486
    * Analyzing and Improving the Image Quality of StyleGAN (Karras, Laine, Aittala, Hellsten,
      Lehtinen and Aila, 2020), https://arxiv.org/abs/1912.04958, appendix B
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d

UPSAMPLING_GAIN = 4  # zeros between pixels leave a quarter of the mean


def blur(x: Tensor, padding: int) -> Tensor:
    """Apply the filter, of sum 1: (B, C, H, W) -> (B, C, H + 2 p - 3, W + 2 p - 3).

    Arguments:
        x: Images.
        padding: Number p of zeros around the image, on each side.

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.resample import blur
        >>> 64 * blur(torch.ones(1, 1, 1, 1), padding=3)[0, 0]  # of a single pixel
        tensor([[1., 3., 3., 1.],
                [3., 9., 9., 3.],
                [3., 9., 9., 3.],
                [1., 3., 3., 1.]])
    """
    return conv2d(x, _kernels_like(x), padding=padding, groups=x.shape[1])


def downsample(x: Tensor) -> Tensor:
    """Filter images and keep every second pixel: (B, C, 2 H, 2 W) -> (B, C, H, W).

    Arguments:
        x: Images.

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.resample import downsample
        >>> downsample(torch.ones(1, 1, 6, 6))[0, 0, 1]  # zeros around the image darken its edge
        tensor([0.8750, 1.0000, 0.8750])
    """
    return conv2d(x, _kernels_like(x), stride=2, padding=1, groups=x.shape[1])


def upsample(x: Tensor) -> Tensor:
    """Put zeros between pixels and filter four times the image: (B, C, H, W) -> (B, C, 2 H, 2 W).

    Arguments:
        x: Images.

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.resample import upsample
        >>> upsample(torch.tensor([[[[0.0, 16.0, 16.0]]]]).expand(1, 1, 3, 3))[0, 0, 2]
        tensor([ 0.,  4., 12., 16., 16., 12.])
    """
    kernels = UPSAMPLING_GAIN * _kernels_like(x)
    return conv_transpose2d(x, kernels, stride=2, padding=1, groups=x.shape[1])


def _kernels_like(x: Tensor) -> Tensor:
    """Return the filter of sum 1 for each channel of images, (C, 1, 4, 4)."""
    row = torch.tensor([1, 3, 3, 1], dtype=x.dtype, device=x.device) / 8
    return torch.outer(row, row).expand(x.shape[1], 1, 4, 4)
