"""Cropping and resizing of images of any size to the size of the data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iidgan.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_SIZE, MAX_SIZE = 4, 1024


@dataclass(frozen=True, kw_only=True)
class ResizeRule:
    """Centre crop, then Pillow's antialiased bicubic filter.

    The resizing filter changes the Frechet distance.

    Arguments:
        size: Side of the resulting square, in pixels; None: images are not changed.
        crop: Side of the square that is cropped from the centre first; None: the largest one.
        pad: Whether images that are two or four pixels too small are padded with black instead.

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

    size: int | None = None
    crop: int | None = None
    pad: bool = False

    def __post_init__(self) -> None:
        if self.size is not None and not MIN_SIZE <= self.size <= MAX_SIZE:
            nearest_size = min(max(self.size, MIN_SIZE), MAX_SIZE)
            raise InputError(
                f"size: must be between {MIN_SIZE} and {MAX_SIZE}, got {self.size}; "
                f"nearest: {nearest_size}"
            )

    def __str__(self) -> str:
        if self.size is None:
            return "as they are"
        cut = f"centre crop of {self.crop or 'the shorter side'}"
        frame = "black frame, or " if self.pad else ""
        return f"{frame}{cut}, Pillow bicubic (antialiased) to {self.size}"

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
            return image.crop((offset, offset, offset + self.size, offset + self.size))
        side = self._cropped_side(image)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        if (side, side) != image.size:
            image = image.crop((left, top, left + side, top + side))
        target_size = (self.size, self.size)
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
        return self._cropped_side(image) < self.size

    def _cropped_side(self, image: Image) -> int:
        return min(self.crop or min(image.size), *image.size)

    def _is_padded(self, image: Image) -> bool:
        return self.pad and self._missing_pixels(image) in (2, 4)

    def _missing_pixels(self, image: Image) -> int:
        """Pixels that a square image is too small by; 0 for other images."""
        assert self.size is not None
        return self.size - image.width if image.width == image.height else 0
