"""From bytes to the input of a network: channels, size, and range of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from iidgan.errors import InputError
from iidgan.features.images import check_images
from iidgan.metrics.features import resize_images

ImageSize = tuple[int, int]
BLACK, WHITE = 0.0, 255.0
MAX_SIDE = 4096


@dataclass(frozen=True)
class ResizeFilter:
    """A way to resize images, as recorded in a protocol.

    Arguments:
        name: The interpolation.
        kernel: Its kernel and grid.
        arithmetic: Type of the numbers that it is computed in.
        resize: Resizes float32 images in [0, 255], with shape (n, C, H, W), to a height and width.
    """

    name: str
    kernel: str
    arithmetic: str
    resize: Callable[[Tensor, ImageSize], Tensor]


def resize_bicubic(images: Tensor, size: ImageSize) -> Tensor:
    """Resize images by the antialiased bicubic kernel, as Pillow does, but without rounding.

    Arguments:
        images: Float images in [0, 255], with shape (n, C, H, W).
        size: Height and width of the result.

    Returns:
        Images in [0, 255], with shape (n, C, *size).
    """
    if tuple(images.shape[-2:]) == size:
        return images
    return interpolate(images, size=size, mode="bicubic", antialias=True).clamp(BLACK, WHITE)


def resize_as_tensorflow(images: Tensor, size: ImageSize) -> Tensor:
    """Resize images bilinearly as TensorFlow 1 does: by the corners of pixels, without a filter.

    Output pixel i is interpolated at the position i * (old size / new size), not at that of its
    centre, so that images shift towards the upper left. The FIDs of the papers include this.

    Arguments:
        images: Float images, with shape (n, C, H, W).
        size: Height and width of the result.

    Returns:
        Images with shape (n, C, *size).

    Examples:
        >>> row = torch.tensor([[[[0.0, 10.0]]]])
        >>> resize_as_tensorflow(row, (1, 4)).flatten().tolist()
        [0.0, 5.0, 10.0, 10.0]
    """
    for axis, new_size in zip((-1, -2), size[::-1]):
        images = _interpolate_axis(images, axis, new_size)
    return images


def _interpolate_axis(images: Tensor, axis: int, new_size: int) -> Tensor:
    old_size = images.shape[axis]
    scale = torch.tensor(old_size / new_size, dtype=images.dtype, device=images.device)
    position = torch.arange(new_size, dtype=images.dtype, device=images.device) * scale
    lower = position.long()
    upper = (lower + 1).clamp(max=old_size - 1)
    weight = (position - lower).reshape(-1, *[1] * (-1 - axis))
    lower_pixels = images.index_select(axis, lower)
    upper_pixels = images.index_select(axis, upper)
    return lower_pixels + (upper_pixels - lower_pixels) * weight


ANTIALIASED_BICUBIC = ResizeFilter("bicubic", "a = -0.5, antialiased", "float32", resize_bicubic)
TENSORFLOW_BILINEAR = ResizeFilter(
    "bilinear", "TensorFlow 1: by corners, not antialiased", "float32", resize_as_tensorflow
)
CROP_PAD_OR_BICUBIC = ResizeFilter(
    "crop or pad by up to 4 pixels, or bicubic",
    "a = -0.75, not antialiased",
    "float32",
    lambda images, size: resize_images(images, size, (BLACK, WHITE)),
)


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """The steps between uint8 images of any size and the input of a network.

    Arguments:
        size: Height and width of the input; None: that of the images.
        filter: How images are resized.
        value_range: What the bytes 0 and 255 become.
        channels: Channels C' of the input: 3, or 1.

    Raises:
        InputError: A size is not a positive integer.

    Examples:
        >>> preprocessing = Preprocessing(
        ...     size=(32, 32), filter=ANTIALIASED_BICUBIC, value_range=(-1.0, 1.0)
        ... )
        >>> grey = torch.full((5, 1, 28, 28), 255, dtype=torch.uint8)
        >>> inputs = preprocessing(grey)
        >>> inputs.shape, inputs.unique()
        (torch.Size([5, 3, 32, 32]), tensor([1.]))
    """

    size: ImageSize | None
    filter: ResizeFilter
    value_range: tuple[float, float]
    channels: int = 3

    def __post_init__(self) -> None:
        for side in self.size or ():
            if not isinstance(side, int) or not 1 <= side <= MAX_SIDE:
                raise InputError(f"size: must be an integer from 1 to {MAX_SIDE}, got {side!r}")

    def __call__(self, images: Tensor) -> Tensor:
        """Convert images to the input of the network.

        Arguments:
            images: uint8 images with shape (n, C, H, W), with C = C' or C = 1.

        Returns:
            float32 images with shape (n, C', *size).

        Raises:
            InputError: The images are not uint8, or have other channels.
        """
        check_images(images)
        if images.shape[1] not in (1, self.channels):
            raise InputError(
                f"images: the extractor reads grey images, got {images.shape[1]} channels; choose "
                "another extractor"
            )
        pixels = images.float()
        if self.size is not None:
            pixels = self.filter.resize(pixels, self.size)
        low, high = self.value_range
        scaled = pixels * ((high - low) / WHITE) + low
        return scaled.expand(-1, self.channels, -1, -1)
