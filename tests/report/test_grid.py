"""Grids of images."""

import numpy as np
import pytest

from iidgan.report import (
    make_image_grid,
)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_make_image_grid_pixels(channels, mode):
    images = np.random.default_rng(0).integers(0, 256, (5, channels, 4, 6), dtype=np.uint8)
    sheet = make_image_grid(images, 3, scale=2)
    assert sheet.mode == mode
    assert sheet.size == (3 * (12 + 2) + 2, 2 * (8 + 2) + 2)
    pixels = np.atleast_3d(np.asarray(sheet))
    for index, image in enumerate(images):
        top, left = 2 + index // 3 * 10, 2 + index % 3 * 14
        tile = pixels[top : top + 8, left : left + 12]
        np.testing.assert_array_equal(tile[::2, ::2].transpose(2, 0, 1), image)
        np.testing.assert_array_equal(tile[::2, ::2], tile[1::2, 1::2])
    assert (pixels[12:, 30:] == 255).all()


def test_make_image_grid_floats():
    images = np.random.default_rng(0).integers(0, 256, (9, 1, 3, 3), dtype=np.uint8)
    floats = images.astype(np.float32) / 127.5 - 1
    assert np.array_equal(make_image_grid(images), make_image_grid(floats))
    odd = np.array([-7.0, 7.0, np.nan, np.inf]).reshape(1, 1, 1, 4)
    assert list(np.asarray(make_image_grid(odd, scale=1))[2, 2:-2]) == [0, 255, 128, 255]
