"""Pictures that are dropped on the page."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from iidgan.explorer.pictures import encode_values, read_picture
from tests.helpers.errors import raises_input_error


def encode_picture(pixels, file_format="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=file_format)
    return buffer.getvalue()


COLOURS = np.random.default_rng(0).integers(256, size=(8, 8, 3), dtype=np.uint8)


def test_picture_of_the_size_of_the_run_is_unchanged():
    picture = read_picture(encode_picture(COLOURS), (3, 8, 8))
    np.testing.assert_array_equal(picture[0].permute(1, 2, 0), COLOURS)
    np.testing.assert_array_equal(encode_values(picture)[0], COLOURS)


def test_colours_become_grey_for_grey_runs():
    picture = read_picture(encode_picture(COLOURS), (1, 8, 8))[0, 0].numpy()
    expected = COLOURS @ [0.299, 0.587, 0.114]  # luma of ITU-R BT.601
    assert np.abs(picture - expected).max() <= 1


def test_grey_becomes_colours_for_runs_of_colours():
    grey = COLOURS[..., 0]
    picture = read_picture(encode_picture(grey), (3, 8, 8))
    np.testing.assert_array_equal(picture[0], np.stack([grey] * 3))


def test_picture_is_cropped_and_resized():
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    assert (read_picture(encode_picture(wide), (3, 10, 10)) == 255).all()


def test_deep_picture_is_scaled():
    deep = np.full((8, 8), 2**16 - 1, np.uint16)
    assert (read_picture(encode_picture(deep), (1, 8, 8)) == 255).all()


@pytest.mark.parametrize("content", [b"", b"no picture", encode_picture(COLOURS)[:60]])
def test_other_files_are_refused(content):
    with raises_input_error("picture"):
        read_picture(content, (1, 8, 8))


def test_number_of_pixels_is_bounded():
    large = encode_picture(np.zeros((8000, 8000), bool))
    with raises_input_error("picture", "8000 x 8000"):
        read_picture(large, (1, 8, 8))


def test_generated_images_are_rounded_to_bytes():
    images = torch.tensor([-1.0, 0.0, 1.0, torch.nan]).reshape(1, 1, 2, 2)
    assert encode_values(images).flatten().tolist() == [0, 128, 255, 128]
    assert encode_values(torch.ones(3, 2)).dtype == np.float32
