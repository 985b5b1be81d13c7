"""The contract of metrics of images."""

import json
from dataclasses import replace

import pytest
import torch

from iidgan.metrics import METRICS
from iidgan.testing import check_metric
from tests.helpers.errors import raises_input_error
from tests.helpers.image_samples import PROTOCOL, feature_samples, make_predictions, make_samples
from tests.helpers.samples import normal, seeded_generator


def random_samples(views):
    classes = torch.randint(10, (3, 300, views), generator=seeded_generator())
    confidences = 1 - 0.4 * torch.rand(3, 300, views, generator=seeded_generator(1))
    generated = make_predictions(classes, confidences, normal(3, 300, 5).float())
    real = make_predictions(classes[0], confidences[1], normal(300, 5, seed=1).float())
    labels = torch.randint(10**views, (500,), generator=seeded_generator(2))
    return make_samples(generated, real, labels=labels)


@pytest.mark.parametrize(
    ("name", "views"),
    [("digits", 1), ("stacked", 3), ("classifier-fid", 1), ("classifier-fid", 3)],
)
def test_image_metric_contract(name, views):
    samples = random_samples(views)
    metric = METRICS[name]()
    check_metric(metric, samples)
    assert all(value.isfinite().all() for value in metric(samples).values())
    protocol = metric.protocol(samples)
    assert json.loads(json.dumps(dict(protocol))) == protocol
    assert protocol.keys() >= PROTOCOL.keys() | vars(metric).keys() | {"num_generated"}
    assert all(protocol[key] == value for key, value in PROTOCOL.items())


@pytest.mark.parametrize("name", ["digits", "stacked", "classifier-fid"])
def test_image_metric_classifier_missing_reason(name):
    reason = "a classifier of mnist: `iidgan prepare mnist-classifier` makes it"
    samples = replace(random_samples(1), classifier_outputs=None, classifier_missing_reason=reason)
    assert METRICS[name]().missing(samples) == reason
    with raises_input_error(name, reason):
        METRICS[name]()(samples)


@pytest.mark.parametrize(
    ("name", "samples", "value"),
    [
        ("digits", random_samples(3), 3),
        ("stacked", random_samples(1), "stacked images"),
        ("classifier-fid", feature_samples(normal(2, 1, 3), normal(5, 3)), 1),
    ],
)
def test_image_metric_missing(name, samples, value):
    missing = METRICS[name]().missing(samples)
    with raises_input_error(name, missing, value):
        METRICS[name]()(samples)
