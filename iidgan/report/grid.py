"""Grids of images, pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from iidgan.errors import InputError
from iidgan.utils.pixels import to_bytes

GAP = 2


def make_image_grid(images: npt.NDArray[Any], columns: int = 8, *, scale: int = 2) -> Image.Image:
    """Arrange images row by row on white, 2 pixels apart.

    Arguments:
        images: uint8 in 0 ... 255, or floats from -1 (black) to 1 (white), clipped, with NaN as
            mid-grey, of shape (N, C, H, W), C = 1 (grey) or 3 (RGB).
        columns: Images per row.
        scale: Integer by which every pixel is enlarged.

    Raises:
        InputError: The shape is wrong, or `columns` or `scale` is below 1.

    Examples:
        >>> grid = make_image_grid(np.zeros((6, 3, 32, 32)), columns=3, scale=1)
        >>> grid.size, grid.mode  # 3 * 32 + 4 * 2, 2 * 32 + 3 * 2
        ((104, 70), 'RGB')
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3) or len(images) == 0:
        raise InputError(
            f"images: expected shape (N, C, H, W) with N > 0 and C = 1 or 3, got {images.shape}"
        )
    for name, value in (("columns", columns), ("scale", scale)):
        if value < 1:
            raise InputError(f"{name}: must be >= 1, got {value}")
    tiles = _as_bytes(images).transpose(0, 2, 3, 1).repeat(scale, axis=1).repeat(scale, axis=2)
    num_images, height, width, channels = tiles.shape
    columns = min(columns, num_images)
    rows = -(-num_images // columns)
    row_height, column_width = height + GAP, width + GAP
    sheet_shape = (rows * row_height + GAP, columns * column_width + GAP, channels)
    sheet = np.full(sheet_shape, 255, np.uint8)
    for index, tile in enumerate(tiles):
        tile_top = index // columns * row_height + GAP
        tile_left = index % columns * column_width + GAP
        sheet[tile_top : tile_top + height, tile_left : tile_left + width] = tile
    return Image.fromarray(sheet.squeeze(axis=2) if channels == 1 else sheet)


def _as_bytes(images: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if images.dtype == np.uint8:
        return images
    return to_bytes(np.nan_to_num(images, nan=0.0))
