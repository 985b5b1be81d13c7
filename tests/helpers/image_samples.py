"""Samples of images with given classifier outputs."""

import torch

from iidgan.core import ClassifierOutputs, Predictions, Samples

PROTOCOL = {"extractor": "mnist-classifier", "weights": "f00", "resize": "none"}


def make_predictions(classes, confidences=None, features=None):
    """Predictions of given classes (..., N, V), by default with confidence 1."""
    classes = torch.as_tensor(classes)
    return Predictions(
        classes,
        torch.ones(classes.shape) if confidences is None else torch.as_tensor(confidences),
        torch.zeros(*classes.shape[:-1], 2) if features is None else features,
    )


def make_samples(generated, real, classes=10, **fields):
    blank_images = torch.zeros(len(generated.classes), 1, 1, 8, 8)
    values = ClassifierOutputs(generated, real, classes, PROTOCOL)
    return Samples(blank_images, blank_images[0], classifier_outputs=values, **fields)


def feature_samples(x, y):
    """Samples of features: generated (S, n, D), real (m, D)."""
    none_x, none_y = (torch.zeros(*v.shape[:-1], 1, dtype=torch.int64) for v in (x, y))
    return make_samples(make_predictions(none_x, features=x), make_predictions(none_y, features=y))
