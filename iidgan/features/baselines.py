"""Features that need no trained network: pixels, and random convolutions."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from iidgan.features.extractor import FrozenExtractor
from iidgan.features.preprocessing import ANTIALIASED_BICUBIC, Preprocessing

_WIDTHS = (3, 64, 128, 256, 512)


class RandomConvNet(nn.Module):
    """Four random 3 x 3 convolutions of stride 2 with ReLU, and the mean over the image.

    The weights have variance 2 / fan-in (He et al., 2015). They are drawn by NumPy's legacy
    generator, whose numbers never change.

    Arguments:
        seed: Seed of the weights.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        random_state = np.random.RandomState(seed)
        layers: list[nn.Module] = []
        for in_channels, out_channels in pairwise(_WIDTHS):
            conv = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False)
            std = math.sqrt(2 / (9 * in_channels))
            weight = std * random_state.standard_normal(tuple(conv.weight.shape))
            conv.weight.data = torch.from_numpy(weight).float()
            layers += [conv, nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Compute the features, with shape (n, 512).

        Arguments:
            images: Images in [-1, 1], with shape (n, 3, H, W).
        """
        return self.layers(images).mean((-2, -1))


def create_random(*, seed: int = 0, size: int = 64) -> FrozenExtractor:
    """Create an extractor with random weights, for images that ImageNet says nothing about.

    Arguments:
        seed: Seed of the weights.
        size: Side of the square that images are resized to, in pixels.

    References:
        Reliable Fidelity and Diversity Metrics for Generative Models (Naeem, Oh, Uh, Choi and
        Yoo, 2020), https://arxiv.org/abs/2002.09797: features of random networks.

    Examples:
        >>> create_random()(torch.zeros(5, 3, 32, 32, dtype=torch.uint8)).shape
        torch.Size([5, 512])
    """
    return FrozenExtractor("random", RandomConvNet(seed), _square_preprocessing(size, (-1.0, 1.0)))


def create_pixels(*, size: int = 32) -> FrozenExtractor:
    """Create an extractor whose features are the pixels, as RGB values in [0, 1].

    Arguments:
        size: Side of the square that images are resized to, in pixels.

    Examples:
        >>> white = torch.full((1, 1, 28, 28), 255, dtype=torch.uint8)
        >>> create_pixels(size=2)(white)
        tensor([[1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.]])
    """
    return FrozenExtractor("pixels", nn.Flatten(), _square_preprocessing(size, (0.0, 1.0)))


def _square_preprocessing(size: int, value_range: tuple[float, float]) -> Preprocessing:
    return Preprocessing(size=(size, size), filter=ANTIALIASED_BICUBIC, value_range=value_range)
