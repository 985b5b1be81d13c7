"""Images and extractors for the tests of features."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from iidgan.features import FrozenExtractor, wrap_net


class ChannelMeans(nn.Module):
    """The mean of each channel, and batch norm that a training mode would move."""

    input_size = (8, 8)
    value_range = (-1.0, 1.0)

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)

    def forward(self, images):
        return self.drop(self.norm(images)).mean((-2, -1))


class NaNForBlack(ChannelMeans):
    """Features of a network with a damaged weight: not finite for black images."""

    def forward(self, images):
        return super().forward(images) / (images.amax((1, 2, 3)) > -1)[:, None]


def make_images(*shape, seed=0):
    """Random bytes of a shape."""
    return np.random.RandomState(seed).randint(0, 256, shape).astype(np.uint8)


def make_extractor_of_means() -> FrozenExtractor:
    return wrap_net(ChannelMeans(), "means")


def load_photo(name):
    """The central square of a photo in the package scikit-image, with shape (1, 3, H, W)."""
    spec = importlib.util.find_spec("skimage")
    if spec is None:
        pytest.skip("scikit-image is not installed")
    with Image.open(Path(spec.origin).parent / "data" / f"{name}.png") as photo:
        size = min(photo.size)
        left, top = (photo.width - size) // 2, (photo.height - size) // 2
        square = photo.convert("RGB").crop((left, top, left + size, top + size))
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)[None]
