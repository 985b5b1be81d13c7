"""Confidence intervals: how often they contain the truth, constant values, own generators."""

import math

import pytest
import torch

from iidgan.functional.scores.frechet import frechet_distance
from iidgan.functional.scores.intervals import mean_interval, parts_interval, parts_intervals
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import normal


def test_mean_interval_contains_the_mean():
    """Of a proportion of 0.1 with 200 values: about 95 % of 20 intervals."""
    hits = 0
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        interval = mean_interval(torch.rand(200, generator=generator) < 0.1, seed=seed)
        hits += interval.low <= 0.1 <= interval.high
        assert interval.low <= interval.value <= interval.high
        assert interval.method == "bca"
    assert hits >= 16


@pytest.mark.parametrize(("value", "low", "high"), [(0.0, 0, 3.69), (1.0, 3.69, 0)])
def test_mean_interval_of_all_or_none(value, low, high):
    """Clopper-Pearson: 1 - (0.025)^(1/N), about 3.69 / N."""
    interval = mean_interval(torch.full((1000,), value))
    assert interval.value - interval.low == pytest.approx(low / 1000, rel=0.01)
    assert interval.high - interval.value == pytest.approx(high / 1000, rel=0.01)
    assert interval.method == "clopper-pearson"


def test_mean_interval_of_constants_and_nan():
    interval = mean_interval(torch.full((9,), 0.5))
    assert interval == (0.5, 0.5, 0.5, 0.95, "constant")
    assert all(map(math.isnan, mean_interval(torch.tensor([1.0, torch.nan]))[:3]))


def test_intervals_have_own_generators():
    values = normal(50)
    state = torch.get_rng_state()
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(values, seed=1) != mean_interval(values)
    interval = parts_interval(torch.mean, values[:, None])
    assert interval == parts_interval(torch.mean, values[:, None])
    assert interval != parts_interval(torch.mean, values[:, None], seed=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_parts_interval_of_a_mean():
    """Of N normal values, about ±t / √N; sets of other sizes are split into as many parts."""
    interval = parts_interval(lambda x, y: x.mean() + 0 * y.sum(), normal(1000, 1), normal(33, 1))
    assert (interval.high - interval.low) / 2 == pytest.approx(2.26 / 1000**0.5, rel=0.5)
    assert interval.value == pytest.approx(normal(1000, 1).mean().item())
    assert interval.method == "10-disjoint-parts"


def test_parts_interval_of_frechet_distance():
    real, fake = normal(400, 2), normal(400, 2, seed=1) + 1
    interval = parts_interval(frechet_distance, real, fake)
    assert interval.low < 2 < interval.high
    assert interval.value == frechet_distance(real, fake).item()


def test_intervals_refuse():
    for level in (0, 1):
        with raises_input_error("level"):
            mean_interval(torch.ones(3), level=level)
    with raises_input_error("values"):
        mean_interval(torch.ones(3, 1))
    for num_parts in (1, 4):
        with raises_input_error("num_parts", 3):
            parts_interval(torch.mean, torch.ones(3, 1), num_parts=num_parts)


def test_parts_intervals_of_several_scores():
    """Each is that of `parts_interval`, of the same parts."""
    sets = normal(100, 1), normal(80, 1, seed=1)

    def scores(x, y):
        return x.mean() - y.mean(), x.std()

    for i, interval in enumerate(parts_intervals(scores, *sets)):
        expected = parts_interval(lambda *parts, i=i: scores(*parts)[i], *sets)
        assert interval[:4] == pytest.approx(expected[:4], rel=1e-12)
