"""Frechet distance on classifier features."""

import torch

from iidgan.functional.scores import frechet
from iidgan.metrics import ClassifierFID
from tests.helpers.image_samples import PROTOCOL, feature_samples
from tests.helpers.samples import normal


def test_classifier_fid_reads_float32_features():
    x, y = normal(2, 60, 4).float(), (1 + normal(50, 4, seed=1)).float()
    values = ClassifierFID()(feature_samples(x, y))
    assert torch.equal(values["classifier_fid"], frechet.frechet_distance(y.double(), x.double()))
    protocol = ClassifierFID().protocol(feature_samples(x, y))
    assert protocol == PROTOCOL | {"features": 4, "num_generated": 60, "num_real": 50}
