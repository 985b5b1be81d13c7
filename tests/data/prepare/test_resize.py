"""Cropping and resizing of images."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from iidgan.data.prepare.decode import convert_images
from iidgan.data.prepare.reader import RawImage
from iidgan.data.prepare.resize import ResizeRule
from tests.helpers.images import encode_image, random_images


def resize_array(image, size=8):
    """Convert the pixels of one image."""
    content = encode_image(Image.fromarray(image))
    converted = convert_images([RawImage("x", content)], ResizeRule(size=size))
    assert converted.skipped == []
    return converted.pixels[0]


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([4, 8, 16]))
@settings(max_examples=40, deadline=None)
def test_resize_rule_from_any_size(width, height, size):
    image = np.full((height, width, 3), 90, np.uint8)
    resized = resize_array(image, size)
    assert resized.shape == (3, size, size)
    assert set(resized.ravel().tolist()) == {90}


def test_resize_rule_ignores_cropped_pixels():
    """The filter reads no pixels outside the cropped square."""
    image = np.zeros((30, 90, 3), np.uint8)
    image[:, 30:60] = 200
    assert set(resize_array(image).ravel().tolist()) == {200}


def test_resize_rule_is_antialiased():
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    resized = resize_array(stripes).astype(int)
    assert abs(resized - 127).max() <= 5  # a filter that skips pixels would give 0 or 255


def test_convert_images_counts_enlarged():
    raw_images = [
        RawImage(str(side), encode_image(random_images(1, side)[0])) for side in (4, 7, 8, 9, 100)
    ]
    assert convert_images(raw_images, ResizeRule(size=8)).num_enlarged == 2
    assert convert_images(raw_images, ResizeRule(size=8, crop=5)).num_enlarged == 5
