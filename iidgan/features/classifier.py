"""Features of the classifier of a data set, which `iidgan prepare NAME-classifier` trains."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from iidgan.errors import MissingFileError
from iidgan.evaluation.classifier.store import SUFFIX, classifier_dir, find_saved_classifier
from iidgan.features.extractor import FrozenExtractor
from iidgan.features.preprocessing import CROP_PAD_OR_BICUBIC, Preprocessing
from iidgan.metrics.classifier import ImageClassifier


class ClassifierFeatures(nn.Module):
    """The features of a classifier: the activations before its last layer.

    Arguments:
        classifier: The classifier.
    """

    def __init__(self, classifier: ImageClassifier) -> None:
        super().__init__()
        self.classifier = classifier

    @property
    def head(self) -> nn.Linear:
        """The last layer: features to the logits of the classes."""
        return self.classifier.last

    def forward(self, images: Tensor) -> Tensor:
        """Compute the features, with shape (n, D).

        Arguments:
            images: Images in [-1, 1], with shape (n, C, H, W).
        """
        features: Tensor = self.classifier(images)[1]
        return features


def create_classifier_features(name: str, *, root: str | Path | None = None) -> FrozenExtractor:
    """Load the classifier of a data set as an extractor.

    Arguments:
        name: Name of the data set with `-classifier`, such as `mnist-classifier`.
        root: Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache.

    Raises:
        InputError: The classifier is missing or damaged.
    """
    source_name, root_folder = name.removesuffix(SUFFIX), None if root is None else Path(root)
    saved_classifier = find_saved_classifier(source_name, root_folder)
    if saved_classifier is None:
        folder = classifier_dir(source_name, root_folder)
        raise MissingFileError(f"{folder}: no classifier; `iidgan prepare {name}` trains it")
    loaded = saved_classifier.load_extractor("cpu", per_channel=False)
    channels, height, width = loaded.shape
    preprocessing = Preprocessing(
        size=(height, width),
        filter=CROP_PAD_OR_BICUBIC,
        value_range=(-1.0, 1.0),
        channels=channels,
    )
    return FrozenExtractor(name, ClassifierFeatures(loaded.net), preprocessing)
