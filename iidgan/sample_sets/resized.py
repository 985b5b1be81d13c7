"""Images of another set, cropped and resized."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from iidgan.data.prepare.decode import convert_images
from iidgan.data.prepare.reader import RawImage
from iidgan.data.prepare.resize import ResizeRule, TargetSize, as_height_and_width
from iidgan.errors import InputError
from iidgan.sample_sets.sample_set import SampleSet


@dataclass(frozen=True, kw_only=True)
class ResizedSamples(SampleSet):
    """Images of a set, cropped and resized as `iidgan prepare` does it.

    Arguments:
        samples: The set.
        rule: How its images are cropped and resized.
    """

    samples: SampleSet
    rule: ResizeRule

    def iterate(self, indices: Sequence[int]) -> Iterator[Tensor]:
        for block in self.samples.iterate(indices):
            arrays = block.permute(0, 2, 3, 1).squeeze(3).numpy()
            images = [RawImage("", np.ascontiguousarray(array)) for array in arrays]
            yield torch.from_numpy(np.stack(convert_images(images, self.rule).pixels))

    def describe(self, index: int) -> str:
        return self.samples.describe(index)

    def compute_sha256(self, indices: Sequence[int]) -> str:
        digest = self.samples.compute_sha256(indices)
        return hashlib.sha256(f"{digest} {self.rule}".encode()).hexdigest()


def resize_samples(samples: SampleSet, size: TargetSize | None) -> SampleSet:
    """Crop and resize the images of a set.

    Arguments:
        samples: The set.
        size: Side of the images, or (height, width); None: they are not changed.

    Returns:
        A set, or `samples` itself if nothing changes.

    Raises:
        InputError: The set has points, or the size is out of range.
    """
    if size is None:
        return samples
    if not samples.is_image:
        raise InputError(f"size: {samples.name} has points, not images; leave it out")
    rule, target_size = ResizeRule(size=size), as_height_and_width(size)
    if samples.shape[1:] == target_size:
        return samples
    return ResizedSamples(
        name=samples.name,
        num_samples=samples.num_samples,
        shape=(samples.shape[0], *target_size),
        labels=samples.labels,
        label_names=samples.label_names,
        notes=(*samples.notes, str(rule)),
        samples=samples,
        rule=rule,
    )
