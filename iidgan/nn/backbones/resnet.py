"""The residual networks of SNGAN, at 32, 48 and 64 pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import sqrt

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from iidgan.core import cites
from iidgan.core.references import SNGAN
from iidgan.nn.backbones.image import (
    ConvTrunk,
    DenseHead,
    FeatureShape,
    Generator,
    ImageBackbone,
    Reshape,
    choose_weight,
    halve_size,
    image_size_error,
)
from iidgan.nn.init import xavier_uniform
from iidgan.nn.layers.conv import BatchNorm, Conv2d, Dense
from iidgan.nn.layers.weight import WeightFactory

RESIDUAL_INIT = partial(xavier_uniform, gain=sqrt(2))  # for layers that follow a ReLU


class UpsamplingBlock(nn.Module):
    """Block that doubles the sides: x + conv(relu(bn(conv(up(relu(bn(x))))))), in grouped layout.

    Arguments:
        in_channels: Number of input channels.
        out_channels: Number of output channels.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([BatchNorm(in_channels), BatchNorm(out_channels)])
        self.convs = nn.ModuleList(
            Conv2d(channels, out_channels, 3, padding=1, bias=False, init=RESIDUAL_INIT)
            for channels in (in_channels, out_channels)
        )
        self.shortcut = Conv2d(in_channels, out_channels, 1, bias=False, init=xavier_uniform)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.convs[0](upsample_nearest(relu(self.norms[0](x))))
        hidden = self.convs[1](relu(self.norms[1](hidden)))
        # A convolution of kernel 1 commutes with upsampling, and is cheaper before it.
        return hidden + upsample_nearest(self.shortcut(x))


def upsample_nearest(x: Tensor) -> Tensor:
    """Repeat every pixel in a 2 x 2 square: (B, C, H, W) -> (B, C, 2 H, 2 W)."""
    return interpolate(x, scale_factor=2)


class DownsamplingBlock(nn.Module):
    """Block that can halve the sides: x + conv(relu(conv(relu(x)))), in grouped layout.

    Arguments:
        in_channels: Number of input channels.
        out_channels: Number of output channels.
        downsample: Whether to apply 2 x 2 average pooling.
        is_first: Whether the block reads images; the first ReLU is then left out.
        make_weight: Wraps the weights, `Weight` or `SpectralWeight`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        downsample: bool,
        is_first: bool,
        make_weight: WeightFactory,
    ) -> None:
        super().__init__()
        self.downsample, self.is_first = downsample, is_first
        conv = partial(
            Conv2d, kernel_size=3, padding=1, make_weight=make_weight, init=RESIDUAL_INIT
        )
        hidden_channels = out_channels if is_first else in_channels
        self.convs = nn.ModuleList(
            [conv(in_channels, hidden_channels), conv(hidden_channels, out_channels)]
        )
        is_same_size = in_channels == out_channels and not downsample
        self.shortcut = (
            nn.Identity()
            if is_same_size
            else Conv2d(in_channels, out_channels, 1, make_weight=make_weight, init=xavier_uniform)
        )

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.convs[0](x if self.is_first else relu(x))
        hidden = self.convs[1](relu(hidden))
        if self.downsample:
            hidden, x = avg_pool2d(hidden, 2), avg_pool2d(x, 2)
        output: Tensor = hidden + self.shortcut(x)
        return output


class ReLUSumPool(nn.Module):
    """ReLU and sum over the pixels: (B, S * C, H, W) to (B, S * C, 1, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return relu(x).sum((2, 3), keepdim=True)


@dataclass(frozen=True)
class StageLayout:
    """The blocks for images of one size; channels are multiples of the width.

    Arguments:
        G_widths: Channels of the linear layer of G, then of its blocks.
        D_widths: Channels of the blocks of D.
        num_downsampling: Number of blocks of D, from the first on, that halve the sides.
    """

    G_widths: tuple[int, ...]
    D_widths: tuple[int, ...]
    num_downsampling: int

    @property
    def num_upsampling(self) -> int:
        """Number of blocks of G, all of which double the sides."""
        return len(self.G_widths) - 1

    @property
    def divisor(self) -> int:
        """Number that divides the sides of images, for which no pixels are cut."""
        return 2 ** max(self.num_upsampling, self.num_downsampling)


STAGE_LAYOUTS = {
    32: StageLayout(G_widths=(4, 4, 4, 4), D_widths=(2, 2, 2, 2), num_downsampling=2),
    48: StageLayout(G_widths=(8, 4, 2, 1), D_widths=(1, 2, 4, 8, 16), num_downsampling=4),
    64: StageLayout(G_widths=(16, 8, 4, 2, 1), D_widths=(1, 2, 4, 8, 16), num_downsampling=5),
}

"""Layouts by the smaller side of the images, in pixels."""


@cites(SNGAN)
@dataclass(frozen=True, kw_only=True)
class ResNet(ImageBackbone):
    """SNGAN's residual networks for 32, 48 and 64 pixels; no batch norm in D and F.

    Of images that are not square, the smaller side decides; the other one must be a multiple of 8,
    16 or 32 pixels, as all feature maps have the same shape as the images.

    G is a linear layer, blocks that double the sides, BN, ReLU, a convolution of kernel 3, tanh. D
    is blocks of which some halve the sides (two of four at 32 pixels, four of five at 48), ReLU, a
    sum over the pixels, a linear layer. The inverse is D with M outputs.

    | pixels | G's linear layer and blocks | D's blocks |
    |---|---|---|
    | 32 | 4 x 4 x 256; 256, 256, 256 | 128, 128, 128, 128 |
    | 48 | 6 x 6 x 512; 256, 128, 64 | 64, 128, 256, 512, 1024 |
    | 64 | 4 x 4 x 1024; 512, 256, 128, 64 | 64, 128, 256, 512, 1024 |

    Sides are doubled by nearest-neighbour upsampling and halved by 2 x 2 average pooling. On a
    shortcut, pooling comes before the convolution of kernel 1 rather than after it: the same map
    at lower cost. The authors' blocks of G have biases, which the batch normalisation that follows
    cancels; here they have none. Their D's last linear layer has no bias at 32 pixels; here it
    always has one.

    References:
        * Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018),
          https://arxiv.org/abs/1802.05957, appendix B.4
        * https://github.com/pfnet-research/sngan_projection for 64 pixels

    Examples:
        >>> import torch
        >>> from iidgan import ResNet
        >>> G = ResNet(latent=10, width=2).build_generator((3, 48, 48))
        >>> G(torch.zeros(1, 2, 10)).shape
        torch.Size([1, 2, 3, 48, 48])
    """

    latent: int = 128
    """Dimension M of the prior."""
    width: int = 64
    """Channels next to the image at 48 and 64 pixels; at 32, 4 times as many in G, twice in D."""
    spectral_norm: bool = True
    """Spectral normalisation in D and F, but not in F's last layer, as codes need variance 1."""

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        layout = self._stage_layout(shape)
        channels = [self.width * factor for factor in layout.G_widths]
        inner_size = halve_size((shape[1], shape[2]), layout.num_upsampling)
        body = nn.Sequential(
            Dense(self.latent, channels[0] * math.prod(inner_size), init=xavier_uniform),
            Reshape(inner_size),
            *(UpsamplingBlock(*pair) for pair in pairwise(channels)),
            BatchNorm(channels[-1]),
            nn.ReLU(),
        )
        return Generator(body, Conv2d(channels[-1], shape[0], 3, padding=1, init=xavier_uniform))

    def _build_trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        layout = self._stage_layout(shape)
        channels = [shape[0], *(self.width * factor for factor in layout.D_widths)]
        make_weight = choose_weight(spectral or self.spectral_norm)
        blocks = (
            DownsamplingBlock(
                *pair,
                downsample=i < layout.num_downsampling,
                is_first=i == 0,
                make_weight=make_weight,
            )
            for i, pair in enumerate(pairwise(channels))
        )
        return ConvTrunk(*blocks, ReLUSumPool())

    def _build_output_layer(
        self, feature_shape: FeatureShape, num_outputs: int, *, spectral: bool
    ) -> nn.Module:
        make_weight = choose_weight(spectral)
        return DenseHead(feature_shape, num_outputs, make_weight=make_weight, init=xavier_uniform)

    def _feature_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        return self.width * self._stage_layout(shape).D_widths[-1], 1, 1

    @staticmethod
    def _stage_layout(shape: tuple[int, ...]) -> StageLayout:
        sides = shape[1:] if len(shape) == 3 else (0, 0)
        layout = STAGE_LAYOUTS.get(min(sides))
        if layout is None or max(sides) % layout.divisor:
            small = " or ".join(map(str, STAGE_LAYOUTS))
            large = " or ".join(str(layout.divisor) for layout in STAGE_LAYOUTS.values())
            raise image_size_error(
                shape,
                "resnet",
                f"whose smaller side is {small} pixels, and the other a multiple of {large}",
            )
        return layout
