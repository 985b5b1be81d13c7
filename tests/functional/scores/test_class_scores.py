"""Scores of predicted classes: known values, definitions, and what is refused."""

import pytest
import torch

from iidgan.functional.scores.class_scores import class_coverage, inception_score, mode_score
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import normal

CERTAIN = torch.eye(10).repeat_interleave(20, 0)
"""Perfect predictions of 10 classes, sorted by class."""


def test_inception_score_of_certain_classes():
    assert inception_score(CERTAIN, "probabilities").mean.item() == pytest.approx(10)
    assert inception_score(40 * CERTAIN, "logits").mean.item() == pytest.approx(10)
    assert inception_score(CERTAIN[:20], "probabilities").mean == 1
    assert inception_score(torch.full((9, 10), 0.1), "probabilities").mean.item() == pytest.approx(
        1
    )


def test_inception_score_of_splits():
    """Sorted by class, each split has one class; shuffled, nearly all."""
    in_order = inception_score(CERTAIN, "probabilities", num_splits=10)
    assert (in_order.mean, in_order.std) == (1, 0)
    shuffled = inception_score(CERTAIN, "probabilities", num_splits=10, shuffle_seed=0)
    assert 6 < shuffled.mean < 10
    assert shuffled.std > 0
    assert shuffled == inception_score(CERTAIN, "probabilities", num_splits=10, shuffle_seed=0)
    assert inception_score(CERTAIN, "probabilities").std.isnan()


def test_inception_score_by_definition():
    logits = normal(30, 7)
    p = logits.softmax(1)
    expected = (p * (p / p.mean(0)).log()).sum(1).mean().exp()
    assert inception_score(logits, "logits").mean.item() == pytest.approx(expected.item())
    assert inception_score(p, "probabilities").mean.item() == pytest.approx(expected.item())


def test_inception_score_of_seeds():
    logits = normal(3, 30, 7)
    logits[1, 0, 0] = torch.nan
    values = inception_score(logits, "logits", num_splits=2).mean
    assert values[2] == inception_score(logits[2], "logits", num_splits=2).mean
    assert values.isnan().tolist() == [False, True, False]


def test_inception_score_refuses():
    with raises_input_error("predictions"):
        inception_score(normal(9, 3), "probabilities")
    with raises_input_error("kind", "logit"):
        inception_score(normal(9, 3), "logit")
    with raises_input_error("num_splits", 9, 10):
        inception_score(normal(9, 3), "logits", num_splits=10)


def test_mode_score_by_definition():
    real, fake = (normal(40, 7, seed=seed).softmax(1) for seed in (0, 1))
    p, q = fake.mean(0), real.mean(0)
    between = (p * (p / q).log()).sum()
    scores = mode_score(real, fake, "probabilities")
    for value, marginal in ((scores.generated, p), (scores.training, q)):
        expected = ((fake * (fake / marginal).log()).sum(1).mean() - between).exp()
        assert value.item() == pytest.approx(expected.item())
    inception = inception_score(fake, "probabilities").mean.item()
    assert scores.training.item() == pytest.approx(inception)


def test_mode_score_of_missing_and_foreign_classes():
    half = mode_score(CERTAIN, CERTAIN[:100], "probabilities")
    assert half.generated.item() == pytest.approx(5 / 2)
    assert half.training.item() == pytest.approx(5)
    foreign = mode_score(CERTAIN[:100], CERTAIN, "probabilities")
    assert foreign.generated == 0
    assert foreign.training.item() == pytest.approx(10)


def test_class_coverage():
    indicators = torch.tensor([[1.0, 0, 1, 1], [0, 0, 0, torch.nan]])
    coverage = class_coverage(indicators, torch.tensor([0, 0, 1, 1]), 3)
    expected = torch.tensor([[0.5, 1, torch.nan], [0, torch.nan, torch.nan]]).double()
    assert torch.equal(coverage[0].nan_to_num(9), expected[0].nan_to_num(9))
    assert coverage[1, 1].isnan()
    with raises_input_error("labels"):
        class_coverage(indicators, torch.tensor([0, 1]), 3)
    with raises_input_error("labels", 3):
        class_coverage(indicators, torch.tensor([0, 1, 2, 3]), 3)
