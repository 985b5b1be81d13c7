"""Metrics of conditional generation: known answers."""

import math
from dataclasses import replace

import pytest
import torch

from iidgan.core import GaussianMixture, Samples
from iidgan.metrics import ConditionalImages, ConditionalModes
from iidgan.testing import check_metric
from tests.helpers.errors import raises_input_error
from tests.helpers.image_samples import make_predictions, make_samples
from tests.helpers.samples import normal

LABELS = torch.arange(120) % 3
CENTRES = 10 * torch.eye(3)
FEATURES = (CENTRES[LABELS] + normal(120, 3)).float()
REAL = make_predictions(LABELS[:, None], features=FEATURES)


def make_images(features, classes=LABELS, labels=LABELS):
    """Samples of one seed: 40 images of each of three classes, and as many real ones."""
    generated = make_predictions(classes[None, :, None], features=features[None])
    return make_samples(
        generated, REAL, classes=3, generated_labels=labels[None], real_labels=LABELS
    )


def measure(samples, **fields):
    values = ConditionalImages(**fields)(samples)
    return {name: value.item() for name, value in values.items()}


PERFECT = {
    "class_accuracy": 100,
    "class_accuracy_worst": 100,
    "class_accuracy_real": 100,
    "intra_fd": 0,
    "class_coverage": 1,
    "class_coverage_worst": 1,
    "classes_covered": 3,
    "class_diversity": 1,
    "classes_left_out": 0,
}


def test_copies_of_real_images_are_perfect():
    assert measure(make_images(FEATURES)) == pytest.approx(PERFECT, abs=1e-6)


def test_independent_images_of_the_data_are_nearly_perfect():
    """The distance alone has a bias, which decreases with the number of samples."""
    values = measure(make_images((CENTRES[LABELS] + normal(120, 3, seed=1)).float()))
    assert values["class_coverage"] > 0.75  # at most 1, so below it on average
    assert values["class_diversity"] == pytest.approx(1, abs=0.1)
    assert 0.05 < values["intra_fd"] < 0.5


def test_generator_that_ignores_the_class():
    """Each class gets all three kinds of images."""
    kinds = torch.arange(120) // 3 % 3
    values = measure(make_images((CENTRES[kinds] + normal(120, 3, seed=1)).float(), kinds))
    assert values["class_accuracy"] == pytest.approx(100 / 3, abs=1)
    assert values["class_coverage"] == pytest.approx(1 / 3, abs=0.1)
    assert values["classes_covered"] == 0
    assert values["class_diversity"] > 2


def test_permuted_labels():
    """All images are good, and all are of another class."""
    values = measure(make_images(FEATURES.roll(1, 0), LABELS.roll(1)))
    assert values["class_accuracy"] == values["class_accuracy_worst"] == 0
    assert values["class_coverage"] == values["classes_covered"] == 0
    assert values["intra_fd"] == pytest.approx(200, rel=0.1)  # between centres
    assert values["class_diversity"] == pytest.approx(1, abs=0.1)


def test_collapse_within_one_class():
    collapsed = torch.where((LABELS == 1)[:, None], CENTRES[1], FEATURES)
    values = measure(make_images(collapsed))
    assert values["class_accuracy"] == values["class_accuracy_worst"] == 100
    assert values["class_coverage_worst"] < 0.3
    assert values["class_coverage"] == pytest.approx((2 + values["class_coverage_worst"]) / 3)
    assert values["classes_covered"] == 2
    assert values["class_diversity"] == pytest.approx(2 / 3)
    real = FEATURES[LABELS == 1].double()
    moments = (real.mean(0) - CENTRES[1]).square().sum() + real.var(0).sum()
    assert values["intra_fd"] == pytest.approx(moments.item() / 3)


def test_accuracy_by_hand():
    """Half of the images of class 2 are called 0; one real image of ten is not recognised."""
    is_halved = (LABELS == 2) & (torch.arange(120) // 3 % 2 == 0)
    samples = make_images(FEATURES, LABELS.where(~is_halved, 0))
    mistaken = make_predictions(LABELS.where(torch.arange(120) % 10 > 0, -1)[:, None])
    outputs = replace(samples.classifier_outputs, real=replace(REAL, classes=mistaken.classes))
    values = measure(replace(samples, classifier_outputs=outputs))
    assert values["class_accuracy"] == pytest.approx(250 / 3)
    assert values["class_accuracy_worst"] == 50
    assert values["class_accuracy_real"] == pytest.approx(90)


def test_real_images_of_a_class_that_are_all_the_same():
    """Their distance is 0, and so what the diversity is divided by."""
    same = torch.where((LABELS == 1)[:, None], CENTRES[1], FEATURES)
    samples = make_images(FEATURES)
    real = replace(REAL, features=same)
    outputs = replace(samples.classifier_outputs, real=real)
    assert measure(replace(samples, classifier_outputs=outputs))["class_diversity"] == math.inf


def test_small_classes_are_left_out():
    labels = torch.where(torch.arange(120) < 105, LABELS, LABELS.clamp_max(1))
    values = measure(make_images(FEATURES, labels=labels), min_per_class=36)
    assert values["classes_left_out"] == 1
    assert values["class_accuracy_worst"] < 100
    only_two = measure(make_images(FEATURES), min_per_class=40)
    assert only_two["classes_left_out"] == 0
    none = measure(make_images(FEATURES), min_per_class=41)
    assert (none["classes_left_out"], none["classes_covered"]) == (3, 0)
    assert all(math.isnan(none[name]) for name in ("class_accuracy", "class_accuracy_worst"))


def test_number_of_compared_images():
    """The first twenty images of each class are copies, the others are not."""
    is_first = torch.arange(120) < 60
    samples = make_images(torch.where(is_first[:, None], FEATURES, 50.0))
    assert measure(samples, max_per_class=20)["intra_fd"] == pytest.approx(0, abs=1e-6)
    assert measure(samples, max_per_class=40)["intra_fd"] > 100


def test_diverged_seed():
    """The other seed is not affected."""
    features = torch.stack([FEATURES, torch.full_like(FEATURES, torch.nan)])
    classes = torch.stack([LABELS, torch.full_like(LABELS, -1)])
    generated = make_predictions(classes[..., None], features=features)
    labels = LABELS.expand(2, -1)
    samples = make_samples(generated, REAL, classes=3, generated_labels=labels, real_labels=LABELS)
    values = ConditionalImages()(samples)
    assert values["class_accuracy"].tolist() == [100, 0]
    assert values["classes_covered"].tolist() == [3, 0]
    for name in ("intra_fd", "class_coverage", "class_coverage_worst", "class_diversity"):
        assert values[name].isnan().tolist() == [False, True]


def test_contract_and_protocol():
    metric, samples = ConditionalImages(), make_images(FEATURES + 0.1 * normal(120, 3, seed=2))
    check_metric(metric, samples)
    protocol = metric.protocol(samples)
    assert protocol.keys() >= vars(metric).keys() | {"extractor", "num_generated", "num_real"}
    assert protocol["num_classes"] == 3


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("generated_labels", "the method is not conditional"),
        ("real_labels", "labels of the real samples"),
        ("classifier_outputs", "a classifier of such images"),
    ],
)
def test_missing(field, text):
    samples = replace(make_images(FEATURES), **{field: None})
    assert text in ConditionalImages().missing(samples)
    with raises_input_error("conditional-images", text):
        ConditionalImages()(samples)


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ({"k": 0}, ("k", 0)),
        ({"min_per_class": 5}, ("min_per_class", 5)),
        ({"max_per_class": 10}, ("min_per_class", 10, 20)),
        ({"covered": 50.0}, ("covered", 50.0)),
    ],
)
def test_invalid_options(fields, values):
    with raises_input_error(*values):
        ConditionalImages(**fields)


TRUTH = GaussianMixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), 0.1)


def measure_points(modes, labels, offset=0.0):
    """Samples of one seed at a distance from the centres of given modes."""
    points = TRUTH.centres[modes] + torch.tensor([0.0, offset])
    samples = Samples(
        points[None], TRUTH.centres, truth=TRUTH, generated_labels=torch.as_tensor(labels)[None]
    )
    return {name: value.item() for name, value in ConditionalModes()(samples).items()}


class TestModes:
    labels = torch.arange(40) % 4

    def test_perfect(self):
        assert measure_points(self.labels, self.labels) == {
            "class_accuracy": 100,
            "class_accuracy_worst": 100,
            "classes_covered": 4,
        }

    def test_ignored_class(self):
        values = measure_points(torch.arange(160) // 4 % 4, torch.arange(160) % 4)
        assert values == {"class_accuracy": 25, "class_accuracy_worst": 25, "classes_covered": 0}

    def test_right_but_not_good(self):
        values = measure_points(self.labels, self.labels, offset=0.31)
        assert (values["class_accuracy"], values["classes_covered"]) == (100, 0)

    def test_swapped_classes(self):
        values = measure_points(torch.tensor([1, 0, 2, 3])[self.labels], self.labels)
        assert values == {"class_accuracy": 50, "class_accuracy_worst": 0, "classes_covered": 2}

    def test_class_without_samples(self):
        values = measure_points(self.labels % 2, self.labels % 2)
        assert values == {"class_accuracy": 100, "class_accuracy_worst": 100, "classes_covered": 2}

    def test_diverged_samples(self):
        points = torch.full((1, 8, 2), torch.nan)
        labels = self.labels[None, :8]
        values = ConditionalModes()(
            Samples(points, TRUTH.centres, truth=TRUTH, generated_labels=labels)
        )
        assert [value.item() for value in values.values()] == [0, 0, 0]

    def test_missing(self):
        samples = Samples(TRUTH.centres[None], TRUTH.centres, truth=TRUTH)
        assert "not conditional" in ConditionalModes().missing(samples)
        with raises_input_error("conditional-modes", "not conditional"):
            ConditionalModes()(samples)
        labelled = replace(samples, truth=None, generated_labels=torch.zeros(1, 4).long())
        assert "mixture" in ConditionalModes().missing(labelled)
