"""Features of sets of samples, parts of them, and pairs."""

from dataclasses import replace

import pytest
import torch

from iidgan.features import create_extractor
from iidgan.sample_sets import extract_features, open_data, pair_features
from iidgan.utils.subsets import choose_indices
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import make_images

PIXELS = create_extractor("pixels", size=4)


@pytest.fixture
def images():
    labels = torch.arange(20) % 2
    return replace(open_data(make_images(20, 1, 8, 8)), labels=labels, label_names=("even", "odd"))


def test_features_of_all_images(images):
    feature_set = extract_features(images, PIXELS)
    assert feature_set.features.values.equal(PIXELS(images.take(range(20))))
    assert feature_set.features.images_sha256 == images.compute_sha256(range(20))
    assert (len(feature_set), feature_set.num_available) == (20, 20)
    assert feature_set.name_labels()[:3] == ["even", "odd", "even"]


def test_features_of_a_part(images):
    indices = choose_indices(20, 6, seed=1)
    feature_set = extract_features(images, PIXELS, 6, seed=1)
    assert feature_set.features.values.equal(PIXELS(images.take(indices)))
    assert feature_set.take([2, 0]).equal(images.take([indices[2], indices[0]]))
    assert feature_set.labels.equal(images.labels[torch.tensor(indices)])
    assert (len(feature_set), feature_set.num_available) == (6, 20)


def test_points_are_their_own_features():
    points = torch.randn(20, 3)
    feature_set = extract_features(open_data(points), None)
    assert feature_set.features.values.equal(points)
    assert feature_set.features.protocol.extractor == "points"
    other = extract_features(open_data(points + 1), None)
    assert feature_set.features.images_sha256 != other.features.images_sha256


def test_images_need_an_extractor(images):
    with raises_input_error(images.name, "images", "extractor"):
        extract_features(images, None)


def test_parts_have_digests_of_their_own(images):
    feature_set = extract_features(images, PIXELS)
    part = feature_set.part(6, seed=1)
    expected = extract_features(images, PIXELS, 6, seed=1)
    assert part.features.values.equal(expected.features.values)
    assert part.take([1]).equal(expected.take([1]))
    assert part.labels.equal(expected.labels)
    digests = {feature_set.part(num).features.images_sha256 for num in (5, 6, 20, 30)}
    assert len(digests) == 3  # that of all samples is their own


def test_pair_has_what_metrics_need(images):
    real, fake = extract_features(images, PIXELS), extract_features(images, PIXELS, 6)
    pair = pair_features(real, fake, PIXELS)
    assert (pair.real, pair.fake) == (real.features, fake.features)
    assert pair.head is None
    assert pair.label_names == ("even", "odd")
    assert pair.take_fake([0]).equal(fake.take([0]))


def test_pair_of_other_features_is_refused(images):
    real = extract_features(images, PIXELS)
    fake = replace(extract_features(images, create_extractor("pixels", size=5)), name="samples")
    with raises_input_error("samples", "num_features", "48", "75"):
        pair_features(real, fake, PIXELS)
