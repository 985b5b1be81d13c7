"""The Image Retrieval Score: the occupancy distribution, its estimate and its bounds."""

import math

import numpy as np
import pytest
import torch

from iidgan.functional.scores.retrieval import (
    estimate_support,
    log_stirling_numbers,
    retrieval_score,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import normal


def stirling_numbers(n):
    """S(m, k) = k S(m - 1, k) + S(m - 1, k - 1), exactly."""
    row = [1]
    for _ in range(n - 1):
        row = [k * a + b for k, a, b in zip(range(1, len(row) + 2), [*row, 0], [0, *row])]
    return row


@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_log_stirling_numbers(n):
    exact = [math.log(value) for value in stirling_numbers(n)]
    np.testing.assert_allclose(log_stirling_numbers(n), exact, rtol=0, atol=0.1 / n)


def test_estimate_support_by_exact_probabilities():
    k, n, most = 12, 20, 60
    stirling = stirling_numbers(n)
    probabilities = {
        s: [stirling[j - 1] * math.perm(s, j) / s**n for j in range(1, min(s, n) + 1)]
        for s in range(k, most + 1)
    }
    best = max(probabilities, key=lambda s: probabilities[s][k - 1])
    low = min(s for s, p in probabilities.items() if sum(p[k - 1 :]) >= 0.025)
    high = max(s for s, p in probabilities.items() if sum(p[:k]) >= 0.025)
    assert estimate_support(k, n, most) == (best, low, high)


@pytest.mark.parametrize(
    ("num_different", "num_draws", "max_support", "expected"),
    [
        (50, 100, 1000, (62, 55, 73)),
        (221, 400, 1000, (299, 278, 327)),
        (12, 20, 60, (17, 12, 31)),
        (300, 1000, 500, (312, 307, 320)),
        (6000, 10_000, 10_000, (8878, 8722, 9041)),
    ],
)
def test_estimate_support_of_the_published_code(num_different, num_draws, max_support, expected):
    """The code of 2411.16171, whose bounds have an error probability of 5 % each."""
    result = estimate_support(num_different, num_draws, max_support, level=0.9)
    assert result == expected


def test_estimate_support_of_extremes():
    assert estimate_support(1, 1000, 500) == (1, 1, 1)
    assert estimate_support(10, 10, 500)[::2] == (500, 500)
    assert estimate_support(1, 1, 1) == (1, 1, 1)


def test_estimate_support_contains_the_truth():
    hits = 0
    for seed in range(40):
        draws = torch.randint(300, (400,), generator=torch.Generator().manual_seed(seed))
        best, low, high = estimate_support(len(draws.unique()), 400, 1000)
        assert low <= best <= high
        hits += low <= 300 <= high
    assert hits >= 35


def test_retrieval_score_of_collapse():
    real = normal(200, 20)
    scores = retrieval_score(real, real[:10].repeat(30, 1))
    assert [value.item() for value in scores] == pytest.approx([0.05] * 4)
    itself = retrieval_score(real, real)
    assert (itself.retrieved, itself.estimate) == (1, 1)


def test_retrieval_score_of_seeds():
    real, fake = normal(40, 20), normal(3, 30, 20, seed=1)
    fake[1] = torch.nan
    scores = retrieval_score(real, fake)
    assert [value[2] for value in scores] == list(retrieval_score(real, fake[2].flip(0)))
    assert all(value[1].isnan() for value in scores)
    assert scores.low[0] <= scores.estimate[0] <= scores.high[0]


def test_retrieval_score_refuses():
    with raises_input_error("level"):
        retrieval_score(normal(3, 2), normal(3, 2), level=95)
