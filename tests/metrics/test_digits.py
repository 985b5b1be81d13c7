"""Coverage of classes: known answers."""

import math

import pytest
import torch

from iidgan.metrics import ClassCoverage
from tests.helpers.errors import raises_input_error
from tests.helpers.image_samples import make_predictions, make_samples

EVEN = make_predictions(torch.arange(10).repeat(100)[:, None])
"""A thousand real digits, all of them good."""


def test_class_coverage_by_hand():
    classes = torch.tensor([0] * 60 + [1] * 25 + [2] * 15)
    confidences = torch.cat([torch.full((85,), 0.75), torch.full((15,), 0.7499)])
    generated = make_predictions(classes[None, :, None], confidences[None, :, None])
    values = ClassCoverage()(make_samples(generated, EVEN))
    assert values["digits_modes"].tolist() == [2]
    assert values["digits_bad"].tolist() == [15]
    assert values["digits_bad_real"].tolist() == [0]
    q = [100.5 / 1005.5] * 10 + [0.5 / 1005.5]
    p = [0.6, 0.25, *[0] * 8, 0.15]
    expected = sum(a * math.log(a / b) for a, b in zip(p, q) if a)
    assert values["digits_kl"].item() == pytest.approx(expected)
    smooth = [60.5, 25.5, *[0.5] * 8, 15.5]
    reverse = sum(0.1 * math.log(0.1 / (n / 105.5)) for n in smooth[:10])
    assert values["digits_kl_reverse"].item() == pytest.approx(reverse)


def test_class_coverage_share():
    classes = torch.tensor([0] * 970 + [1] * 20 + [2] * 10)[None, :, None]
    for share, modes in [(0.01, 3), (0.0101, 2), (0.0201, 1)]:
        values = ClassCoverage(share=share)(make_samples(make_predictions(classes), EVEN))
        assert values["digits_modes"].tolist() == [modes]


def test_class_coverage_of_real_images():
    confidences = torch.linspace(0.5, 1, 1000)[:, None]
    real = make_predictions(EVEN.classes, confidences)
    generated = make_predictions(EVEN.classes[None], confidences[None])
    values = ClassCoverage()(make_samples(generated, real))
    assert values["digits_modes"].tolist() == [10]
    assert values["digits_bad"].tolist() == values["digits_bad_real"].tolist() == [50]
    assert 0 <= values["digits_kl"].item() < 1e-4
    assert 0 <= values["digits_kl_reverse"].item() < 1e-4


def test_class_coverage_nonfinite_samples():
    generated = make_predictions(torch.full((1, 50, 1), -1), torch.zeros(1, 50, 1))
    values = ClassCoverage()(make_samples(generated, EVEN))
    assert values["digits_bad"].tolist() == [100]
    assert values["digits_modes"].tolist() == [0]
    assert values["digits_kl"].isfinite().all()


@pytest.mark.parametrize(
    ("field", "value"), [("confidence", 0.0), ("confidence", 75), ("share", math.nan)]
)
def test_class_coverage_invalid_options(field, value):
    with raises_input_error(field, value):
        ClassCoverage(**{field: value})
