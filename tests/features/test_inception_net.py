"""The network of the papers' FIDs equals torch-fidelity's, which reads the same weights."""

import math

import numpy as np
import pytest
import torch

from iidgan.features import create_extractor, inception
from iidgan.features.inception_net import InceptionV3
from iidgan.utils.files import file_sha256
from tests.helpers.extractors import make_images

FIDELITY_FEATURES = [13.396194, 3.991062, 0.0, 0.6615164, 3.565843, 0.0]
FIDELITY_LOGITS = [-4.800272, 18.95073, 20.247408]
"""Of torch-fidelity 0.4.0, torch 2.13, for the weights and the image below."""


def draw_weights():
    """Random weights of the network, from a generator whose numbers never change."""
    with torch.device("meta"):
        tensors = InceptionV3().state_dict()
    random_state, weights = np.random.RandomState(0), {}
    for name, tensor in sorted(tensors.items()):
        shape = tuple(tensor.shape)
        if name.endswith("num_batches_tracked"):
            values = np.array(0)
        elif name.endswith(("running_var", "bn.weight")):
            values = random_state.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            values = random_state.standard_normal(shape) * math.sqrt(2 / np.prod(shape[1:]))
        else:
            values = random_state.standard_normal(shape) * 0.1
        weights[name] = torch.from_numpy(np.asarray(values)).to(tensor.dtype)
    return weights


@pytest.fixture
def fidelity():
    return pytest.importorskip("torch_fidelity", exc_type=ImportError)


@pytest.fixture(scope="module")
def weights_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(draw_weights(), path)
    return path


@pytest.fixture
def extractor(weights_path, monkeypatch):
    loaders = {file_sha256(weights_path): inception._load_state_dict}
    monkeypatch.setattr(inception, "_NET_LOADERS", loaders)
    return create_extractor("inception", weights=weights_path)


@pytest.mark.slow
def test_known_answers_of_torch_fidelity(extractor):
    features = extractor(torch.from_numpy(make_images(1, 3, 32, 32, seed=1)))
    assert features.shape == (1, 2048)
    expected = torch.tensor(FIDELITY_FEATURES)
    torch.testing.assert_close(features[0, :6], expected, rtol=1e-5, atol=1e-4)
    logits = extractor.head(features)[0, :3]
    torch.testing.assert_close(logits, torch.tensor(FIDELITY_LOGITS), rtol=1e-5, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(28, 28), (320, 500)])
def test_features_equal_those_of_torch_fidelity(fidelity, weights_path, extractor, size):
    names = ["2048", "logits"]
    theirs = fidelity.FeatureExtractorInceptionV3("inception", names, weights_path)
    images = torch.from_numpy(make_images(2, 3, *size))
    expected_features, expected_logits = theirs(images)
    features = extractor(images)
    torch.testing.assert_close(features, expected_features, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(extractor.head(features), expected_logits, rtol=1e-5, atol=1e-4)
