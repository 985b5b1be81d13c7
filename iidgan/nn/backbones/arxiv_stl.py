"""The residual networks of IID-GAN's first version, and of InvertGAN, for STL-10 at 32 pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from iidgan.core import cites
from iidgan.nn.backbones.image import (
    ConvTrunk,
    DenseHead,
    Encoder,
    FeatureShape,
    Generator,
    ImageBackbone,
    ImageJointDiscriminator,
    ImageSize,
    Reshape,
    check_image_size,
    choose_weight,
    halve_size,
)
from iidgan.nn.init import fan_in_uniform
from iidgan.nn.layers.conv import Conv2d, Dense
from iidgan.nn.layers.weight import Weight, WeightFactory
from iidgan.nn.references import IID_GAN_2021

NEGATIVE_SLOPE = 0.2
RESIDUAL_SCALE = 0.1  # factor on the residual branch of a block
PENULTIMATE_WIDTH = 10  # units of D's last hidden layer


class ResidualBlock(nn.Module):
    """Residual block in grouped layout, which keeps the sides.

    Arguments:
        in_channels: Number of input channels.
        out_channels: Number of output channels.
        make_weight: Wraps the weights, `Weight` or `SpectralWeight`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, make_weight: WeightFactory = Weight
    ) -> None:
        super().__init__()
        conv = partial(Conv2d, make_weight=make_weight, init=fan_in_uniform)
        hidden_channels = min(in_channels, out_channels)
        self.convs = nn.ModuleList(
            [
                conv(in_channels, hidden_channels, 3, padding=1),
                conv(hidden_channels, out_channels, 3, padding=1),
            ]
        )
        self.shortcut = (
            nn.Identity()
            if in_channels == out_channels
            else conv(in_channels, out_channels, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        hidden = x
        for conv in self.convs:
            hidden = conv(leaky_relu(hidden, NEGATIVE_SLOPE))
        output: Tensor = self.shortcut(x) + RESIDUAL_SCALE * hidden
        return output


@cites(IID_GAN_2021)
@dataclass(frozen=True, kw_only=True)
class ArxivSTL(ImageBackbone):
    """The residual networks of IID-GAN's first version for STL-10; without normalisation.

    | G | side | F | side | D | side |
    |---|---|---|---|---|---|
    | linear 8192 | 4 | convolution 64 | 32 | convolution 64 | 32 |
    | block 256, doubled | 4 | block 64, halved | 32 | block 64, halved | 32 |
    | block 128, doubled | 8 | block 128, halved | 16 | block 128, halved | 16 |
    | block 64, doubled | 16 | block 256, halved | 8 | block 256 | 8 |
    | block 64 | 32 | block 512 | 4 | linear 10 | |
    | convolution 3, tanh | 32 | linear 20 | | linear 1 | |

    Layer by layer, up to D's linear 10, these are the networks of Mescheder et al., from which
    choices that the tables leave open are taken: a block is x + 0.1 conv(a(conv(a(x)))) with a
    LeakyReLU a of slope 0.2 and as many channels inside as at its narrower end; its shortcut is a
    convolution of kernel 1 without bias where the number of channels changes; a is applied once
    more before the last layer. There is no batch normalisation. D's two linear layers are
    separated by a as well, as they would otherwise be one. A joint discriminator reads the output
    of D's blocks, not the ten units.

    References:
        * IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Shi, Li and Yan,
          2021), https://arxiv.org/abs/2106.00563v1, Tables 12, 13 and 14; InvertGAN, Tables 3 and
          4
        * Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin,
          2018), https://arxiv.org/abs/1801.04406, https://github.com/LMescheder/GAN_stability

    Examples:
        >>> import torch
        >>> from iidgan import ArxivSTL
        >>> backbone = ArxivSTL(width=2)
        >>> D = backbone.build_discriminator((3, 32, 32))
        >>> D.features(torch.zeros(1, 2, 3, 32, 32)).shape  # ten units
        torch.Size([1, 2, 10, 1, 1])
    """

    latent: int = 20
    """Dimension M of the prior."""
    width: int = 64
    """Number of channels of the layers next to the image; doubled where the sides are halved."""

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        inner_size, n = halve_size(self._check_size(shape), 3), self.width
        upsample = partial(nn.Upsample, scale_factor=2)
        body = nn.Sequential(
            Dense(self.latent, 8 * n * math.prod(inner_size), init=fan_in_uniform),
            Reshape(inner_size),
            *(ResidualBlock(8 * n, 4 * n), upsample()),
            *(ResidualBlock(4 * n, 2 * n), upsample()),
            *(ResidualBlock(2 * n, n), upsample()),
            *(ResidualBlock(n, n), nn.LeakyReLU(NEGATIVE_SLOPE)),
        )
        return Generator(body, Conv2d(n, shape[0], 3, padding=1, init=fan_in_uniform))

    def build_inverse(self, shape: tuple[int, ...]) -> nn.Module:
        trunk = ConvTrunk(*self._build_layers(shape, 4))
        feature_shape = 8 * self.width, *halve_size(self._check_size(shape), 3)
        return Encoder(trunk, DenseHead(feature_shape, self.latent, init=fan_in_uniform))

    def build_joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        trunk = ConvTrunk(*self._build_layers(shape, 3))
        return ImageJointDiscriminator(trunk, self._block_output_shape(shape), self.latent)

    def _build_trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        make_weight = choose_weight(spectral)
        penultimate_layer = Dense(
            math.prod(self._block_output_shape(shape)),
            PENULTIMATE_WIDTH,
            make_weight=make_weight,
            init=fan_in_uniform,
        )
        return ConvTrunk(
            *self._build_layers(shape, 3, make_weight=make_weight),
            penultimate_layer,
            nn.LeakyReLU(NEGATIVE_SLOPE),
        )

    def _build_output_layer(
        self, feature_shape: FeatureShape, num_outputs: int, *, spectral: bool
    ) -> nn.Module:
        make_weight = choose_weight(spectral)
        return DenseHead(feature_shape, num_outputs, make_weight=make_weight, init=fan_in_uniform)

    def _feature_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        self._check_size(shape)
        return PENULTIMATE_WIDTH, 1, 1

    def _block_output_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        """Return the shape of the output of D's blocks."""
        return 4 * self.width, *halve_size(self._check_size(shape), 2)

    def _build_layers(
        self, shape: tuple[int, ...], num_blocks: int, *, make_weight: WeightFactory = Weight
    ) -> list[nn.Module]:
        """Build the first layers of D and F: a convolution, then blocks with pooling between."""
        n = self.width
        conv = Conv2d(shape[0], n, 3, padding=1, make_weight=make_weight, init=fan_in_uniform)
        layers: list[nn.Module] = [conv, ResidualBlock(n, n, make_weight=make_weight)]
        for stage in range(num_blocks - 1):
            channels = n * 2**stage
            layers += [
                nn.AvgPool2d(3, 2, 1),
                ResidualBlock(channels, 2 * channels, make_weight=make_weight),
            ]
        return [*layers, nn.LeakyReLU(NEGATIVE_SLOPE)]

    @staticmethod
    def _check_size(shape: tuple[int, ...]) -> ImageSize:
        return check_image_size(shape, "arxiv-stl", multiple_of=8)
