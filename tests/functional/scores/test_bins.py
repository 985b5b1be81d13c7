"""Bins by k-means, their statistical test, and the Jensen-Shannon divergence."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial import distance

from iidgan.functional.scores.bins import (
    assign_bins,
    bin_scores,
    cluster,
    compare_bins,
    js_divergence,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import normal


def test_js_divergence_of_scipy():
    counts = torch.tensor([[3, 0, 5, 2], [0, 0, 1, 9]])
    other = torch.tensor([1, 2, 0, 7])
    expected = [distance.jensenshannon(row, other.numpy()) ** 2 for row in counts.numpy()]
    np.testing.assert_allclose(js_divergence(counts, other), expected, rtol=1e-12)
    assert js_divergence(counts, counts).tolist() == [0, 0]
    assert js_divergence(torch.zeros(2), torch.ones(2)).isnan()


def test_cluster_of_separate_modes():
    centres = 100 * torch.eye(5) + 1e6  # of a large mean
    features = centres.repeat(20, 1) + normal(100, 5).float()
    values = cluster(features, 5)
    nearest = torch.cdist(centres.double(), values).argmin(1)
    assert nearest.unique().numel() == 5
    expected = features.double().reshape(20, 5, 5).mean(0)
    torch.testing.assert_close(values[nearest], expected, rtol=0, atol=1e-6)


def test_cluster_has_its_own_generator():
    features = normal(60, 3)
    numpy_state = np.random.get_state()[1].copy()
    assert torch.equal(cluster(features, 4), cluster(features, 4))
    assert not torch.equal(cluster(features, 4), cluster(features, 4, seed=1))
    assert np.array_equal(np.random.get_state()[1], numpy_state)


def test_cluster_of_equal_samples():
    assert torch.equal(cluster(torch.ones(5, 2), 3), torch.ones(3, 2).double())


def test_bin_scores_by_definition():
    """Two bins with known counts: the z-test for two proportions."""
    real = torch.tensor([0.0] * 60 + [9.0] * 40)[:, None]
    for num_zero in (45, 47, 60, 73, 75):
        fake = torch.tensor([0.0] * num_zero + [9.0] * (100 - num_zero))[:, None]
        scores = bin_scores(real, fake, num_bins=2)
        table = [[60, 40], [num_zero, 100 - num_zero]]
        p_value = stats.chi2_contingency(table, correction=False).pvalue
        assert scores.different_bins == float(p_value < 0.05)
        expected = js_divergence(torch.tensor([60, 40]), torch.tensor(table[1]))
        assert scores.js_divergence.item() == pytest.approx(expected.item())


def test_bin_scores_of_equal_sets_and_far_sets():
    real = normal(200, 3)
    equal = bin_scores(real, real.flip(0), num_bins=20)
    assert (equal.different_bins, equal.js_divergence) == (0, 0)
    collapsed = bin_scores(real, real[:1].repeat(200, 1), num_bins=20)
    assert collapsed.different_bins > 0.5
    assert 0.3 < collapsed.js_divergence < math.log(2)


def test_bin_scores_of_equal_distributions():
    """The divergence of 2 x 1000 samples is about 9 / 4000 for 10 bins."""
    scores = bin_scores(normal(1000, 2), normal(1000, 2, seed=1), num_bins=10)
    assert scores.js_divergence.item() == pytest.approx(9 / 4000, rel=0.9)
    assert scores.different_bins <= 0.3


def test_bin_scores_of_seeds():
    real, fake = normal(50, 3), normal(3, 40, 3, seed=1)
    fake[1] = torch.inf
    scores = bin_scores(real, fake, num_bins=5)
    assert scores.js_divergence[2] == bin_scores(real, fake[2], num_bins=5).js_divergence
    assert scores.different_bins.isnan().tolist() == [False, True, False]


def test_bin_scores_refuse():
    for num_bins in (1, 10):
        with raises_input_error("num_bins", 9, num_bins):
            bin_scores(normal(9, 2), normal(9, 2), num_bins=num_bins)
    with raises_input_error("significance"):
        bin_scores(normal(9, 2), normal(9, 2), num_bins=2, significance=0)


def test_bin_scores_in_steps():
    real, fake = normal(90, 2), normal(70, 2, seed=1)
    centres = cluster(real, 5)
    counts = [assign_bins(features, centres).bincount(minlength=5) for features in (real, fake)]
    nearest = torch.cdist(fake, centres).argmin(1)
    assert assign_bins(fake, centres).equal(nearest)
    assert compare_bins(*counts) == bin_scores(real, fake, num_bins=5)
    with raises_input_error("significance", "1"):
        compare_bins(*counts, significance=1.0)
