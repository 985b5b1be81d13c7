"""Features of the classifier of a data set."""

import pytest
import torch

from iidgan.evaluation.classifier.store import find_saved_classifier
from iidgan.features import create_extractor
from tests.helpers.classifiers import make_bar_images
from tests.helpers.errors import raises_input_error


@pytest.mark.slow
def test_features_are_those_of_the_metrics(mnist_classifier):
    saved = find_saved_classifier("mnist")
    images = torch.from_numpy(make_bar_images(20)[0])[:, None]
    extractor = create_extractor("mnist-classifier")
    expected = saved.load_extractor("cpu", per_channel=False)(images.float() / 127.5 - 1)
    features = extractor(images)
    torch.testing.assert_close(features, expected.features, rtol=1e-4, atol=1e-5)
    assert extractor.head(features).argmax(1).equal(expected.classes[:, 0])
    assert extractor.protocol.input_size == (28, 28)


def test_missing_classifier_says_how_to_train_it(tmp_path):
    with raises_input_error(None, tmp_path, "iidgan prepare cats-classifier"):
        create_extractor("cats-classifier", root=tmp_path)


@pytest.mark.slow
def test_colours_are_refused_by_a_classifier_of_greys(mnist_classifier):
    with raises_input_error("images", 3):
        create_extractor("mnist-classifier")(torch.zeros(1, 3, 28, 28, dtype=torch.uint8))
