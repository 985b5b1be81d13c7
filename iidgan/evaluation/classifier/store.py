"""The stored classifier of a data set, and its outputs for generated and real images."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load
from torch import Tensor

from iidgan.config.serialization import encode
from iidgan.core import ClassifierOutputs, Dataset, Predictions, Source
from iidgan.data import Prepared
from iidgan.data.manifest import CLASSIFIERS_DIR, data_home
from iidgan.errors import InputError
from iidgan.metrics.classifier import ImageClassifier
from iidgan.metrics.features import FeatureExtractor
from iidgan.utils.files import damage_as_input_error, integrity_error, read_regular_file

SUFFIX = "-classifier"
WEIGHTS_FILE, MANIFEST_FILE = "model.safetensors", "classifier.json"
PRETRAINED_DIR = Path(__file__).parent / "pretrained"
"""Classifiers that come with the library. Weights trained on another machine differ, and numbers
of different classifiers are not comparable."""


def classifier_dir(name: str, root: Path | None = None) -> Path:
    """Return the folder of a source's classifier: in `root`, or where data sets are prepared.

    Arguments:
        name: Name of the source.
        root: Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache.

    Examples:
        >>> classifier_dir("mnist", Path("data")).as_posix()
        'data/classifiers/mnist'
    """
    return (root or data_home()) / CLASSIFIERS_DIR / name


@dataclass(frozen=True)
class SavedClassifier:
    """A classifier on the disk.

    Arguments:
        folder: Its folder.
        manifest: Content of its `classifier.json`.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name in metric records."""
        return f"{self.manifest['name']}{SUFFIX}"

    @property
    def is_pretrained(self) -> bool:
        """Whether it came with the library."""
        return self.folder.parent == PRETRAINED_DIR

    @property
    def weights_digest(self) -> str:
        """First digits of the digest of its weights, as in metric records."""
        return str(self.manifest["sha256"])[:16]

    def load_extractor(self, device: torch.device | str, *, per_channel: bool) -> FeatureExtractor:
        """Load the network in evaluation mode.

        Arguments:
            device: Device of the network.
            per_channel: Whether it reads each channel separately, as for stacked images.

        Raises:
            InputError: The weights do not fit the network of this version.
        """
        weights_file = self.folder / WEIGHTS_FILE
        with damage_as_input_error(weights_file, _suggest_prepare(self.manifest["name"])):
            channels, height, width = self.manifest["shape"]
            num_classes = len(self.manifest["labels"])
            net = ImageClassifier(channels, num_classes, self.manifest["recipe"]["width"])
            net.load_state_dict(load(read_regular_file(weights_file)))
        net.requires_grad_(False).eval().to(device)
        shape = (channels, height, width)
        return FeatureExtractor(net, self.name, self.weights_digest, shape, per_channel)


def read_classifier_manifest(folder: Path, advice: str = "") -> dict[str, Any]:
    """Read the manifest of a stored classifier.

    Arguments:
        folder: Folder of the classifier.
        advice: What to do if the manifest is damaged, added to the error.

    Raises:
        InputError: The manifest is missing or damaged.
    """
    manifest_file = folder / MANIFEST_FILE
    with damage_as_input_error(manifest_file, advice):
        manifest: dict[str, Any] = json.loads(read_regular_file(manifest_file))
        _check_manifest(manifest)
        return manifest


def find_saved_classifier(name: str, root: Path | None = None) -> SavedClassifier | None:
    """Find the classifier of a source's name, or None if there is none.

    Arguments:
        name: Name of the source.
        root: Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache,
            and last those that come with the library.

    Raises:
        InputError: It is damaged, or belongs to another source.

    Examples:
        >>> classifier = find_saved_classifier("mnist-5k")
        >>> classifier.name, len(classifier.manifest["labels"])
        ('mnist-5k-classifier', 10)
    """
    folder = classifier_dir(name, root)
    if root is None and not (folder / MANIFEST_FILE).exists():
        folder = PRETRAINED_DIR / name
    if not (folder / MANIFEST_FILE).exists():
        return None
    if reason := integrity_error(folder, (WEIGHTS_FILE, MANIFEST_FILE)):
        raise InputError(f"{folder}: damaged ({reason}); {_suggest_prepare(name)}")
    manifest = read_classifier_manifest(folder, _suggest_prepare(name))
    if manifest["name"] != name:
        raise InputError(
            f"{folder}: expected a classifier of {name!r}, got one of {manifest['name']!r}; "
            f"{_suggest_prepare(name)}"
        )
    return SavedClassifier(folder, manifest)


def _check_manifest(manifest: Mapping[str, Any]) -> None:
    """Check the fields of a manifest that are read.

    Raises:
        KeyError: A field is missing.
        TypeError: A field has another type.
    """
    field_types = {"name": str, "sha256": str, "data": str, "labels": list, "shape": list}
    for name, expected_type in (field_types | {"source": dict, "recipe": dict}).items():
        if not isinstance(manifest[name], expected_type):
            raise TypeError(f"{name} must be {expected_type.__name__}, got {manifest[name]!r}")


def _suggest_prepare(name: str) -> str:
    return f"run `iidgan prepare {name}{SUFFIX}` to train it again"


class ClassifierEvaluator:
    """A classifier of images with its outputs for the real ones, which are computed only once.

    Arguments:
        extractor: The classifier, or None if it is missing.
        num_classes: Number of classes.
        reference: Description of the real samples.
        missing_reason: Why the classifier is missing, and how to obtain it.
    """

    def __init__(
        self,
        extractor: FeatureExtractor | None = None,
        num_classes: int = 0,
        reference: str = "",
        missing_reason: str = "",
    ) -> None:
        self.extractor, self.num_classes, self.reference = extractor, num_classes, reference
        self.missing_reason = missing_reason
        self._real: tuple[int, Predictions] | None = None

    @property
    def warning(self) -> str:
        """One line on the metrics that will be left out; empty if there are none."""
        if not self.missing_reason:
            return ""
        return f"metrics of images are left out; they need {self.missing_reason}"

    def compare_with_real(
        self,
        generated: Predictions | None,
        real_chunks: Iterator[Tensor],
        num_real: int,
        shape: tuple[int, ...],
    ) -> ClassifierOutputs | None:
        """Combine predictions for generated images with those for real ones.

        Arguments:
            generated: Predictions of `extractor` for generated images.
            real_chunks: The real images; not read if predictions for as many are known.
            num_real: Number of real images.
            shape: Shape (C, H, W) of all images.

        Returns:
            None if there is no classifier.
        """
        if self.extractor is None or generated is None:
            return None
        if self._real is None or self._real[0] != num_real:
            chunks = [self.extractor(images) for images in real_chunks]
            self._real = num_real, concat_predictions(chunks)
        protocol = {**self.extractor.protocol(shape), "reference": self.reference}
        return ClassifierOutputs(generated, self._real[1], self.num_classes, protocol)


def concat_predictions(chunks: Sequence[Predictions]) -> Predictions:
    """Concatenate predictions for chunks of images.

    Arguments:
        chunks: Predictions for chunks of n images, classes and confidences with shape (..., n, V),
            features with shape (..., n, D).

    Examples:
        >>> chunk = Predictions(torch.zeros(2, 5, 1), torch.ones(2, 5, 1), torch.ones(2, 5, 8))
        >>> concat_predictions([chunk, chunk, chunk]).features.shape
        torch.Size([2, 15, 8])
    """
    names = [field.name for field in fields(Predictions)]
    tensors = (torch.cat([getattr(chunk, name) for chunk in chunks], dim=-2) for name in names)
    return Predictions(*tensors)


def require_classifier(source: Source) -> None:
    """Check, before training on images, that the classifier for their metrics exists.

    Arguments:
        source: Source of the images; one of points needs no classifier.

    Raises:
        InputError: It does not exist, or it is damaged.
    """
    if source.classifier_source and find_classifier(source) is None:
        raise InputError(f"classifier: the metrics need {_describe_missing(source)}")


def find_classifier(source: Source) -> SavedClassifier | None:
    """Find the classifier of a source: beside its prepared data set, or in the default folder.

    Arguments:
        source: Source of the images.

    Returns:
        The classifier; None if there is none, or if the source has points.

    Raises:
        InputError: It is damaged, or belongs to another source.

    Examples:
        >>> from iidgan import Ring
        >>> print(find_classifier(Ring()))
        None
    """
    if not source.classifier_source:
        return None
    root = _prepared_root(source)
    classifier = find_saved_classifier(source.classifier_source, root) if root else None
    return classifier or find_saved_classifier(source.classifier_source)


def _prepared_root(source: Source) -> Path | None:
    return Path(source.root) if isinstance(source, Prepared) and source.root else None


def _describe_missing(source: Source) -> str:
    name, root = source.classifier_source, _prepared_root(source)
    is_elsewhere = root is not None and root.absolute() != data_home()
    root_option = f" --root {shlex.quote(str(root))}" if is_elsewhere else ""
    return f"a classifier of {name}: `iidgan prepare {name}{SUFFIX}{root_option}` trains it"


def load_evaluator(
    source: Source, data: Dataset, device: torch.device | str
) -> ClassifierEvaluator:
    """Load the evaluator of a source's images; without a classifier, it says why.

    Arguments:
        source: Source of the images.
        data: Its data set.
        device: Device of the classifier.

    Raises:
        InputError: The classifier is damaged, or was trained on other data.
    """
    name = source.classifier_source
    if not name:
        return ClassifierEvaluator()
    if data.y is None:
        return ClassifierEvaluator(missing_reason="labels of the data to train a classifier on")
    classifier = find_classifier(source)
    if classifier is None or _is_of_other_data(classifier, source, data):
        reason = f"{_describe_missing(source)}, then `iidgan evaluate` computes them"
        return ClassifierEvaluator(missing_reason=reason)
    _check_channels(classifier, source, data)
    _check_labels(classifier, source, data)
    _check_data(classifier, source, data)
    extractor = classifier.load_extractor(device, per_channel=source.per_channel)
    split = getattr(source, "split", "")
    reference = f"{name}{', stacked' if source.per_channel else ''}{f', {split}' if split else ''}"
    return ClassifierEvaluator(extractor, len(classifier.manifest["labels"]), reference)


def _normalise_label(label: str) -> str:
    """Keep what all copies of a data set agree on: 'T-shirt/top', 'T - shirt / top'."""
    return "".join(filter(str.isalnum, label.casefold()))


def _describe_classes(labels: Sequence[str]) -> str:
    """Return the number of labels with the first ones."""
    more = "; ..." if len(labels) > 3 else ""
    return f"{len(labels)} classes ({'; '.join(labels[:3])}{more})"


def _count_views(source: Source, data: Dataset) -> int:
    return data.shape[0] if source.per_channel else 1


def _check_channels(classifier: SavedClassifier, source: Source, data: Dataset) -> None:
    channels = classifier.manifest["shape"][0]
    if data.shape[0] != _count_views(source, data) * channels:
        raise InputError(
            f"{classifier.folder}: a classifier of other data: it reads images of {channels} "
            f"channels, these have {data.shape[0]}; {_suggest_prepare(source.classifier_source)}"
        )


def _check_labels(classifier: SavedClassifier, source: Source, data: Dataset) -> None:
    single_labels, num_views = classifier.manifest["labels"], _count_views(source, data)
    labels = tuple(", ".join(names) for names in product(single_labels, repeat=num_views))
    if data.labels and [*map(_normalise_label, data.labels)] != [*map(_normalise_label, labels)]:
        raise InputError(
            f"{classifier.folder}: a classifier of other data: it knows "
            f"{_describe_classes(labels)}, the data have {_describe_classes(data.labels)}; "
            f"{_suggest_prepare(source.classifier_source)}"
        )


def _is_of_other_data(classifier: SavedClassifier, source: Source, data: Dataset) -> bool:
    """Return whether it came with the library, for other data of the same name."""
    return classifier.is_pretrained and _has_other_data(classifier, source, data)


def _check_data(classifier: SavedClassifier, source: Source, data: Dataset) -> None:
    if _has_other_data(classifier, source, data):
        name = source.classifier_source
        raise InputError(
            f"{classifier.folder}: was trained on other data named {name!r}; "
            f"{_suggest_prepare(name)}"
        )


def _has_other_data(classifier: SavedClassifier, source: Source, data: Dataset) -> bool:
    """Compare the digests of the data if the source and its split are the same."""
    trained_on = classifier.manifest["source"]
    encoded_source = encode(source, include_paths=False)
    is_same_source = all(
        trained_on.get(key) == encoded_source.get(key) for key in ("type", "split")
    )
    return is_same_source and classifier.manifest["data"] != data.compute_sha256()
