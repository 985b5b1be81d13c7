"""DINOv2 by transformers."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from iidgan.features import create_extractor
from iidgan.features.dinov2 import MEAN, STD
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import make_images


class MeansModel(nn.Module):
    """Stands for a `Dinov2Model`: its class token is the mean of each channel."""

    @classmethod
    def from_pretrained(cls, weights, **options):
        if weights != "means":
            raise OSError(f"{weights} is not a local folder\nand not a model on the Hub")
        return cls()

    def forward(self, pixel_values):
        return SimpleNamespace(pooler_output=pixel_values.mean((-2, -1)))


@pytest.fixture
def fake_transformers(monkeypatch):
    package = ModuleType("transformers")
    package.Dinov2Model = MeansModel
    monkeypatch.setitem(sys.modules, "transformers", package)


def test_images_are_standardised_as_in_the_training(fake_transformers):
    extractor = create_extractor("dinov2", weights="means")
    white = torch.full((2, 1, 20, 30), 255, dtype=torch.uint8)
    expected = (1 - torch.tensor(MEAN)) / torch.tensor(STD)
    torch.testing.assert_close(extractor(white), expected.expand(2, 3))
    assert extractor.protocol.input_size == (224, 224)


def test_missing_weights_are_one_line(fake_transformers):
    with raises_input_error("dinov2", "'none'", "local folder"):
        create_extractor("dinov2", weights="none")


def test_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with raises_input_error("dinov2", "iidgan[dinov2]"):
        create_extractor("dinov2")


@pytest.mark.slow
def test_model_of_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=28
    )
    model = transformers.Dinov2Model(config).eval()
    model.save_pretrained(tmp_path)
    extractor = create_extractor("dinov2", weights=tmp_path, size=28)
    images = torch.from_numpy(make_images(3, 3, 28, 28))
    pixels = (images / 255 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    with torch.no_grad():
        expected = model(pixels).last_hidden_state[:, 0]
    torch.testing.assert_close(extractor(images), expected, rtol=1e-4, atol=1e-5)
    assert extractor.protocol.num_features == 32
