"""The small convolutional network that classifies generated images.

It is an ordinary module without a seed axis: all runs and seeds share one classifier of a data
set, so that their numbers are comparable, and it reads all of their images as one batch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

MIN_IMAGE_SIDE = 8
"""Smallest height and width of an image, since there are two poolings."""


class ImageClassifier(nn.Module):
    """A convolutional classifier: four convolutions with batch norm, pooling and a linear layer.

    The last convolution is residual; the features are the maximum of its output over the image.

    Arguments:
        channels: Channels of an image.
        classes: Number of classes K.
        width: Channels of the first convolution; the second has twice as many, the others four
            times as many, and these are the features.

    Examples:
        >>> classifier = ImageClassifier(channels=1, classes=10, width=16).eval()
        >>> logits, features = classifier(torch.zeros(5, 1, 28, 28))
        >>> logits.shape, features.shape
        (torch.Size([5, 10]), torch.Size([5, 64]))
    """

    def __init__(self, channels: int, classes: int, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(*_conv_block(channels, width, with_pooling=True))
        self.second = nn.Sequential(*_conv_block(width, 2 * width, with_pooling=True))
        self.third = nn.Sequential(*_conv_block(2 * width, 4 * width, with_pooling=False))
        self.residual = nn.Sequential(*_conv_block(4 * width, 4 * width, with_pooling=False))
        self.last = nn.Linear(4 * width, classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the logits of the classes, and the features that they are computed from.

        Arguments:
            images: Images in [-1, 1], with shape (n, C, H, W); H and W of at least 8.

        Returns:
            Logits, with shape (n, K), and features, with shape (n, 4 `width`).
        """
        x = images.contiguous(memory_format=torch.channels_last)  # twice as fast on a CPU
        x = self.third(self.second(self.first(x)))
        features = (x + self.residual(x)).amax((-2, -1))
        return self.last(features), features


def _conv_block(in_channels: int, out_channels: int, *, with_pooling: bool) -> list[nn.Module]:
    """Return the layers of a block; pooling comes early, so that later layers are cheaper."""
    return [
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        *([nn.MaxPool2d(2)] if with_pooling else []),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    ]
