"""Features without a trained network."""

import torch

from iidgan.features import create_extractor
from tests.helpers.extractors import make_images


def test_pixels_of_the_right_size_are_the_images():
    images = torch.from_numpy(make_images(4, 3, 32, 32))
    torch.testing.assert_close(create_extractor("pixels")(images), images.flatten(1) / 255)


def test_random_features_are_the_same_everywhere():
    extractor = create_extractor("random")
    assert extractor.protocol.weights.startswith("0cf72987ae6f")
    assert create_extractor("random", seed=1).protocol.weights != extractor.protocol.weights


def test_random_features_tell_images_apart():
    features = create_extractor("random")(torch.from_numpy(make_images(8, 1, 28, 28)))
    assert torch.pdist(features).min() > 0.1
    assert 0.1 < features.std() < 10
