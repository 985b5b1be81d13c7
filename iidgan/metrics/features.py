"""What a classifier says of images: classes, confidences and features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from iidgan.core import Features, Judged, Metric, Protocol, Samples
from iidgan.errors import InputError
from iidgan.metrics.classifier import Classifier

_PIXELS_AT_ONCE = 2**20
_PADDING = 4  # 28 pixels are padded to 32


@dataclass(frozen=True)
class Extractor:
    """A trained classifier, and how it reads images of any size.

    Arguments:
        net: The classifier, in evaluation mode.
        name: What it is called.
        weights: The first digits of the digest of its weights, by which rows know them.
        shape: Shape (C, H, W) of the images that it was trained on.
        apart: Whether each channel of an image is one to it: stacked images.
    """

    net: Classifier
    name: str
    weights: str
    shape: tuple[int, int, int]
    apart: bool = False

    def protocol(self, shape: tuple[int, ...]) -> Protocol:
        """Says what was used, and how images of `shape` were brought to its size."""
        return {
            "extractor": self.name,
            "weights": self.weights,
            "resize": resize_rule(shape[-2:], self.shape[-2:]),
        }

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """Judges images, a bounded number at a time.

        Arguments:
            images: In [-1, 1], with shape (..., C, H, W).

        Returns:
            Features of shape (..., V) and (..., V D) on the CPU, with one view V of an image, or
            each of its channels.

        Raises:
            InputError: The images have another number of channels than the classifier reads.
        """
        channels, *size = images.shape[-3:]
        views = channels // self.shape[0] if self.apart else 1
        if channels != views * self.shape[0]:
            raise InputError(
                f"{self.name}: reads images of shape {self.shape}; these have shape "
                f"{tuple(images.shape[-3:])}: it is a classifier of another data set"
            )
        singles = images.reshape(-1, self.shape[0], *size)
        at_once = views * max(1, _PIXELS_AT_ONCE // (channels * size[0] * size[1]))
        parts = [self._judge(chunk) for chunk in singles.split(at_once)]
        classes, confidences, vectors = (torch.cat(part) for part in zip(*parts))
        lead = images.shape[:-3]
        return Features(
            classes.reshape(*lead, views),
            confidences.reshape(*lead, views),
            vectors.reshape(*lead, views * vectors.shape[-1]),
        )

    def _judge(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        device = next(self.net.parameters()).device
        images = images.to(device)
        logits, vectors = self.net(fit(images, self.shape[-2:]))
        # A maximum may hide what is not finite in an image, so the images are asked.
        finite = images.isfinite().flatten(1).all(1) & logits.isfinite().all(1)
        confidences, classes = logits.softmax(1).max(1)
        vectors = vectors.where(finite[:, None], torch.nan)
        return classes.where(finite, -1).cpu(), confidences.where(finite, 0).cpu(), vectors.cpu()


def fit(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Brings images (n, C, H, W) in [-1, 1] to `size` by the rule that `resize_rule` names."""
    height, width = images.shape[-2:]
    rule = resize_rule((height, width), size)
    if rule == "none":
        return images
    if rule.startswith("bicubic"):
        return interpolate(images, size=size, mode="bicubic").clamp(-1, 1)
    y, x = (size[0] - height) // 2, (size[1] - width) // 2
    return pad(images, (x, x, y, y), value=-1.0)


def resize_rule(size: tuple[int, ...], target: tuple[int, ...]) -> str:
    """Names how images of one size become images of another.

    A difference of up to four pixels is padding: 28 pixels stand in 32 with black around them. It
    is cut off or put on, evenly on all sides. Anything else is resized, without antialiasing: such
    images were enlarged before, from ones of about the target's size, and another blur would cost
    more than it saves. Of the test digits of mnist-5k enlarged to 64 pixels the classifier knows
    99.2 %, with an antialiased bilinear filter 98.9 %, and 99.3 % of those of 28 pixels.
    """
    if size == target:
        return "none"
    change = f"{'x'.join(map(str, size))} to {'x'.join(map(str, target))}"
    steps = [to - at for at, to in zip(size, target)]
    if all(abs(step) <= _PADDING and step % 2 == 0 for step in steps):
        return f"crop or pad {change}"
    return f"bicubic {change}"


def judged_by(metric: Metric, name: str, samples: Samples) -> Judged:
    """Gives what `metric` reads of `samples`.

    Raises:
        InputError: The samples lack what its `missing` names.
    """
    lack = metric.missing(samples)
    if samples.judged is None or lack:
        raise InputError(f"{name}: the samples lack {lack}")
    return samples.judged
