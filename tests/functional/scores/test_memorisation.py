"""Copies of real samples, and copies among generated ones: laws and known shares."""

import math

import pytest
import torch
from scipy import stats

from iidgan.functional.scores.memorisation import (
    birthday_support_size,
    memorisation,
    memorisation_indicators,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.features import feature_pairs, squared_distances
from tests.helpers.samples import normal


def test_memorisation_of_copies_and_noise():
    real = normal(60, 20)
    copies = memorisation(real, real.flip(0))
    assert (copies.authenticity, copies.near_copies, copies.ratio) == (0, 1, 0)
    noise = memorisation(real, 100 * normal(50, 20, seed=1))
    assert (noise.authenticity, noise.near_copies) == (1, 0)
    assert noise.ratio > 0.9


def test_memorisation_of_repeated_real_samples():
    """Distances of 0 over 0."""
    real = normal(10, 3).repeat(3, 1)
    scores = memorisation(real, real[:5])
    assert (scores.authenticity, scores.near_copies, scores.ratio) == (0, 1, 0)


@pytest.mark.parametrize("kind", ["normal", "narrow modes", "large mean"])
def test_memorisation_by_brute_force(kind):
    real, fake = feature_pairs(40)[kind]
    own = squared_distances(real, real, same_set=True).sqrt().amin(1)
    nearest = squared_distances(fake, real).sqrt().sort(1)
    indicators = memorisation_indicators(real, fake)
    first, second = nearest.values[:, 0], nearest.values[:, 1]
    torch.testing.assert_close(indicators.ratio, first / second)
    assert torch.equal(indicators.authenticity.bool(), first > own[nearest.indices[:, 0]])


def test_authenticity_of_the_real_distribution():
    """1 / 3 in one dimension: a third of neighbours are not mutual."""
    scores = [
        memorisation(normal(200, 1, seed=2 * i), normal(200, 1, seed=2 * i + 1)) for i in range(8)
    ]
    shares = torch.stack([score.authenticity for score in scores])
    assert shares.mean().item() == pytest.approx(1 / 3, abs=0.06)


def test_memorisation_of_seeds():
    real, fake = normal(40, 20), normal(3, 30, 20, seed=1)
    fake[1] = torch.nan
    scores = memorisation(real, fake)
    assert [value[2] for value in scores] == list(memorisation(real, fake[2]))
    assert all(value[1].isnan() for value in scores)


def test_birthday_support_size_of_known_support():
    """400 draws from 1,000 equally probable points: about 80 pairs."""
    points = normal(1000, 20)
    draws = torch.randint(1000, (3, 400), generator=torch.Generator().manual_seed(0))
    size = birthday_support_size(points[draws], 1e-6)
    assert (size.low < 1000).all()
    assert (size.high > 1000).all()
    counts = [row.bincount() for row in draws]
    assert size.num_pairs.tolist() == [(c * (c - 1) / 2).sum().item() for c in counts]
    torch.testing.assert_close(size.estimate, 400 * 399 / 2 / size.num_pairs)


def test_birthday_support_size_without_pairs():
    size = birthday_support_size(normal(50, 3), 0.0)
    assert (size.estimate, size.high, size.num_pairs) == (math.inf, math.inf, 0)
    assert size.low.item() == pytest.approx(50 * 49 / 2 / -math.log(0.025))
    collapsed = birthday_support_size(torch.ones(50, 3), 0.0)
    assert collapsed.estimate == 1


def test_birthday_support_size_bounds():
    """Of one pair: the exact bounds of a Poisson distribution."""
    fake = torch.tensor([[0.0], [0.5], [10.0], [20.0]])
    size = birthday_support_size(fake, 0.5)
    assert size.num_pairs == 1
    assert stats.poisson.cdf(1, 6 / size.low.item()) == pytest.approx(0.025)
    assert stats.poisson.sf(0, 6 / size.high.item()) == pytest.approx(0.025)


def test_memorisation_refuses():
    with raises_input_error("real", 2, 1):
        memorisation(torch.zeros(1, 2), torch.zeros(3, 2))
    with raises_input_error("threshold"):
        birthday_support_size(torch.zeros(3, 2), -1)
    with raises_input_error("level"):
        birthday_support_size(torch.zeros(3, 2), 1, level=95)
