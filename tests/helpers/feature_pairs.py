"""Pairs of features of generators that are known to fail in some way."""

from dataclasses import replace

import torch
from torch import nn

from iidgan.evaluation.feature_metrics import FeaturePair
from iidgan.features import FeatureProtocol, Features
from tests.helpers.samples import normal, seeded_generator

NUM_CLASSES, NUM_FEATURES = 4, 6
LABEL_NAMES = ("bag", "boot", "coat", "shirt")

PROTOCOL = FeatureProtocol(
    extractor="random",
    weights="ab" * 32,
    num_features=NUM_FEATURES,
    input_size=(64, 64),
    resize_filter="bicubic",
    resize_kernel="a = -0.5, antialiased",
    resize_arithmetic="float32",
    value_range=(-1.0, 1.0),
)


def draw_classes(num, *, classes=range(NUM_CLASSES), seed=0):
    """Features and labels of samples of classes that are far apart."""
    choice = torch.randint(len(classes), (num,), generator=seeded_generator(seed + 100))
    labels = torch.tensor(classes)[choice]
    centres = 10 * torch.eye(NUM_CLASSES, NUM_FEATURES)
    return (centres[labels] + normal(num, NUM_FEATURES, seed=seed)).float(), labels


def make_pair(real, fake, *, extractor="random", **fields):
    """A pair of tensors of features, or of points if the extractor is `points`."""
    protocol = replace(PROTOCOL, extractor=extractor, num_features=real.shape[1])
    return FeaturePair(Features(real, protocol, "digest"), Features(fake, protocol), **fields)


def make_full_pair(real, fake, labels, **fields):
    """A pair with everything that some metric needs."""
    head = nn.Linear(NUM_FEATURES, NUM_CLASSES, bias=False).requires_grad_(False)
    head.weight.copy_(torch.eye(NUM_CLASSES, NUM_FEATURES))
    images = torch.randint(256, (len(fake), 1, 12, 12), generator=seeded_generator(2)).byte()
    return make_pair(
        real,
        fake,
        head=head,
        real_labels=labels,
        label_names=LABEL_NAMES,
        take_fake=lambda positions: images[torch.tensor(positions)],
        **fields,
    )


def make_failing_pairs(num=120):
    """Pairs by the way in which the generator fails; the real samples are the same."""
    real, labels = draw_classes(num)
    fakes = {
        "equal": real,
        "good": draw_classes(num, seed=1)[0],
        "half missing": draw_classes(num, classes=range(NUM_CLASSES // 2), seed=1)[0],
        "one class": draw_classes(num, classes=[0], seed=1)[0],
        "collapsed": real[:1].repeat(num, 1),
        "off the data": draw_classes(num, seed=1)[0] - 50,
        "fewer": draw_classes(num // 10, seed=1)[0],
    }
    return {name: make_full_pair(real, fake, labels) for name, fake in fakes.items()}
