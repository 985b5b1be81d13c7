"""DCGAN for small images, of 28, 32, 48, 64, ... pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import nn

from iidgan.core import Reference, cites
from iidgan.nn.backbones.image import (
    DCGAN_MIN_SIDE,
    NORMS,
    ConvTrunk,
    FeatureShape,
    Generator,
    ImageBackbone,
    ImageSize,
    Norm,
    check_image_size,
    choose_weight,
    halve_size,
)
from iidgan.nn.layers.conv import BatchNorm, Conv2d, ConvTranspose2d

PAPER = Reference(
    title="Unsupervised Representation Learning with Deep Convolutional Generative Adversarial "
    "Networks",
    authors="Alec Radford, Luke Metz and Soumith Chintala",
    year=2015,
    url="https://arxiv.org/abs/1511.06434",
)


def upsampling_convs(sizes: list[ImageSize], channels: list[int]) -> list[ConvTranspose2d]:
    """Build transposed convolutions through feature maps of the given sizes and channels.

    All kernels are 4 with stride 2; only the last convolution, which no normalisation follows, has
    a bias.

    Arguments:
        sizes: Height and width of the feature maps, each at least twice the one before.
        channels: Numbers of channels of the feature maps.
    """
    stages = range(len(sizes) - 1)
    return [
        ConvTranspose2d(
            channels[stage],
            channels[stage + 1],
            4,
            stride=2,
            padding=1,
            output_padding=_missing_pixels(sizes[stage], sizes[stage + 1]),
            bias=stage == stages[-1],
        )
        for stage in stages
    ]


def _missing_pixels(size: ImageSize, next_size: ImageSize) -> ImageSize:
    """Return what doubled sides lack."""
    return next_size[0] - 2 * size[0], next_size[1] - 2 * size[1]


def build_dcgan_generator(latent: int, sizes: list[ImageSize], channels: list[int]) -> Generator:
    """Build a generator with batch-normalised feature maps of the given sizes and channels.

    Arguments:
        latent: Dimension M of the prior.
        sizes: Height and width of the feature maps, of which the last is the image.
        channels: Numbers of channels of the feature maps.
    """
    convs = [
        ConvTranspose2d(latent, channels[0], sizes[0], bias=False),
        *upsampling_convs(sizes, channels),
    ]
    *inner_convs, last_conv = convs
    layers: list[nn.Module] = []
    for conv, num_channels in zip(inner_convs, channels):
        layers += [conv, BatchNorm(num_channels), nn.ReLU()]
    return Generator(nn.Sequential(*layers), last_conv)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class DCGAN(ImageBackbone):
    """DCGAN: strided convolutions with batch norm; the inverse is D's trunk with M outputs.

    The sides are halved until the smaller one is 4, 5, 6 or 7, and at least three times: 28, 14,
    7, 3; 32, 16, 8, 4; 48, 24, 12, 6. At 64 pixels these are the four halvings of the paper, 64,
    32, 16, 8, 4.

    References:
        Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
        Networks (Radford, Metz and Chintala, 2015), https://arxiv.org/abs/1511.06434

    Examples:
        >>> import torch
        >>> from iidgan import DCGAN
        >>> backbone = DCGAN(latent=10, width=4)
        >>> G, D = backbone.build_generator((1, 28, 28)), backbone.build_discriminator((1, 28, 28))
        >>> images = G(torch.zeros(1, 2, 10))
        >>> images.shape, D(images).shape, D.features(images).shape
        (torch.Size([1, 2, 1, 28, 28]), torch.Size([1, 2]), torch.Size([1, 2, 16, 3, 3]))
    """

    latent: int = 64
    """Dimension M of the prior."""
    width: int = 64
    """Number of channels of the layer next to the image; doubled where the sides are halved."""
    spectral_norm: bool = False
    """Spectral normalisation in D and F, but not in F's last layer, as codes need variance 1."""
    norm: Norm = "batch"
    """Normalisation in D and F; use `none` with a gradient penalty on D (WGAN-GP, R1, R2)."""

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        sizes = self._list_sizes(shape)[::-1]
        channels = [self.width * 2**stage for stage in reversed(range(len(sizes) - 1))]
        return build_dcgan_generator(self.latent, sizes, [*channels, shape[0]])

    def _build_trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        num_stages = len(self._list_sizes(shape)) - 1
        channels = [shape[0]] + [self.width * 2**stage for stage in range(num_stages)]
        norm = NORMS["none" if spectral else self.norm]
        conv = partial(Conv2d, make_weight=choose_weight(spectral or self.spectral_norm))
        first_conv, *inner_convs = (
            conv(
                channels[stage],
                channels[stage + 1],
                4,
                stride=2,
                padding=1,
                bias=stage == 0 or norm is not BatchNorm,
            )
            for stage in range(num_stages)
        )
        layers: list[nn.Module] = [first_conv, nn.LeakyReLU(0.2)]
        for inner_conv, num_channels in zip(inner_convs, channels[2:]):
            layers += [inner_conv, norm(num_channels), nn.LeakyReLU(0.2)]
        return ConvTrunk(*layers)

    def _feature_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        sizes = self._list_sizes(shape)
        return self.width * 2 ** (len(sizes) - 2), *sizes[-1]

    @staticmethod
    def _list_sizes(shape: tuple[int, ...]) -> list[ImageSize]:
        """List the sizes of the feature maps, starting with the image: sides 28, 14, 7, 3."""
        size = check_image_size(shape, "dcgan", min_side=DCGAN_MIN_SIDE)
        num_halvings = max(3, min(size).bit_length() - 3)
        return [halve_size(size, stage) for stage in range(num_halvings + 1)]
