"""Cropping and resizing of images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from iidgan.data.prepare.decode import convert_images
from iidgan.data.prepare.reader import RawImage
from iidgan.data.prepare.resize import ResizeRule, format_size, parse_size
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


@given(*[st.integers(1, 40)] * 2, *[st.integers(4, 20)] * 2)
@settings(max_examples=40, deadline=None)
def test_resize_rule_to_any_size(width, height, target_height, target_width):
    image = np.full((height, width, 3), 90, np.uint8)
    resized = resize_array(image, (target_height, target_width))
    assert resized.shape == (3, target_height, target_width)
    assert set(resized.ravel().tolist()) == {90}


@given(*[st.integers(4, 60)] * 2, st.sampled_from([4, 8, 16]), st.sampled_from([None, 6]))
@settings(max_examples=30, deadline=None)
def test_equal_height_and_width_are_a_square(width, height, side, crop):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), "uint8"))
    square, pair = ResizeRule(size=side, crop=crop), ResizeRule(size=(side, side), crop=crop)
    assert np.array_equal(square(image), pair(image))
    assert str(square) == str(pair)
    assert square.is_enlarging(image) == pair.is_enlarging(image)


@pytest.mark.parametrize(
    ("shape", "kept"), [((60, 80), (60, 80)), ((90, 80), (60, 80)), ((60, 100), (60, 80))]
)
def test_resize_rule_crops_largest_part_of_shape(shape, kept):
    """The middle is white, as large as the largest part of 3 : 4."""
    image = np.zeros((*shape, 3), np.uint8)
    (top, left) = ((side - kept_side) // 2 for side, kept_side in zip(shape, kept))
    image[top : top + kept[0], left : left + kept[1]] = 255
    assert set(resize_array(image, (24, 32)).ravel().tolist()) == {255}


def test_resize_rule_crops_shape_within_crop():
    """Of the 12 pixels in the middle, 9 x 12 have the shape of 6 : 8."""
    image = np.zeros((40, 40, 3), np.uint8)
    image[16:25, 14:26] = 255
    rule = ResizeRule(size=(6, 8), crop=12)
    pixels = np.asarray(rule(Image.fromarray(image[:, :, 0])))
    assert pixels.shape == (6, 8)
    assert set(pixels[1:-1].ravel().tolist()) == {255}
    assert "that shape within 12" in str(rule)
    assert str(rule).endswith("6x8")


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_parse_size_inverts_format_size(height, width):
    size = height if height == width else (height, width)
    assert parse_size(format_size(size)) == size
    assert format_size((height, width)) == format_size(size)


@pytest.mark.parametrize("text", ["", "x", "8x", "x8", "8x9x10", "8.5", "big"])
def test_parse_size_refuses_other_text(text):
    with pytest.raises(ValueError, match="48x64"):
        parse_size(text)


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
