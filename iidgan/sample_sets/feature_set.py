"""Features of one side of a comparison, with the samples that they are of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.evaluation.feature_metrics import FeaturePair
from iidgan.features import (
    FeatureProtocol,
    Features,
    FrozenExtractor,
    ImageBlocks,
    create_extractor,
    extract,
)
from iidgan.features.extraction import ProgressCallback
from iidgan.sample_sets.sample_set import SampleSet
from iidgan.utils.subsets import choose_indices

DEFAULT_FEATURES = "efficientnet-lite0"
"""The extractor of images unless another one is named."""
POINTS = "points"
"""Name of the extractor of points, whose features are their coordinates."""


@dataclass(frozen=True)
class FeatureSet:
    """Features of n samples of a set.

    Arguments:
        name: What the user calls the set.
        features: Features with shape (n, D), and their protocol.
        num_available: Number N of samples of the whole set.
        shape: Shape of a sample: (C, H, W) of images, or (d,) of points.
        take: Reads the samples of some features, by their positions among the n: images, uint8
            with shape (m, C, H, W), perhaps reduced in size, or points.
        describe: Names the sample of a feature, by its position among the n, for messages.
        labels: Labels of the samples, int64 with shape (n,); None if there are none.
        label_names: Names of the labels, in order; empty if they have none.
        notes: Lines for the user on how the set was read.
    """

    name: str
    features: Features
    num_available: int
    shape: tuple[int, ...]
    take: Callable[[Sequence[int]], Tensor]
    describe: Callable[[int], str]
    labels: Tensor | None = None
    label_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.features)

    def part(self, num: int, *, seed: int = 0) -> FeatureSet:
        """Return a random part of the samples.

        Arguments:
            num: Number of samples, at most n.
            seed: Seed of the choice, by an own generator.
        """
        positions = choose_indices(len(self), num, seed=seed)
        if len(positions) == len(self):
            return self
        index = torch.tensor(positions)
        content = f"{self.features.images_sha256} {positions}"
        return replace(
            self,
            features=replace(
                self.features,
                values=self.features.values[index],
                images_sha256=hashlib.sha256(content.encode()).hexdigest(),
            ),
            take=lambda chosen: self.take([positions[position] for position in chosen]),
            describe=lambda position: self.describe(positions[position]),
            labels=None if self.labels is None else self.labels[index],
        )

    def name_labels(self) -> list[str] | None:
        """Return the name of the label of each sample, or None if there are no labels.

        Samples without a label, -1, have an empty name.
        """
        return None if self.labels is None else [*map(self._name_label, self.labels.tolist())]

    def _name_label(self, label: int) -> str:
        if label < 0:
            return ""
        return self.label_names[label] if self.label_names else str(label)


def create_extractor_for(
    samples: SampleSet, features: str | FrozenExtractor | None, device: torch.device
) -> FrozenExtractor | None:
    """Create the extractor of images; None for points, which are their own features.

    Arguments:
        samples: The samples.
        features: Name of the extractor, or the extractor; None for the default.
        device: Where it computes.

    Raises:
        InputError: The samples are points and need no extractor, or it cannot be created.
    """
    if samples.is_image:
        features = DEFAULT_FEATURES if features is None else features
        extractor = create_extractor(features) if isinstance(features, str) else features
        return extractor.to(device)
    if features is not None:
        raise InputError(
            f"features: the samples of {samples.name} are points, which are their own features; "
            "leave it out"
        )
    return None


def pair_features(
    reference: FeatureSet, samples: FeatureSet, extractor: FrozenExtractor | None
) -> FeaturePair:
    """Pair real with generated samples, for metrics of features.

    Arguments:
        reference: Features of real samples.
        samples: Features of generated samples.
        extractor: Extractor of both, whose last layer gives classes; None for points.

    Raises:
        InputError: The features are of different protocols, or not finite.
    """
    reference.features.protocol.check_comparable(samples.features.protocol, samples.name)
    return FeaturePair(
        real=reference.features,
        fake=samples.features,
        head=None if extractor is None else extractor.head,
        real_labels=reference.labels,
        label_names=reference.label_names,
        real_shape=reference.shape,
        fake_shape=samples.shape,
        take_fake=samples.take,
    )


def extract_features(
    samples: SampleSet,
    extractor: FrozenExtractor | None,
    num: int | None = None,
    *,
    seed: int = 0,
    on_progress: ProgressCallback = lambda done, total: None,
) -> FeatureSet:
    """Compute the features of a random part of a set, or read them if they were computed before.

    Arguments:
        samples: The set.
        extractor: Extractor of images; points are their own features.
        num: Number n of samples; None for all. A set that has fewer gives all.
        seed: Seed of the choice, by an own generator.
        on_progress: Receives the number of images done and of all images, after each batch.

    Raises:
        InputError: A sample cannot be read, or images come without an extractor.
    """
    indices = choose_indices(samples.num_samples, num, seed=seed)
    if not samples.is_image:
        points = torch.cat(list(samples.iterate(indices)))
        features = Features(points, points_protocol(samples))
    elif extractor is None:
        raise InputError(
            f"{samples.name}: expected points, got images; compare equal kinds, or give an "
            "extractor"
        )
    else:
        blocks = ImageBlocks(
            samples.iterate(indices), len(indices), lambda: samples.compute_sha256(indices)
        )
        features = extract(blocks, extractor, on_progress=on_progress)
    if not features.images_sha256:
        features = replace(features, images_sha256=samples.compute_sha256(indices))
    return FeatureSet(
        name=samples.name,
        features=features,
        num_available=samples.num_samples,
        shape=samples.shape,
        take=lambda positions: samples.take([indices[position] for position in positions]),
        describe=lambda position: samples.describe(indices[position]),
        labels=None if samples.labels is None else samples.labels[torch.tensor(indices)],
        label_names=samples.label_names,
        notes=samples.notes,
    )


def points_protocol(samples: SampleSet) -> FeatureProtocol:
    """Return the protocol of points, which are compared as they are.

    Arguments:
        samples: A set of points.
    """
    return FeatureProtocol(
        extractor=POINTS,
        weights="",
        num_features=samples.shape[0],
        input_size=None,
        resize_filter="none",
        resize_kernel="",
        resize_arithmetic="float32",
        value_range=(0.0, 0.0),
    )
