"""The networks of R3GAN: residual blocks of grouped convolutions, without normalisation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from iidgan.core import cites
from iidgan.core.references import R3GAN
from iidgan.errors import InputError
from iidgan.nn.backbones.image import (
    ConvTrunk,
    DenseHead,
    FeatureShape,
    ImageBackbone,
    ImageSize,
    choose_weight,
    list_halved_sizes,
)
from iidgan.nn.init import he_normal
from iidgan.nn.layers.conv import Conv2d, Dense, group_seeds, ungroup_seeds
from iidgan.nn.layers.resample import downsample, upsample
from iidgan.nn.layers.weight import Weight, WeightFactory

NEGATIVE_SLOPE = 0.2
GROUP_SIZE = 16  # channels of a group, or the largest power of two below that divides them
linear_init = partial(he_normal, gain=math.sqrt(0.5))  # for layers without an activation after
hidden_init = partial(he_normal, negative_slope=NEGATIVE_SLOPE)


class InvertedBottleneck(nn.Module):
    """Residual block x + conv(a(conv(a(conv(x))))) with kernels of 1, 3 and 1; grouped layout.

    The convolution of kernel 3 has more channels than the block, in groups of 16; a is a LeakyReLU
    of slope 0.2. Fixup initialisation: with L blocks in the network, the first two convolutions
    are L^(-1/4) times as large as otherwise, and the last one is zero, so that the block is the
    identity.

    Arguments:
        channels: Number of channels.
        expansion: Number of channels inside, as a multiple.
        num_blocks: Number L of blocks of the network.
        make_weight: Wraps the weights, `Weight` or `SpectralWeight`.

    References:
        Fixup Initialization: Residual Learning Without Normalization (Zhang, Dauphin and Ma,
        2019), https://arxiv.org/abs/1901.09321
    """

    def __init__(
        self,
        channels: int,
        *,
        expansion: int,
        num_blocks: int,
        make_weight: WeightFactory = Weight,
    ) -> None:
        super().__init__()
        hidden = expansion * channels
        conv = partial(
            Conv2d, make_weight=make_weight, init=partial(hidden_init, gain=num_blocks**-0.25)
        )
        groups = hidden // math.gcd(hidden, GROUP_SIZE)
        # A weight of zero has no direction that spectral normalisation could keep.
        last_init = _zeros if make_weight is Weight else linear_init
        self.convs = nn.ModuleList(
            [
                conv(channels, hidden, 1),
                conv(hidden, hidden, 3, padding=1, groups=groups),
                Conv2d(hidden, channels, 1, bias=False, make_weight=make_weight, init=last_init),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        first_conv, second_conv, last_conv = self.convs
        hidden = leaky_relu(first_conv(x), NEGATIVE_SLOPE)
        hidden = leaky_relu(second_conv(hidden), NEGATIVE_SLOPE)
        output: Tensor = x + last_conv(hidden)
        return output


def _zeros(*shape: int) -> Tensor:
    return torch.zeros(shape)


class Resample(nn.Module):
    """Halve or double the sides bilinearly, and change the number of channels; grouped layout.

    Arguments:
        in_channels: Number of input channels.
        out_channels: Number of output channels; without a convolution if they are as many.
        up: Whether the sides are doubled rather than halved.
        make_weight: Wraps the weight, `Weight` or `SpectralWeight`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, up: bool, make_weight: WeightFactory = Weight
    ) -> None:
        super().__init__()
        self.up = up
        self.conv = (
            nn.Identity()
            if in_channels == out_channels
            else _linear_conv(in_channels, out_channels, make_weight)
        )

    def forward(self, x: Tensor) -> Tensor:
        # A convolution of kernel 1 commutes with resampling; it reads the smaller image.
        resampled: Tensor = upsample(self.conv(x)) if self.up else self.conv(downsample(x))
        return resampled


def _linear_conv(
    in_channels: int, out_channels: int, make_weight: WeightFactory = Weight
) -> Conv2d:
    """Create a convolution of kernel 1 that no activation follows."""
    return Conv2d(
        in_channels, out_channels, 1, bias=False, make_weight=make_weight, init=linear_init
    )


class GenerativeBasis(nn.Module):
    """Map latents of one pixel to small images, z -> (A z) * basis, in grouped layout.

    Arguments:
        latent: Dimension M of latents.
        channels: Number of channels.
        size: Height and width of the learned images.
    """

    def __init__(self, latent: int, channels: int, size: ImageSize) -> None:
        super().__init__()
        self.linear = Dense(latent, channels, bias=False, init=linear_init)
        self.basis = nn.Parameter(torch.randn(1, channels, *size))

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.linear(z) * self.basis.flatten(0, 1)
        return images


class DiscriminativeBasis(nn.Module):
    """Sum the pixels of each channel with learned weights, (B, S * C, H, W) -> (B, S * C, 1, 1).

    Arguments:
        channels: Number of channels.
        size: Height and width of the images.
        make_weight: Wraps the weight, `Weight` or `SpectralWeight`.
    """

    def __init__(self, channels: int, size: ImageSize, make_weight: WeightFactory) -> None:
        super().__init__()
        self.weight = make_weight(linear_init(1, channels, *size))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight().flatten(0, 1)).sum((2, 3), keepdim=True)


class LinearToImage(nn.Module):
    """Last layer of the generator: features to pixels, clamped to [-1, 1] in evaluation mode.

    Arguments:
        in_channels: Number of channels of the features.
        image_channels: Number of channels of images.
    """

    def __init__(self, in_channels: int, image_channels: int) -> None:
        super().__init__()
        self.conv = _linear_conv(in_channels, image_channels)

    def forward(self, hidden: Tensor) -> Tensor:
        images = ungroup_seeds(self.conv(group_seeds(hidden)), len(hidden))
        return images if self.training else images.clamp(-1, 1)


class ResidualGenerator(nn.Module):
    """Map latents (S, B, M) to images (S, B, C, H, W).

    Arguments:
        layers: Layers in grouped layout, applied to latents of one pixel.
        head: Maps features to images.
    """

    def __init__(self, layers: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.layers, self.head = layers, head

    def features(self, z: Tensor) -> Tensor:
        """Compute the input of the last layer, (S, B, C', H, W)."""
        return ungroup_seeds(self.layers(group_seeds(z[..., None, None])), len(z))

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.head(self.features(z))
        return images


@cites(R3GAN)
@dataclass(frozen=True, kw_only=True)
class R3GANNet(ImageBackbone):
    """R3GAN's networks: residual blocks at each size, the same in G and D.

    The sides are halved until the smaller one is 4, 5, 6 or 7, as in `StyleGAN2`: 32, 16, 8, 4;
    28, 14, 7. At each size there are blocks with kernels of 1, 3 and 1, of which the second is
    grouped and has more channels. Nothing is normalised: Fixup initialisation makes each block
    the identity at the start. Sides are halved and doubled bilinearly.

    | G | D, F |
    |---|---|
    | learned basis of the smallest size, times a linear map of z | convolution of kernel 1 |
    | blocks; doubled, blocks; ... | blocks, halved; ...; blocks |
    | convolution of kernel 1 | learned sum over the pixels of each channel, linear layer |

    The inverse is D with M outputs. As in the paper images are not bounded in training; in
    sampling they are clamped to [-1, 1]. Its networks for 256 pixels are `width=96`, and for
    CIFAR-10 and stacked digits `width=768`.

    Choices of this library, where the text leaves them open: biases before activations alone;
    resampling by the filter [1, 3, 3, 1], which is bilinear inside images; smaller groups where 16
    does not divide the channels; no zeros in blocks with spectral normalisation.

    References:
        The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang, Gokaslan, Kuleshov and
        Tompkin, 2024), https://arxiv.org/abs/2501.05441, section 4

    Examples:
        >>> import torch
        >>> from iidgan import R3GANNet
        >>> backbone = R3GANNet(latent=8, width=4)
        >>> images = backbone.build_generator((3, 28, 28))(torch.randn(1, 2, 8))
        >>> images.shape, backbone.build_inverse((3, 28, 28))(images).shape
        (torch.Size([1, 2, 3, 28, 28]), torch.Size([1, 2, 8]))
    """

    latent: int = 64
    """Dimension M of the prior."""
    width: int = 96
    """Number of channels of the layers next to the image; doubled where the sides are halved."""
    max_width: int = 768
    """Largest number of channels."""
    blocks: int = 2
    """Number of blocks of each size."""
    expansion: int = 2
    """Channels of the grouped convolution, as a multiple of those of its block."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_width", "blocks", "expansion"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: must be >= 1, got {getattr(self, name)}")

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        sizes = list_halved_sizes(shape, "r3gan")[::-1]
        channels = self._list_channels(sizes)[::-1]
        layers: list[nn.Module] = [GenerativeBasis(self.latent, channels[0], sizes[0])]
        for stage, num_channels in enumerate(channels):
            if stage:
                layers.append(Resample(channels[stage - 1], num_channels, up=True))
            layers += self._build_blocks(num_channels, len(channels), Weight)
        return ResidualGenerator(nn.Sequential(*layers), LinearToImage(channels[-1], shape[0]))

    def _build_trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        sizes, make_weight = list_halved_sizes(shape, "r3gan"), choose_weight(spectral)
        channels = self._list_channels(sizes)
        layers: list[nn.Module] = [_linear_conv(shape[0], channels[0], make_weight)]
        for stage, num_channels in enumerate(channels):
            if stage:
                resample = partial(Resample, up=False, make_weight=make_weight)
                layers.append(resample(channels[stage - 1], num_channels))
            layers += self._build_blocks(num_channels, len(channels), make_weight)
        return ConvTrunk(*layers, DiscriminativeBasis(channels[-1], sizes[-1], make_weight))

    def _build_blocks(
        self, channels: int, num_stages: int, make_weight: WeightFactory
    ) -> list[nn.Module]:
        """Build the blocks of one size."""
        return [
            InvertedBottleneck(
                channels,
                expansion=self.expansion,
                num_blocks=self.blocks * num_stages,
                make_weight=make_weight,
            )
            for _ in range(self.blocks)
        ]

    def _build_output_layer(
        self, feature_shape: FeatureShape, num_outputs: int, *, spectral: bool
    ) -> nn.Module:
        make_weight = choose_weight(spectral)
        return DenseHead(feature_shape, num_outputs, make_weight=make_weight, init=linear_init)

    def _feature_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        return self._list_channels(list_halved_sizes(shape, "r3gan"))[-1], 1, 1

    def _list_channels(self, sizes: list[ImageSize]) -> list[int]:
        return [min(self.width * 2**stage, self.max_width) for stage in range(len(sizes))]
