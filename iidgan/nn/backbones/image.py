"""The base class of the backbones for images, and the modules that they share.

A backbone defines its layers: the body of the generator, and a trunk that D, F and all other
encoders share. Bodies and trunks are layers in grouped layout (see `iidgan.nn.layers.conv`).
Unless a paper says otherwise, a convolution without batch normalisation after it has a bias.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from iidgan.core import Backbone
from iidgan.errors import InputError
from iidgan.nn.backbones.mlp import MLPNetwork
from iidgan.nn.init import Initializer, normal_init
from iidgan.nn.layers.conv import BatchNorm, Dense, group_seeds, ungroup_seeds
from iidgan.nn.layers.weight import SpectralWeight, Weight, WeightFactory

ImageSize = tuple[int, int]
"""Height and width, in pixels."""
FeatureShape = tuple[int, int, int]
"""Number of channels, height and width."""
Norm = Literal["batch", "none"]
NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": BatchNorm, "none": nn.Identity}
DCGAN_MIN_SIDE = 8
"""Smallest side of the images that `DCGAN` supports, which of all backbones asks for least."""
LATENT_HIDDEN = (1024, 1024)
"""Hidden layers of the discriminator of latents."""


def choose_weight(spectral: bool) -> WeightFactory:
    """Return the weight module of a network: spectrally normalised or plain.

    Arguments:
        spectral: Whether weights are divided by their largest singular value.
    """
    return SpectralWeight if spectral else Weight


class ToImage(nn.Module):
    """Last layer of a generator: (S, B, C', H', W') to pixels (S, B, C, H, W) in [-1, 1].

    Arguments:
        conv: Layer before the hyperbolic tangent, in grouped layout.
    """

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, hidden: Tensor) -> Tensor:
        return ungroup_seeds(self.conv(group_seeds(hidden)).tanh(), len(hidden))


class Generator(nn.Module):
    """Map latents (S, B, M) to images (S, B, C, H, W) in [-1, 1].

    Arguments:
        body: Maps images of one pixel and M channels, in grouped layout, to features.
        last_layer: Layer before the hyperbolic tangent, in grouped layout.
    """

    def __init__(self, body: nn.Module, last_layer: nn.Module) -> None:
        super().__init__()
        self.body, self.head = body, ToImage(last_layer)

    def features(self, z: Tensor) -> Tensor:
        """Compute the input of the last layer, (S, B, C', H', W')."""
        return ungroup_seeds(self.body(group_seeds(z[..., None, None])), len(z))

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.head(self.features(z))
        return images


class Reshape(nn.Module):
    """Reshape the channels of one pixel to an image: (B, S * C * H * W, 1, 1) to (B, S * C, H, W).

    Follows the `Dense` layer that generators start with.

    Arguments:
        size: Height H and width W of the image.
    """

    def __init__(self, size: ImageSize) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), -1, *self.size)


class ConvTrunk(nn.Module):
    """Map images (S, B, C, H, W) to features (S, B, C', H', W'): D without its head.

    Arguments:
        layers: Layers in grouped layout, applied in turn.
    """

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        return ungroup_seeds(self.layers(group_seeds(images)), len(images))


class DenseHead(nn.Module):
    """Affine map from the features (S, B, C, H, W) of a trunk to (S, B, num_outputs).

    Arguments:
        feature_shape: Shape (C, H, W) of the features.
        num_outputs: Number of outputs.
        make_weight: Wraps the weight, `Weight` or `SpectralWeight`.
        init: Draws the initial weight.
    """

    def __init__(
        self,
        feature_shape: FeatureShape,
        num_outputs: int,
        *,
        make_weight: WeightFactory = Weight,
        init: Initializer = normal_init,
    ) -> None:
        super().__init__()
        num_features = math.prod(feature_shape)
        self.layer = Dense(num_features, num_outputs, make_weight=make_weight, init=init)

    def forward(self, hidden: Tensor) -> Tensor:
        return ungroup_seeds(self.layer(group_seeds(hidden)), len(hidden)).flatten(2)


class Encoder(nn.Module):
    """Map images (S, B, C, H, W) to the output of `head` on the features of `trunk`.

    Arguments:
        trunk: Maps images to features, (S, B, C', H', W').
        head: Maps features to outputs.
    """

    def __init__(self, trunk: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    def features(self, x: Tensor) -> Tensor:
        """Compute the output of the trunk."""
        hidden: Tensor = self.trunk(x)
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.features(x))
        return output


class LogitHead(nn.Module):
    """Remove the last axis of a head with a single output: (S, B, ...) to logits (S, B).

    Arguments:
        head: Maps features to (S, B, 1).
    """

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.head(hidden)
        return logits.squeeze(-1)


class ImageJointDiscriminator(nn.Module):
    """Map images (S, B, C, H, W) and codes (S, B, M) to logits (S, B).

    A hidden layer of 512 units reads the features of the image, concatenated with the code.

    Arguments:
        trunk: Maps images to features.
        feature_shape: Shape (C, H, W) of the features.
        latent: Dimension M of the codes.
    """

    def __init__(self, trunk: nn.Module, feature_shape: FeatureShape, latent: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.end = MLPNetwork((math.prod(feature_shape) + latent,), (512,), ())

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        logits: Tensor = self.end(torch.cat([self.trunk(x).flatten(2), z], dim=-1))
        return logits


class ImageBackbone(Backbone):
    """Base class of backbones for images, which builds D, F and other encoders on a trunk.

    Attributes:
        width: Number of channels that all others are multiples of.
        spectral_norm: Whether all layers of D, and all of F but the last, are spectrally
            normalised by default. The last layer of F is not, as codes need variance 1.
        norm: Normalisation of the layers of the trunk, where a backbone offers the choice.
    """

    width: int
    spectral_norm: bool = False
    norm: Norm = "none"

    def __post_init__(self) -> None:
        for name in ("latent", "width"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: must be >= 1, got {getattr(self, name)}")

    @property
    def is_convolutional(self) -> bool:
        return True

    @abstractmethod
    def _build_trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        """Build a map (S, B, *shape) -> (S, B, C, H, W) to features of `_feature_shape(shape)`.

        Arguments:
            shape: Shape of a sample.
            spectral: Whether all layers must have spectral norm 1. Batch normalisation, which
                would change the norm, is then left out.
        """

    @abstractmethod
    def _feature_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        """Return the shape (C, H, W) of the features of the trunk."""

    def _build_output_layer(
        self, feature_shape: FeatureShape, num_outputs: int, *, spectral: bool
    ) -> nn.Module:
        return DenseHead(feature_shape, num_outputs, make_weight=choose_weight(spectral))

    def build_discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        trunk = self._build_trunk(shape, spectral=spectral)
        spectral = spectral or self.spectral_norm
        head = self._build_output_layer(self._feature_shape(shape), 1, spectral=spectral)
        return Encoder(trunk, LogitHead(head))

    def build_encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return Encoder(self._build_trunk(shape, spectral=False), self.build_head(shape, outputs))

    def build_inverse(self, shape: tuple[int, ...]) -> nn.Module:
        return self.build_encoder(shape, self.latent)

    def build_joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        trunk = self._build_trunk(shape, spectral=False)
        return ImageJointDiscriminator(trunk, self._feature_shape(shape), self.latent)

    def build_latent_discriminator(self) -> nn.Module:
        return MLPNetwork((self.latent,), LATENT_HIDDEN, ())

    def build_head(
        self, shape: tuple[int, ...], outputs: int, *, spectral: bool = False
    ) -> nn.Module:
        return self._build_output_layer(self._feature_shape(shape), outputs, spectral=spectral)


def check_image_size(
    shape: tuple[int, ...], arch: str, *, min_side: int = 1, multiple_of: int = 1
) -> ImageSize:
    """Return height and width of the images of a backbone, or raise if it does not support them.

    Arguments:
        shape: Shape of a sample.
        arch: Name of the backbone.
        min_side: Smallest side.
        multiple_of: Number that divides both sides.

    Raises:
        InputError: Samples are not images of such sides.

    Examples:
        >>> from iidgan.nn.backbones.image import check_image_size
        >>> check_image_size((3, 32, 48), "dcgan", min_side=8)
        (32, 48)
        >>> check_image_size((3, 32, 44), "sngan-cnn", multiple_of=8)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: arch: sngan-cnn needs images whose sides are a multiple of 8 ...
    """
    sides = shape[1:] if len(shape) == 3 else (0, 0)
    if min(sides) < min_side or any(side % multiple_of for side in sides):
        bound = f"at least {min_side}" if multiple_of == 1 else f"a multiple of {multiple_of}"
        raise image_size_error(shape, arch, f"whose sides are {bound} pixels")
    return sides[0], sides[1]


def image_size_error(shape: tuple[int, ...], arch: str, requirement: str) -> InputError:
    """Create the error of a backbone that does not support images of some size.

    Arguments:
        shape: Shape of a sample.
        arch: Name of the backbone.
        requirement: Which images it supports, after "images".
    """
    is_large_enough = len(shape) == 3 and min(shape[1:]) >= DCGAN_MIN_SIDE
    return InputError(
        f"arch: {arch} needs images {requirement}, got samples of shape {shape}; "
        f"use --arch {'dcgan' if is_large_enough else 'mlp'}"
    )


def list_halved_sizes(shape: tuple[int, ...], arch: str) -> list[ImageSize]:
    """List sizes of feature maps from the image down to a smaller side of 4, 5, 6 or 7 pixels.

    Arguments:
        shape: Shape of a sample.
        arch: Name of the backbone.

    Raises:
        InputError: Samples are not images whose sides can be halved as often without remainder.

    Examples:
        >>> list_halved_sizes((1, 28, 36), "stylegan2")
        [(28, 36), (14, 18), (7, 9)]
    """
    size = (shape[1], shape[2]) if len(shape) == 3 else (0, 0)
    num_halvings = min(size).bit_length() - 3
    if num_halvings < 1 or any(side % 2**num_halvings for side in size):
        raise image_size_error(
            shape,
            arch,
            "whose smaller side is 4, 5, 6 or 7 times 2, 4, 8, ..., and the other a multiple of "
            "the same power of two",
        )
    return [halve_size(size, stage) for stage in range(num_halvings + 1)]


def halve_size(size: ImageSize, times: int) -> ImageSize:
    """Halve height and width, rounding down.

    Arguments:
        size: Height and width.
        times: How often.

    Examples:
        >>> halve_size((28, 36), 3)
        (3, 4)
    """
    height, width = size
    return height >> times, width >> times
