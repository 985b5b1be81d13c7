"""Generated images as one picture, pixel for pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from iidgan.errors import InputError
from iidgan.report.stats import Floats

GAP = 2


def image_grid(images: npt.NDArray[Any], columns: int = 8, *, scale: int = 2) -> Image.Image:
    """Lays images out row by row on white, 2 pixels apart.

    Arguments:
        images: uint8 in 0 ... 255, or floats of which -1 is black and 1 is white (clipped; not
            a number is mid-grey), with shape (N, C, H, W), C = 1 (grey) or 3 (RGB).
        columns: Images side by side.
        scale: Whole-number enlargement of every pixel.

    Raises:
        InputError: The shape is another, or `columns` or `scale` is below 1.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3) or len(images) == 0:
        raise InputError(
            f"images: shape {images.shape} is not (N, C, H, W) with N > 0 and C = 1 or 3"
        )
    for name, value in (("columns", columns), ("scale", scale)):
        if value < 1:
            raise InputError(f"{name}: {value} is too small; give 1 or more")
    tiles = _bytes(images).transpose(0, 2, 3, 1).repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width, channels = tiles.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    down, right = height + GAP, width + GAP
    sheet = np.full((rows * down + GAP, columns * right + GAP, channels), 255, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * down + GAP, index % columns * right + GAP
        sheet[top : top + height, left : left + width] = tile
    return Image.fromarray(sheet.squeeze(axis=2) if channels == 1 else sheet)


def _bytes(images: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if images.dtype == np.uint8:
        return images
    unit: Floats = np.clip(np.nan_to_num(images.astype(np.float64), nan=0.0), -1, 1)
    return np.rint((unit + 1) * 127.5).astype(np.uint8)
