"""Bit depth of a data set: one range of pixel values for all images of more than 8 bits.

Cameras and microscopes store 10, 12 or 14 bits in files of 16. The range of the files is not that
of the data, and a range of each image's own would lose the differences between images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iidgan.errors import InputError

_BIT_DEPTHS = (8, 10, 12, 14, 16)


class UnknownRangeError(Exception):
    """An image has more than 8 bits, and the range of the data set has not been measured yet."""


@dataclass(frozen=True)
class PixelRange:
    """Range of pixel values that is scaled to 8 bits; values outside become black or white.

    Arguments:
        low: Value that becomes black.
        high: Value that becomes white.

    Raises:
        InputError: The range is empty or not finite.

    Examples:
        >>> range_12_bits = PixelRange.of_bits(12)
        >>> print(range_12_bits)
        values from 0 to 4095 (12 bits) scaled to 8 bits
        >>> range_12_bits.to_bytes(np.array([0, 2048, 4095, 5000], np.uint16))
        array([  0, 128, 255, 255], dtype=uint8)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.high - self.low < math.inf:
            raise InputError(
                f"range: LOW must be less than HIGH, and both finite, got {self.low} {self.high}"
            )

    @classmethod
    def of_bits(cls, bits: int) -> PixelRange:
        """Create the range of unsigned integers of a number of bits, 0 to 2^bits - 1.

        Arguments:
            bits: The number of bits.
        """
        return cls(0, 2**bits - 1)

    def __str__(self) -> str:
        bits = next((bits for bits in _BIT_DEPTHS if self == PixelRange.of_bits(bits)), None)
        depth = f" ({bits} bits)" if bits else ""
        return f"values from {self.low:.9g} to {self.high:.9g}{depth} scaled to 8 bits"

    def to_bytes(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Scale values to 0 ... 255 in steps of equal width; 16 bits lose their lower byte.

        A fraction v becomes floor(256 (v - low) / (high - low)), an integer
        floor(256 (v - low) / (high - low + 1)), and values outside the range 0 or 255.

        Arguments:
            values: Pixel values of any shape.
        """
        is_integer = values.dtype.kind in "iu"
        # 24 bits of precision are exact for 16-bit integers, and take half of the memory.
        dtype = np.float32 if is_integer and values.dtype.itemsize <= 2 else np.float64
        steps: NDArray[np.floating[Any]] = values.astype(dtype)
        steps -= dtype(self.low)
        steps *= 256  # before the division: a step that is an integer stays exact
        steps /= dtype(self.high - self.low + is_integer)
        return np.clip(steps, 0, 255, out=steps).astype(np.uint8)


@dataclass
class PixelStatistics:
    """Extreme values of integers and of fractions, over images of more than 8 bits.

    Arguments:
        num_images: Number of images that were examined, of any depth.
        min_integer, max_integer: Extreme values of images of integers.
        min_fraction, max_fraction: Extreme values of images of fractions.
    """

    num_images: int = 0
    min_integer: float = math.inf
    max_integer: float = -math.inf
    min_fraction: float = math.inf
    max_fraction: float = -math.inf

    def add_values(self, values: NDArray[Any]) -> None:
        """Include the pixel values of an image.

        Arguments:
            values: Integers or fractions of any shape.
        """
        if not values.size:
            return
        low, high = float(values.min()), float(values.max())
        if values.dtype.kind == "f":
            self.merge(PixelStatistics(min_fraction=low, max_fraction=high))
        else:
            self.merge(PixelStatistics(min_integer=low, max_integer=high))

    def merge(self, other: PixelStatistics) -> None:
        """Include the extreme values of other images.

        Arguments:
            other: Statistics of the other images.
        """
        self.num_images += other.num_images
        self.min_integer = min(self.min_integer, other.min_integer)
        self.max_integer = max(self.max_integer, other.max_integer)
        self.min_fraction = min(self.min_fraction, other.min_fraction)
        self.max_fraction = max(self.max_fraction, other.max_fraction)

    def choose_range(self) -> PixelRange:
        """Choose the range of a data set.

        That is the smallest usual bit depth that holds unsigned integers of up to 16 bits; else
        the smallest and largest value.

        Raises:
            InputError: Integers and fractions have no common scale.

        Examples:
            >>> statistics = PixelStatistics()
            >>> statistics.add_values(np.array([[12, 900]], np.uint16))
            >>> statistics.choose_range() == PixelRange.of_bits(10)
            True
        """
        has_integers, has_fractions = (
            self.max_integer >= self.min_integer,
            self.max_fraction >= self.min_fraction,
        )
        if has_integers and has_fractions:
            raise InputError(
                f"range: expected integers or fractions, got images with integers up to "
                f"{self.max_integer:.9g} and images with fractions up to "
                f"{self.max_fraction:.9g}; give their common range with --range LOW HIGH"
            )
        if has_fractions:
            return _range_of_extremes(self.min_fraction, self.max_fraction)
        bits = next((bits for bits in _BIT_DEPTHS if self.max_integer < 2**bits), None)
        if bits is not None and self.min_integer >= 0:
            return PixelRange.of_bits(bits)
        return _range_of_extremes(self.min_integer, self.max_integer)


def _range_of_extremes(low: float, high: float) -> PixelRange:
    """Range of these values; a constant one becomes black."""
    return PixelRange(low, high if high > low else low + max(1, abs(low)))
