"""Mode coverage of stacked images: known answers."""

import math

import pytest
import torch

from iidgan.functional import histogram
from iidgan.metrics import StackedCoverage
from tests.helpers.errors import raises_input_error
from tests.helpers.image_samples import make_predictions, make_samples


def stacked_samples(triples, labels=None, classes=10):
    triples = torch.as_tensor(triples)
    return make_samples(
        make_predictions(triples), make_predictions(triples[0]), classes, labels=labels
    )


def test_stacked_coverage_of_all_triples():
    every = torch.cartesian_prod(*[torch.arange(10)] * 3)
    values = StackedCoverage()(stacked_samples(every[None], labels=torch.arange(1000)))
    assert values["stacked_modes"].tolist() == [1000]
    assert values["stacked_kl"].item() == pytest.approx(0, abs=1e-12)
    assert values["stacked_kl_train"].item() == pytest.approx(0, abs=1e-12)
    assert values["stacked_kl_floor"].item() == histogram.kl_floor(1000, 1000)


def test_stacked_coverage_channel_order():
    triples = torch.tensor([[3, 1, 4]]).repeat(20, 1)[None]
    same = StackedCoverage()(stacked_samples(triples, labels=torch.full((10**6,), 314)))
    other = StackedCoverage()(stacked_samples(triples, labels=torch.full((10**6,), 413)))
    assert same["stacked_kl"].item() == pytest.approx(math.log(1000))
    assert same["stacked_kl_train"].item() < 0.001
    assert other["stacked_kl_train"].item() > 10


def test_stacked_coverage_by_hand():
    triples = torch.tensor([[0, 0, 0], [0, 0, 0], [0, 1, 0], [-1, 0, 0]])[None]
    labels = torch.tensor([0, 2, 3])
    values = StackedCoverage()(stacked_samples(triples, labels, classes=2))
    assert values["stacked_modes"].tolist() == [2]
    p = {0: 2 / 3, 2: 1 / 3}
    to_uniform = sum(a * math.log(8 * a) for a in p.values())
    assert values["stacked_kl"].item() == pytest.approx(to_uniform)
    to_train = sum(a * math.log(a / (1.5 / 7)) for a in p.values())
    assert values["stacked_kl_train"].item() == pytest.approx(to_train)
    protocol = StackedCoverage().protocol(stacked_samples(triples, labels, classes=2))
    assert (protocol["num_modes"], protocol["num_train"], protocol["num_generated"]) == (8, 3, 4)


def test_stacked_coverage_without_labels():
    samples = stacked_samples(torch.zeros(1, 4, 3, dtype=torch.int64))
    assert "stacked_kl_train" not in StackedCoverage()(samples)
    assert "num_train" not in StackedCoverage().protocol(samples)


def test_stacked_coverage_nonfinite_samples():
    values = StackedCoverage()(stacked_samples(torch.full((1, 9, 3), -1)))
    assert values["stacked_modes"].tolist() == [0]
    assert values["stacked_kl"].isnan().all()


def test_stacked_coverage_label_too_large():
    samples = stacked_samples(torch.zeros(1, 4, 3, dtype=torch.int64), torch.tensor([1000]))
    with raises_input_error("labels", 1000, 999):
        StackedCoverage()(samples)
