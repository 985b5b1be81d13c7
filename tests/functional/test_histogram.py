"""Divergences between histograms."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iidgan.functional import histogram
from tests.helpers.samples import seeded_generator

count_lists = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)


def test_count_bins_ignores_minus_one():
    index = torch.tensor([[0, 2, 2, -1], [-1, -1, -1, 1]])
    assert histogram.count_bins(index, 3).tolist() == [[1, 0, 2], [0, 1, 0]]


def test_kl_uniform_by_hand():
    counts = torch.tensor([3, 1, 0, 0])
    reverse = 0.75 * math.log(3) + 0.25 * math.log(1)
    raw = 0.6 * math.log(2.4) + 0.2 * math.log(0.8)
    shares = [3.5 / 6, 1.5 / 6, 0.5 / 6, 0.5 / 6]
    forward = -sum(math.log(4 * p) for p in shares) / 4
    assert histogram.kl_to_weights(counts).item() == pytest.approx(reverse, abs=1e-15)
    assert histogram.kl_to_weights_raw(counts, 5).item() == pytest.approx(raw, abs=1e-15)
    assert histogram.kl_from_weights(counts).item() == pytest.approx(forward, abs=1e-15)


@settings(deadline=None)
@given(count_lists)
def test_kl_uniform_matches_scipy(counts):
    n, K = np.array(counts), len(counts)
    uniform, smooth = np.full(K, 1 / K), (n + 0.5) / (n.sum() + K / 2)
    tensor = torch.tensor(counts)
    assert histogram.kl_to_weights(tensor).item() == pytest.approx(
        stats.entropy(n / n.sum(), uniform), abs=1e-12
    )
    assert histogram.kl_from_weights(tensor).item() == pytest.approx(
        stats.entropy(uniform, smooth), abs=1e-12
    )


@settings(deadline=None)
@given(count_lists, st.integers(0, 500))
def test_kl_to_weights_raw_bounds(counts, bad):
    tensor = torch.tensor(counts)
    total = sum(counts) + bad
    q = sum(counts) / total
    value = histogram.kl_to_weights_raw(tensor, total).item()
    closed = q * (histogram.kl_to_weights(tensor).item() + math.log(q))
    assert value == pytest.approx(closed, abs=1e-12)
    assert q * math.log(q) - 1e-12 <= value <= q * math.log(q * len(counts)) + 1e-12


def test_kl_of_empty_counts():
    empty = torch.zeros(2, 5, dtype=torch.long)
    assert histogram.kl_to_weights(empty).isnan().all()
    assert histogram.kl_to_weights_raw(empty, 10).isnan().all()
    assert histogram.kl_from_weights(empty).isnan().all()


def test_kl_divergence_by_hand():
    counts, reference = torch.tensor([3, 1, 0]), torch.tensor([1, 4, 0])
    q = [1.5 / 6.5, 4.5 / 6.5, 0.5 / 6.5]
    expected = 0.75 * math.log(0.75 / q[0]) + 0.25 * math.log(0.25 / q[1])
    assert histogram.kl_divergence(counts, reference).item() == pytest.approx(expected, abs=1e-14)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=12))
def test_kl_divergence_matches_scipy(pairs):
    counts, reference = (torch.tensor(side) for side in zip(*pairs))
    value = histogram.kl_divergence(counts, reference).item()
    if not counts.any() or not reference.any():
        assert math.isnan(value)
    else:
        expected = stats.entropy(counts.numpy(), reference.numpy() + 0.5)
        assert value == pytest.approx(expected, abs=1e-12)
        assert value > -1e-12


@pytest.mark.parametrize(("bins", "num", "sets"), [(1000, 26_000, 400), (25, 100, 4000)])
def test_kl_floor_of_uniform_samples(bins, num, sets):
    generator = seeded_generator()
    values = torch.cat(
        [
            histogram.kl_to_weights(
                histogram.count_bins(
                    torch.randint(bins, (sets // 20, num), generator=generator), bins
                )
            )
            for _ in range(20)
        ]
    )
    error = values.std().item() / math.sqrt(sets)
    assert abs(values.mean().item() - histogram.kl_floor(bins, num)) < 4 * error
    assert error < 0.01 * histogram.kl_floor(bins, num)


def test_kl_floor_by_hand():
    assert histogram.kl_floor(1000, 26_000) == pytest.approx(0.01934, abs=5e-6)
    assert histogram.kl_floor(10, 1) == pytest.approx(math.log(10))
    assert histogram.kl_floor(1, 50) == 0
    # Two samples in two bins: equal or not with a half each.
    assert histogram.kl_floor(2, 2) == pytest.approx(math.log(2) / 2)
    assert histogram.kl_floor(8, 10**6) == pytest.approx(7 / 2e6, rel=1e-4)
