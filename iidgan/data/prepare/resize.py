"""How an image of any size becomes one of the set's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iidgan.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

SMALLEST, LARGEST = 4, 1024


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Centre crop, then Pillow's antialiased bicubic filter.

    What filter shrinks images moves the Frechet distance; see On Aliased Resizing and Surprising
    Subtleties in GAN Evaluation (Parmar, Zhang and Zhu, 2022), https://arxiv.org/abs/2104.11222.

    Arguments:
        size: Side of the square that comes out, in pixels; None: images stay as they are.
        crop: Side of the square that is cut out of the centre first; None: the largest one.
        pad: Whether images that are up to four pixels too small get a black frame instead.

    Raises:
        InputError: The size is out of range.
    """

    size: int | None = None
    crop: int | None = None
    pad: bool = False

    def __post_init__(self) -> None:
        if self.size is not None and not SMALLEST <= self.size <= LARGEST:
            near = min(max(self.size, SMALLEST), LARGEST)
            raise InputError(
                f"size: {self.size} is not between {SMALLEST} and {LARGEST}; nearest: {near}"
            )

    def __str__(self) -> str:
        if self.size is None:
            return "as they are"
        cut = f"centre crop of {self.crop or 'the shorter side'}"
        frame = "black frame, or " if self.pad else ""
        return f"{frame}{cut}, Pillow bicubic (antialiased) to {self.size}"

    def __call__(self, image: Image) -> Image:
        """Crops and resizes an image."""
        from PIL.Image import Resampling

        if self.size is None:
            return image
        if self.pad and self._gap(image) in (2, 4):
            frame = -self._gap(image) // 2  # what is cut out beyond the edge is black
            return image.crop((frame, frame, frame + self.size, frame + self.size))
        side = min(self.crop or min(image.size), *image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        if (side, side) != image.size:
            image = image.crop((left, top, left + side, top + side))
        target = (self.size, self.size)
        return image if image.size == target else image.resize(target, Resampling.BICUBIC)

    def enlarges(self, image: Image) -> bool:
        """Tells whether pixels have to be made up for this image."""
        if self.size is None or (self.pad and self._gap(image) in (2, 4)):
            return False
        return min(self.crop or min(image.size), *image.size) < self.size

    def _gap(self, image: Image) -> int:
        assert self.size is not None
        return self.size - image.width if image.width == image.height else 0
