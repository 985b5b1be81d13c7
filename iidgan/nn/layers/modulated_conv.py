"""Convolutions whose input channels are scaled by the style of each sample."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from iidgan.nn.layers.linear import EqualisedLinear
from iidgan.nn.layers.resample import UPSAMPLING_GAIN, blur
from iidgan.nn.layers.weight import EqualisedWeight

EPSILON = 1e-8


class ModulatedConv2d(nn.Module):
    """Modulated convolution in grouped layout: each sample has a weight of its own.

        w'_oik = s_i w_oik,    w''_oik = w'_oik / sqrt(sum_ik w'_oik² + ε)

    with one scale s_i per input channel, an affine function of the sample's style, and a weight w
    of equalised learning rate. The division, which restores unit variance, is the demodulation.
    Scaling the input channels by s and the output channels by one over the root computes the same
    as the weights w'' of all samples, without storing these.

    Arguments:
        in_channels: Number of input channels of one seed.
        out_channels: Number of output channels of one seed.
        style_dim: Dimension of styles.
        kernel_size: Odd side of the kernel; zeros around the image keep its sides.
        upsample: Whether the sides are doubled before, with the filter [1, 3, 3, 1].
        demodulate: Whether weights are divided by their norms.

    References:
        Analyzing and Improving the Image Quality of StyleGAN (Karras, Laine, Aittala, Hellsten,
        Lehtinen and Aila, 2020), https://arxiv.org/abs/1912.04958, section 2.2

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.modulated_conv import ModulatedConv2d
        >>> conv = ModulatedConv2d(4, 8, style_dim=16, upsample=True)
        >>> styles = torch.zeros(1, 5, 16)  # five samples of one seed
        >>> conv(torch.zeros(5, 4, 7, 7), styles).shape
        torch.Size([5, 8, 14, 14])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        style_dim: int,
        kernel_size: int = 3,
        upsample: bool = False,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.affine = EqualisedLinear(style_dim, in_channels, bias=1.0)
        self.weight = EqualisedWeight(
            torch.randn(1, out_channels, in_channels, kernel_size, kernel_size)
        )
        self.upsample, self.demodulate = upsample, demodulate

    def forward(self, x: Tensor, styles: Tensor) -> Tensor:
        """Convolve images (B, S * in, H, W), given styles (S, B, style_dim)."""
        scales, weight = self.affine(styles), self.weight()
        x = self._convolve(x * to_channels(scales), weight)
        if not self.demodulate:
            return x
        squared_norms = scales.square() @ weight.square().sum((3, 4)).mT
        return x * to_channels((squared_norms + EPSILON).rsqrt())

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        num_seeds, margin = len(weight), weight.shape[-1] // 2
        if not self.upsample:
            return functional.conv2d(x, weight.flatten(0, 1), padding=margin, groups=num_seeds)
        # Convolving before the filter takes a quarter of the products, and commutes with it.
        kernel = (UPSAMPLING_GAIN * weight).transpose(1, 2).flip(3, 4).flatten(0, 1)
        x = functional.conv_transpose2d(x, kernel, stride=2, groups=num_seeds)
        return blur(x, padding=2 - margin)


def to_channels(values: Tensor) -> Tensor:
    """Convert values per channel to grouped layout: (S, B, C) -> (B, S * C, 1, 1).

    Arguments:
        values: One number for each sample and channel.
    """
    return values.transpose(0, 1).flatten(1)[..., None, None]
