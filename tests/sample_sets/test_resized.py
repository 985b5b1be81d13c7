"""Images of any set, cropped and resized."""

import numpy as np
import pytest
import torch
from PIL import Image

from iidgan.core import Dataset
from iidgan.sample_sets import open_samples
from tests.helpers.errors import raises_input_error
from tests.helpers.images import random_images, write_files
from tests.helpers.sample_sets import channels_first, make_model, name_images, read_all


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_those_of_pillow(channels):
    images = random_images(5, 9, channels)
    samples = open_samples(images[:, :7], size=4)
    assert (samples.num_samples, samples.shape) == (5, (channels, 4, 4))
    assert samples.notes == ("centre crop of the shorter side, Pillow bicubic (antialiased) to 4",)
    for image, pixels in zip(images, read_all(samples)):
        square = Image.fromarray(np.squeeze(image[:7, 1:8]))
        expected = np.asarray(square.resize((4, 4), Image.Resampling.BICUBIC))
        assert np.array_equal(pixels.permute(1, 2, 0).numpy().squeeze(), expected)


def test_arrays_are_resized_as_files_are(tmp_path):
    images = random_images(5, 9)
    path = write_files(tmp_path, name_images(images))
    assert read_all(open_samples(images, size=6)).equal(read_all(open_samples(path, size=6)))


def test_equal_size_changes_nothing():
    images = random_images(5)
    same, samples = open_samples(images, size=8), open_samples(images)
    assert same.compute_sha256(range(5)) == samples.compute_sha256(range(5))
    assert same.notes == ()


def test_labels_stay():
    y = torch.tensor([1, 0, 1])
    dataset = Dataset(channels_first(random_images(3)), y, labels=("cat", "dog"), notes=("pets",))
    samples = open_samples(dataset, size=4)
    assert (samples.labels.tolist(), samples.label_names) == (y.tolist(), ("cat", "dog"))
    assert samples.notes[0] == "pets"


def test_sizes_have_digests_of_their_own():
    digests = {
        open_samples(make_model(), size=size, num=9).compute_sha256(range(9))
        for size in (None, 4, 5, 8)
    }
    assert len(digests) == 3  # images have 8 pixels already


@pytest.mark.parametrize("size", [3, 2000])
def test_size_is_in_range(size):
    with raises_input_error("size", "between 4 and 1024", size):
        open_samples(random_images(2), size=size)


def test_points_have_no_size():
    with raises_input_error("size", "samples has points", "leave it out"):
        open_samples(np.zeros((3, 2)), size=8)
