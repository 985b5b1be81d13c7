"""From bytes to the input of a network."""

import numpy as np
import pytest
import torch
from PIL import Image

from iidgan.features.preprocessing import (
    ANTIALIASED_BICUBIC,
    CROP_PAD_OR_BICUBIC,
    TENSORFLOW_BILINEAR,
    Preprocessing,
    resize_as_tensorflow,
    resize_bicubic,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import make_images


@pytest.mark.parametrize("size", [(12, 20), (40, 25), (28, 28)])
def test_resize_bicubic_is_that_of_pillow(size):
    image = make_images(28, 28).astype(np.float32)
    expected = Image.fromarray(image, "F").resize(size[::-1], Image.Resampling.BICUBIC)
    resized = resize_bicubic(torch.from_numpy(image)[None, None], size)[0, 0]
    np.testing.assert_allclose(resized, np.clip(expected, 0, 255), atol=0.005)


def test_resize_as_tensorflow_starts_at_corners():
    image = torch.tensor([[0.0, 3.0], [6.0, 9.0]])[None, None]
    resized = resize_as_tensorflow(image, (3, 4))[0, 0]
    rows = torch.tensor([0.0, 2 / 3, 1.0])  # 4/3 is beyond the last pixel
    columns = torch.tensor([0.0, 0.5, 1.0, 1.0])
    torch.testing.assert_close(resized, 6 * rows[:, None] + 3 * columns)


def test_resize_as_tensorflow_keeps_the_same_size():
    images = torch.from_numpy(make_images(2, 3, 9, 7)).float()
    assert resize_as_tensorflow(images, (9, 7)).equal(images)


def test_crop_or_pad_pads_with_black():
    images = torch.full((1, 1, 28, 28), 255.0)
    padded = CROP_PAD_OR_BICUBIC.resize(images, (32, 32))
    assert padded[0, 0, 0, 0] == 0
    assert padded.sum() == 255 * 28 * 28


@pytest.mark.parametrize(
    "resize_filter", [ANTIALIASED_BICUBIC, TENSORFLOW_BILINEAR, CROP_PAD_OR_BICUBIC]
)
def test_grey_images_become_three_channels_in_range(resize_filter):
    preprocessing = Preprocessing(size=(20, 20), filter=resize_filter, value_range=(-1.0, 0.5))
    images = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None, None].expand(2, 1, 9, 9)
    inputs = preprocessing(images)
    assert inputs.shape == (2, 3, 20, 20)
    torch.testing.assert_close(inputs[0], torch.full((3, 20, 20), -1.0))
    torch.testing.assert_close(inputs[1], torch.full((3, 20, 20), 0.5))


@pytest.mark.parametrize("images", [torch.zeros(2, 3, 8, 8), torch.zeros(3, 8, 8).byte()])
def test_only_bytes_are_read(images):
    preprocessing = Preprocessing(size=None, filter=ANTIALIASED_BICUBIC, value_range=(0.0, 1.0))
    with raises_input_error("images", tuple(images.shape)):
        preprocessing(images)


def test_colours_are_refused_by_an_extractor_of_greys():
    preprocessing = Preprocessing(
        size=None, filter=ANTIALIASED_BICUBIC, value_range=(0.0, 1.0), channels=1
    )
    with raises_input_error("images", 3):
        preprocessing(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
