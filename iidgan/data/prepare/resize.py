"""Cropping and resizing of images of any size to the size of the data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iidgan.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_SIZE, MAX_SIZE = 4, 1024
TargetSize = int | tuple[int, int]
"""Side of a square, or height and width, in pixels."""


def parse_size(text: str) -> TargetSize:
    """Read a size: the side of a square, or HEIGHTxWIDTH.

    Arguments:
        text: The size.

    Raises:
        ValueError: It is neither.

    Examples:
        >>> parse_size("64"), parse_size("48x64"), parse_size("64x64")
        (64, (48, 64), 64)
    """
    try:
        height, width = map(int, text.lower().split("x") if "x" in text.lower() else (text, text))
    except ValueError:
        raise ValueError(
            f"must be pixels of a side, such as 64, or of height and width, such as 48x64, got "
            f"{text!r}"
        ) from None
    return height if height == width else (height, width)


def format_size(size: TargetSize) -> str:
    """Write a size as `parse_size` reads it.

    Arguments:
        size: The size.

    Examples:
        >>> format_size(64), format_size((48, 64)), format_size((64, 64))
        ('64', '48x64', '64')
    """
    height, width = as_height_and_width(size)
    return str(height) if height == width else f"{height}x{width}"


def as_height_and_width(size: TargetSize) -> tuple[int, int]:
    """Return the height and width of a size.

    Arguments:
        size: The size.
    """
    return (size, size) if isinstance(size, int) else size


@dataclass(frozen=True, kw_only=True)
class ResizeRule:
    """Centre crop, then Pillow's antialiased bicubic filter.

    The resizing filter changes the Frechet distance.

    Arguments:
        size: Side of the resulting square, or height and width, in pixels; None: images are not
            changed.
        crop: Side of the square at the centre from which the largest part of the resulting shape
            is cropped first; None: it is cropped from the whole image.
        pad: Whether square images that are two or four pixels too small are padded with black
            instead.

    Raises:
        InputError: The size is out of range.

    References:
        On Aliased Resizing and Surprising Subtleties in GAN Evaluation (Parmar, Zhang and Zhu,
        2022), https://arxiv.org/abs/2104.11222

    Examples:
        >>> from PIL import Image
        >>> rule = ResizeRule(size=64, crop=178)
        >>> print(rule)
        centre crop of 178, Pillow bicubic (antialiased) to 64
        >>> rule(Image.new("RGB", (178, 218))).size
        (64, 64)
    """

    size: TargetSize | None = None
    crop: int | None = None
    pad: bool = False

    def __post_init__(self) -> None:
        for side in () if self.size is None else as_height_and_width(self.size):
            if not MIN_SIZE <= side <= MAX_SIZE:
                nearest_size = min(max(side, MIN_SIZE), MAX_SIZE)
                raise InputError(
                    f"size: must be between {MIN_SIZE} and {MAX_SIZE}, got {side}; "
                    f"nearest: {nearest_size}"
                )

    def __str__(self) -> str:
        if self.size is None:
            return "as they are"
        text = format_size(self.size)
        part = f"{self.crop or 'the shorter side'}"
        if not text.isdigit():
            part = f"that shape{f' within {self.crop}' if self.crop else ''}"
        frame = "black frame, or " if self.pad else ""
        return f"{frame}centre crop of {part}, Pillow bicubic (antialiased) to {text}"

    def __call__(self, image: Image) -> Image:
        """Crop and resize an image.

        Arguments:
            image: Image of any size.
        """
        from PIL.Image import Resampling

        if self.size is None:
            return image
        if self._is_padded(image):
            offset = -self._missing_pixels(image) // 2  # a crop beyond the edge is black
            side = image.width - 2 * offset
            return image.crop((offset, offset, offset + side, offset + side))
        width, height = self._cropped_size(image)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        if (width, height) != image.size:
            image = image.crop((left, top, left + width, top + height))
        target_height, target_width = as_height_and_width(self.size)
        target_size = (target_width, target_height)
        if image.size == target_size:
            return image
        return image.resize(target_size, Resampling.BICUBIC)

    def is_enlarging(self, image: Image) -> bool:
        """Return whether this image has to be upsampled.

        Arguments:
            image: Image of any size.
        """
        if self.size is None or self._is_padded(image):
            return False
        width, height = self._cropped_size(image)
        target_height, target_width = as_height_and_width(self.size)
        return width < target_width or height < target_height

    def _cropped_size(self, image: Image) -> tuple[int, int]:
        """Return width and height of the largest part of the target's shape."""
        assert self.size is not None
        height, width = as_height_and_width(self.size)
        max_width, max_height = (min(self.crop or side, side) for side in image.size)
        if max_width * height <= max_height * width:
            return max_width, max(1, round(max_width * height / width))
        return max(1, round(max_height * width / height)), max_height

    def _is_padded(self, image: Image) -> bool:
        return self.pad and self._missing_pixels(image) in (2, 4)

    def _missing_pixels(self, image: Image) -> int:
        """Pixels that a square image is too small by for a larger square; otherwise 0."""
        assert self.size is not None
        height, width = as_height_and_width(self.size)
        is_square = height == width and image.width == image.height
        return width - image.width if is_square else 0
