"""Precision, recall, density and coverage, and their clipped forms: definitions and laws."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from iidgan.functional.scores import manifold, neighbours
from tests.helpers.errors import raises_input_error
from tests.helpers.features import brute_force_prdc, feature_pairs
from tests.helpers.samples import normal

K = 3


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK_SIZE", 64)


def assert_close(values, expected, **tolerances):
    for value, other in zip(values, expected, strict=True):
        torch.testing.assert_close(value, other, equal_nan=True, **tolerances)


@pytest.mark.parametrize("num_dimensions", [2, 40])
@pytest.mark.parametrize("kind", sorted(feature_pairs(2).keys() - {"huge", "tiny"}))
def test_prdc_by_brute_force(kind, num_dimensions):
    real, fake = feature_pairs(num_dimensions)[kind]
    assert_close(manifold.prdc(real, fake, K), brute_force_prdc(real, fake, K))


@pytest.mark.parametrize("kind", ["normal", "narrow modes", "repeated", "outlier"])
def test_prdc_by_products_in_float64(kind, monkeypatch):
    """Blocks with many pairs that products in float32 leave open."""
    monkeypatch.setattr(neighbours, "_MAX_OPEN_PAIRS", 0)
    real, fake = feature_pairs(40)[kind]
    assert_close(manifold.prdc(real, fake, K), brute_force_prdc(real, fake, K))


@pytest.mark.parametrize("kind", ["huge", "tiny"])
def test_prdc_ignores_scale(kind):
    expected = manifold.prdc(*feature_pairs(40)["normal"], K)
    assert_close(manifold.prdc(*feature_pairs(40)[kind], K), expected)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 25), st.integers(1, 4))
def test_prdc_of_few_values_by_brute_force(seed, num_dimensions, k):
    """Integers have many equal distances, so that boundaries decide."""
    real, fake = (normal(40, num_dimensions, seed=seed + i).round().float() for i in range(2))
    assert_close(manifold.prdc(real, fake, k), brute_force_prdc(real, fake, k))


@pytest.mark.parametrize("kind", ["normal", "repeated", "narrow modes", "large mean"])
def test_prdc_of_a_set_with_itself(kind):
    real, _ = feature_pairs(40)[kind]
    scores = manifold.prdc(real, real.clone(), K)
    assert (scores.precision, scores.recall, scores.coverage) == (1, 1, 1)
    assert scores.density >= 1


def test_prdc_of_repeated_samples():
    """A collapsed generator: 8 real samples, again and again."""
    real = normal(400, 20).float()
    scores = manifold.prdc(real, real[:8].repeat(50, 1))
    assert scores.precision == 1
    assert scores.coverage < 0.2
    assert scores.recall == 8 / 400
    constant = manifold.prdc(torch.zeros(20, 3), torch.zeros(20, 3))
    assert_close(constant, torch.tensor([1, 1, 20 / 5, 1]).double())


def test_coverage_of_a_constant_at_the_mean():
    """A limit of coverage, which recall shows: in many dimensions the mean lies in all balls."""
    scores = manifold.prdc(normal(100, 100), torch.zeros(100, 100).double())
    assert (scores.coverage, scores.recall) == (1, 0)


def test_prdc_of_far_sets():
    real = normal(50, 20)
    assert_close(manifold.prdc(real, real + 1e3), torch.zeros(4).double())
    assert_close(manifold.clipped_density_and_coverage(real, real + 1e3), torch.zeros(2).double())


def test_coverage_of_equal_distributions():
    """1 - C(N-1, k) / C(N+N'-1, k), of N = N' = 300."""
    coverage = manifold.prdc(normal(300, 2), normal(300, 2, seed=1)).coverage.item()
    expected = 1 - math.comb(299, 5) / math.comb(599, 5)
    assert coverage == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 300))


@pytest.mark.parametrize("score", [manifold.prdc, manifold.clipped_density_and_coverage])
def test_scores_of_seeds_and_permutations(score):
    real, fake = normal(40, 20), normal(3, 30, 20, seed=1)
    fake[1, 0, 0] = torch.nan
    scores = score(real, fake)
    for seed in (0, 2):
        assert_close([value[seed] for value in scores], score(real, fake[seed]))
    assert all(value[1].isnan() for value in scores)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    assert_close(score(real.flip(0), fake[0, order]), score(real, fake[0]))


def test_prdc_indicators_of_single_samples():
    real, fake = feature_pairs(20)["normal"]
    indicators = manifold.prdc_indicators(real, torch.stack([fake, fake]), K)
    assert [value.shape for value in indicators] == [(2, 70), (2, 90), (2, 70), (2, 90)]
    scores = manifold.prdc(real, fake, K)
    assert_close([value[1].mean() for value in indicators], scores)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("k", {"k": 0}),
        ("real", {"k": 5, "real": torch.zeros(5, 2)}),
        ("fake", {"fake": torch.zeros(2, 5, 2)}),
        ("fake", {"fake": torch.zeros(9, 3)}),
        ("fake", {"fake": torch.zeros(9)}),
        ("real", {"real": torch.zeros(9, 2).int()}),
        ("real", {"real": torch.full((9, 2), torch.nan)}),
    ],
)
def test_prdc_refuses(field, change):
    features = {"real": torch.zeros(9, 2), "fake": torch.zeros(9, 2), "k": 5}
    for score in (manifold.prdc, manifold.clipped_density_and_coverage):
        with raises_input_error(field):
            score(**{**features, **change})


def test_clipped_scores_are_linear_in_the_share_of_good_samples():
    real, fake = normal(240, 4), normal(240, 4, seed=1)
    for num_bad in (0, 60, 120, 180):
        fake[:num_bad] = 30 + normal(num_bad, 4, seed=2)
        scores = manifold.clipped_density_and_coverage(real, fake)
        for score in scores:
            assert score.item() == pytest.approx(1 - num_bad / 240, abs=0.12)


@pytest.mark.parametrize(
    ("seed", "num_real", "num_fake", "dim", "k", "num_bad", "density", "coverage"),
    [
        (1, 150, 220, 5, 5, 73, 0.5727923627684964, 0.5475113122171946),
        (2, 31, 40, 3, 5, 10, 0.614945652173913, 0.5609756097560976),
        # The mean of the two radii in the middle decides.
        (3, 12, 14, 2, 1, 3, 0.5714285714285714, 0.5333333333333333),
    ],
)
def test_clipped_scores_of_the_published_code(
    seed, num_real, num_fake, dim, k, num_bad, density, coverage
):
    """Its release at 2507.01761; the coverage there is rounded to 1 / (num_fake + 1)."""
    generator = torch.Generator().manual_seed(seed)
    real = torch.randn(num_real, dim, generator=generator, dtype=torch.float64)
    fake = 1.2 * torch.randn(num_fake, dim, generator=generator, dtype=torch.float64)
    fake[:num_bad] += 9
    scores = manifold.clipped_density_and_coverage(real, fake, k)
    assert scores.density.item() == pytest.approx(density, rel=1e-12)
    assert scores.coverage.item() == pytest.approx(coverage, abs=1 / num_fake)


def test_clipped_density_ignores_outliers():
    """One real outlier with a large ball, which would contain all bad samples."""
    real, fake = normal(200, 2), 40 + normal(200, 2, seed=1)
    real[0] = 1e3
    assert manifold.prdc(real, fake).precision == 1
    assert manifold.clipped_density_and_coverage(real, fake).density == 0


def test_expected_clipped_coverage_by_simulation():
    values = [
        manifold.clipped_density_and_coverage(
            normal(30, 1, seed=2 * i), normal(20, 1, seed=2 * i + 1), k=2
        ).coverage
        for i in range(20)
    ]
    assert torch.stack(values).mean().item() == pytest.approx(1, abs=0.15)
    numbers = torch.arange(2000)
    assert (manifold.expected_clipped_coverage(numbers, 3000, 5).diff() > 0).all()
