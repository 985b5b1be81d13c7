"""Sets of images as checked blocks."""

import numpy as np
import pytest
import torch

from iidgan.core import Dataset
from iidgan.data.stacked import StackedView
from iidgan.features import ImageBlocks, images
from iidgan.features.images import split_images
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import make_images


def join(blocks):
    return torch.cat(list(blocks))


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(images, "MAX_BLOCK_BYTES", 4 * 48)


def as_mapped(array, tmp_path):
    np.save(tmp_path / "images.npy", array)
    return np.load(tmp_path / "images.npy", mmap_mode="r")


@pytest.mark.parametrize(
    "convert",
    [
        lambda array, _: array,
        lambda array, _: torch.from_numpy(array),
        lambda array, _: Dataset(torch.from_numpy(array)),
        lambda array, _: np.asfortranarray(array),
        as_mapped,
    ],
)
def test_blocks_are_the_images(small_blocks, convert, tmp_path):
    array = make_images(10, 3, 4, 4)
    blocks = split_images(convert(array, tmp_path))
    assert blocks.num_images == 10
    assert [len(block) for block in blocks] == [4, 4, 2]
    assert join(blocks).equal(torch.from_numpy(array))


def test_digest_is_of_content_and_shape(small_blocks, monkeypatch, tmp_path):
    array = make_images(10, 3, 4, 4)
    digest = split_images(array).compute_sha256()
    for same in (torch.from_numpy(array), np.asfortranarray(array), as_mapped(array, tmp_path)):
        assert split_images(same).compute_sha256() == digest
    monkeypatch.setattr(images, "MAX_BLOCK_BYTES", 1 << 24)
    assert split_images(array).compute_sha256() == digest
    others = (array[::-1], array[:-1], array.reshape(10, 3, 2, 8), array ^ 1)
    assert len({split_images(np.array(x)).compute_sha256() for x in others} | {digest}) == 5


@pytest.mark.parametrize("pixels", [28, 64])
def test_blocks_of_computed_images_are_bytes(pixels):
    """Stacked images of 64 pixels are resized in floating point."""
    view = StackedView(torch.tensor([[0, 1, 2], [2, 2, 0]]), pixels)
    dataset = Dataset(torch.from_numpy(make_images(3, 1, 28, 28)), view=view)
    images_of_blocks = join(split_images(dataset))
    expected = (dataset.take_samples(torch.arange(2)) + 1) * 127.5
    assert images_of_blocks.equal(expected.round().to(torch.uint8))


def test_digest_of_a_data_set_is_its_own():
    dataset = Dataset(torch.from_numpy(make_images(3, 1, 4, 4)))
    assert split_images(dataset).compute_sha256() == dataset.compute_sha256()


def test_generator_of_blocks_of_any_size():
    blocks = split_images(make_images(2, 1, side, side + 1) for side in (3, 5))
    assert (blocks.num_images, blocks.compute_sha256) == (None, None)
    assert [tuple(block.shape) for block in blocks] == [(2, 1, 3, 4), (2, 1, 5, 6)]


def test_blocks_are_taken_as_they_are():
    blocks = ImageBlocks([torch.zeros(1, 1, 4, 4, dtype=torch.uint8)], 1, lambda: "digest")
    assert split_images(blocks) is blocks


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        (np.zeros((2, 3, 4, 4), np.float32), "float32"),
        (torch.zeros(2, 3, 4, 4), "float32"),
        (np.zeros((2, 4, 4, 3), np.uint8), (2, 4, 4, 3)),
        (np.zeros((2, 2, 4, 4), np.uint8), (2, 2, 4, 4)),
        (np.zeros((4, 4), np.uint8), (4, 4)),
        (np.zeros((0, 3, 4, 4), np.uint8), (0, 3, 4, 4)),
        (np.full((2, 3, 4, 4), np.nan), "float64"),
        (Dataset(torch.zeros(5, 2)), (2,)),
        ("folder", "folder"),
        (7, 7),
        ([7], 7),
        ([np.zeros((2, 3, 4, 4))], "float64"),
    ],
)
def test_what_is_no_image_is_refused(wrong, value):
    with raises_input_error("images", value):
        list(split_images(wrong))
