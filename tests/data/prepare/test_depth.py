"""The range of a data set's values, and its scaling to 8 bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iidgan.data.prepare import prepare
from iidgan.data.prepare.depth import PixelRange, PixelStatistics
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, load_arrays, random_images, write_files


def choose_range(*arrays):
    statistics = PixelStatistics()
    for array in arrays:
        statistics.add_values(np.asarray(array))
    return statistics.choose_range()


@pytest.mark.parametrize(
    ("maximum", "bits"),
    [(0, 8), (255, 8), (256, 10), (1023, 10), (1024, 12), (4096, 14), (16384, 16), (65535, 16)],
)
def test_choose_range_of_bits(maximum, bits):
    assert choose_range([maximum], [0]) == PixelRange(0, 2**bits - 1)
    assert f"({bits} bits)" in str(choose_range([maximum]))


def test_choose_range_of_extremes():
    assert choose_range([65536], [3]) == PixelRange(3, 65536)
    assert choose_range([-1], [3]) == PixelRange(-1, 3)
    assert choose_range([0.25], [0.5]) == PixelRange(0.25, 0.5)
    assert PixelRange(0.25, 0.5).to_bytes(np.array([0.25, 0.375, 0.5])).tolist() == [0, 128, 255]
    assert choose_range([0.25]).to_bytes(np.array([0.25])).tolist() == [0]


def test_choose_range_refuses_mixture():
    with raises_input_error("range", "up to 300", "up to 0.5", "--range LOW HIGH"):
        choose_range([300], [0.5])


@pytest.mark.parametrize("bounds", [(1, 1), (2, 1), (0, np.inf), (np.nan, 1), (-1.7e308, 1.7e308)])
def test_pixel_range_refuses_bounds(bounds):
    with raises_input_error("range", "LOW must be less than HIGH"):
        PixelRange(*bounds)


@given(st.integers(0, 65535), st.sampled_from([8, 10, 12, 14, 16]))
def test_to_bytes_shifts_integers(value, bits):
    for dtype in (np.uint16, np.int64):
        scaled = PixelRange.of_bits(bits).to_bytes(np.array([value], dtype))
        assert scaled.tolist() == [min(value >> (bits - 8), 255)]


DEEP = random_images(3, 8, 1)[..., 0].astype(np.uint16) << 4


@pytest.fixture
def deep_set(tmp_path):
    """Two images of 12 bits in 16, and one of 8."""
    files = {f"{i}.png": encode_image(image) for i, image in enumerate(DEEP[:2])}
    files["2.png"] = encode_image((DEEP[2] >> 4).astype(np.uint8))
    return str(write_files(tmp_path / "deep", files))


def test_prepare_scales_set_to_8_bits(deep_set):
    messages = []
    result = prepare("deep", origin=deep_set, size=8, on_message=messages.append)
    assert np.array_equal(load_arrays(result)[0][:, 0], DEEP >> 4)
    assert "values from 0 to 4095 (12 bits) scaled to 8 bits" in result.manifest.rule
    assert [message for message in messages if "more than 8 bits" in message] == messages


def test_prepare_with_range(deep_set):
    result = prepare("deep", origin=deep_set, size=8, value_range=(0, 2047))
    images = load_arrays(result)[0][:, 0]
    assert np.array_equal(images[:2], np.minimum(DEEP[:2] >> 3, 255))
    assert np.array_equal(images[2], DEEP[2] >> 4)
    assert "--range 0 2047" in result.manifest.prepare_command(None)
    assert not prepare("deep", origin=deep_set, size=8, value_range=(0, 2047)).is_new
    with raises_input_error(str(result.folder), "range was [0, 2047], is [0, 4095]"):
        prepare("deep", origin=deep_set, size=8, value_range=(0, 4095))


def test_prepare_notes_useless_range(tmp_path):
    folder = write_files(tmp_path / "x", {"1.png": encode_image(random_images(1)[0])})
    messages = []
    options = {"value_range": (0, 100), "on_message": messages.append}
    result = prepare("x", origin=str(folder), size=8, **options)
    assert np.array_equal(load_arrays(result)[0], random_images(1).transpose(0, 3, 1, 2))
    assert messages == ["--range has no effect: no image has more than 8 bits"]


def test_prepare_leaves_nothing_of_mixed_set(tmp_path, deep_set):
    write_files(
        tmp_path / "deep", {"3.tif": encode_image(np.full((8, 8), 0.5, np.float32), "TIFF")}
    )
    with raises_input_error("range", "--range LOW HIGH"):
        prepare("deep", origin=deep_set)
    assert list((tmp_path / "home").iterdir()) == []
