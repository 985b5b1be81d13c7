"""Mode coverage: known answers and laws."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iidgan.core import GaussianMixture, Samples
from iidgan.data import TwoGaussians
from iidgan.metrics import (
    ModeCoverage,
    assign_modes,
    coverage,
    good_radius,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import GRID, RING, assert_values_equal, draw_mixture, seeded_generator


def samples_at_centres(mixture, counts, bad=0):
    """Place `counts[i]` samples on centre i and `bad` far away: (1, N, d)."""
    centres = mixture.centres.double()
    good = centres.repeat_interleave(torch.tensor(counts), 0)
    return torch.cat([good, torch.full((bad, centres.shape[1]), 99.0)])[None]


def mode_coverage(generated, mixture=RING, **fields):
    real = torch.zeros(1, generated.shape[-1])
    return ModeCoverage(**fields)(Samples(generated, real, truth=mixture))


def test_mode_coverage_by_hand():
    values = mode_coverage(samples_at_centres(RING, [100, 99, 20, 19, 1, 0, 0, 0], bad=61))
    n = np.array([100, 99, 20, 19, 1, 0, 0, 0])
    assert values["modes_1"].item() == 5
    assert values["modes_20"].item() == 3
    assert values["modes_100"].item() == 1
    assert values["quality"].item() == pytest.approx(100 * 239 / 300)
    assert values["reverse_kl"].item() == pytest.approx(stats.entropy(n, np.ones(8)), abs=1e-12)
    p = n[:5] / 300
    assert values["reverse_kl_raw"].item() == pytest.approx((p * np.log(8 * p)).sum(), abs=1e-12)
    smooth = (n + 0.5) / (239 + 4)
    assert values["forward_kl"].item() == pytest.approx(-np.log(8 * smooth).mean(), abs=1e-12)


def test_mode_coverage_balanced_and_collapsed():
    balanced, collapsed = (
        mode_coverage(samples_at_centres(RING, [50] * 8)),
        mode_coverage(samples_at_centres(RING, [400] + [0] * 7)),
    )
    for name in ("reverse_kl", "reverse_kl_raw", "forward_kl"):
        assert balanced[name].item() == pytest.approx(0, abs=1e-12)
    assert collapsed["reverse_kl"].item() == pytest.approx(math.log(8))
    assert collapsed["forward_kl"].item() > math.log(8)


def test_reverse_kl_raw_may_be_negative():
    values = mode_coverage(samples_at_centres(RING, [30] * 8, bad=240))
    assert values["reverse_kl_raw"].item() == pytest.approx(0.5 * math.log(0.5))
    assert values["reverse_kl"].item() == pytest.approx(0, abs=1e-12)


def test_mode_coverage_thresholds():
    values = mode_coverage(samples_at_centres(RING, [7] * 8), thresholds=(7, 8))
    assert [values["modes_7"].item(), values["modes_8"].item()] == [8, 0]
    assert "modes_1" not in values


def test_assign_modes_radius():
    mixture = GaussianMixture(torch.tensor([[0.0, 0.0], [100.0, 0.0]]), 1.0)
    beyond = math.nextafter(3.0, 4.0)
    samples = torch.tensor(
        [[3.0, 0], [0, -3.0], [1.8, 2.4], [beyond, 0], [97.0, 0], [2.2, 2.2], [50, 0]],
        dtype=torch.float64,
    )
    assert assign_modes(samples[None], mixture, 3.0).tolist() == [[0, 0, 0, -1, 1, -1, -1]]
    assert assign_modes(samples[None], mixture, 3.5).tolist() == [[0, 0, 0, 0, 1, 0, -1]]


@pytest.mark.parametrize("dim", [1, 2, 3, 10, 128])
def test_good_radius_leaves_out_equally_many(dim):
    radius = good_radius(GaussianMixture(torch.zeros(1, dim), 0.5), k=3.0)
    if dim <= 2:
        assert radius == 1.5
    else:
        assert stats.chi2(dim).sf((radius / 0.5) ** 2) == pytest.approx(math.exp(-4.5))


def test_mode_coverage_of_weighted_mixture_by_hand():
    mixture = GaussianMixture(torch.eye(3), 0.1, (0.5, 0.3, 0.2))
    values = mode_coverage(samples_at_centres(mixture, [50, 30, 20]), mixture)
    assert values["reverse_kl"].item() == pytest.approx(0, abs=1e-12)
    assert values["reverse_kl_raw"].item() == pytest.approx(0, abs=1e-12)
    counts, weights = np.array([60, 20, 0]), np.array(mixture.weights)
    values = mode_coverage(samples_at_centres(mixture, counts.tolist(), bad=20), mixture)
    p = counts[:2] / 100
    raw = (p * np.log(p / weights[:2])).sum()
    assert values["reverse_kl"].item() == pytest.approx(stats.entropy(counts, weights), abs=1e-12)
    assert values["reverse_kl_raw"].item() == pytest.approx(raw, abs=1e-12)
    smooth = (counts + 0.5) / (80 + 1.5)
    assert values["forward_kl"].item() == pytest.approx(stats.entropy(weights, smooth), abs=1e-12)


def test_equal_weights_are_the_default():
    equal = GaussianMixture(RING.centres, RING.std, (0.125,) * 8)
    samples = draw_mixture(RING, 2, 500)
    assert_values_equal(mode_coverage(samples, RING), mode_coverage(samples, equal))


def test_mode_coverage_of_two_gaussians():
    dataset = TwoGaussians(size=20_000).load()
    values = mode_coverage(dataset.x[None], dataset.truth)
    assert values["modes_100"].item() == 2
    assert values["quality"].item() == pytest.approx(100 * (1 - math.exp(-4.5)), abs=0.4)
    # Half the distance of the centres is 2 std: that share of each mode counts for the other.
    swapped = stats.norm.sf(2)
    near_share = 0.75 * (1 - swapped) + 0.25 * swapped
    expected = stats.entropy([near_share, 1 - near_share], [0.75, 0.25])
    assert values["reverse_kl"].item() == pytest.approx(expected, abs=5e-4)
    collapsed = mode_coverage(dataset.x[dataset.y == 0][None], dataset.truth)
    assert collapsed["reverse_kl"].item() > 0.1


def test_protocol_names_radius_and_weights():
    mixture = GaussianMixture(torch.eye(3), 0.1, (0.5, 0.3, 0.2))
    samples = Samples(torch.zeros(1, 5, 3), torch.zeros(1, 3), truth=mixture)
    protocol = ModeCoverage().protocol(samples)
    assert protocol["weights"] == "0.5,0.3,0.2"
    assert protocol["radius"] == pytest.approx(good_radius(mixture))
    ring = ModeCoverage().protocol(Samples(torch.zeros(1, 5, 2), torch.zeros(1, 2), truth=RING))
    assert not {"weights", "radius"} & ring.keys()


def test_assign_modes_large_centres():
    mixture = GaussianMixture(torch.arange(60.0)[:, None] * 1e4, 1e-6)
    offsets = torch.tensor([2.99e-6, 3.01e-6], dtype=torch.float64)
    samples = (mixture.centres.double() + offsets).flatten()[None, :, None]
    assert assign_modes(samples, mixture).tolist() == [[i for m in range(60) for i in (m, -1)]]


def test_assign_modes_in_chunks(monkeypatch):
    samples = draw_mixture(GRID, 3, 101)
    modes = assign_modes(samples, GRID)
    monkeypatch.setattr(coverage, "_MAX_DISTANCES", 25 * 7)
    assert modes.shape == (3, 101)
    assert modes.dtype == torch.int64
    assert torch.equal(assign_modes(samples, GRID), modes)


@pytest.mark.parametrize("mixture", [RING, GRID])
def test_mode_coverage_of_the_mixture(mixture):
    num, K = 20_000, len(mixture.centres)
    values = mode_coverage(draw_mixture(mixture, 20, num), mixture)
    quality, floor = 1 - math.exp(-4.5), (K - 1) / (2 * num)
    error = math.sqrt(quality * (1 - quality) / num / 20)  # of the mean over seeds
    assert values["quality"].mean().item() == pytest.approx(100 * quality, abs=400 * error)
    # 2N KL is chi-squared with variance 2(K - 1)
    error = math.sqrt(2 * (K - 1) / 20) / (2 * num)
    assert values["reverse_kl"].mean().item() == pytest.approx(floor, abs=4 * error)
    assert values["forward_kl"].mean().item() == pytest.approx(floor, abs=4 * error)
    assert (values["modes_100"] == K).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_mode_coverage_permutation_invariant(seed):
    samples = draw_mixture(GRID, 2, 300, seed)
    rows, modes = (
        torch.randperm(300, generator=seeded_generator(seed)),
        torch.randperm(25, generator=seeded_generator(seed)),
    )
    shuffled = GaussianMixture(GRID.centres[modes], GRID.std)
    assert_values_equal(mode_coverage(samples, GRID), mode_coverage(samples[:, rows], shuffled))


def test_mode_coverage_separates_seeds():
    samples = torch.cat(
        [draw_mixture(RING, 2, 500), samples_at_centres(RING, [100] * 2 + [0] * 6, bad=300)]
    )
    stacked = mode_coverage(samples)
    for s in range(3):
        assert_values_equal(
            {k: v[s : s + 1] for k, v in stacked.items()}, mode_coverage(samples[s : s + 1]), 0
        )


def test_mode_coverage_diverged_seeds():
    samples = draw_mixture(RING, 4, 100)
    samples[1], samples[2] = torch.nan, torch.inf
    samples[3, :50, 0] = torch.nan
    values = mode_coverage(samples)
    assert values["quality"][1:3].tolist() == [0, 0]
    assert values["modes_1"][1:3].tolist() == [0, 0]
    for name in ("reverse_kl", "reverse_kl_raw", "forward_kl"):
        assert values[name].isnan().tolist() == [False, True, True, False]
    finite_half = mode_coverage(samples[3:, 50:])
    assert values["quality"][3].item() == finite_half["quality"].item() / 2
    assert values["reverse_kl"][3].item() == finite_half["reverse_kl"].item()


def test_mode_coverage_float32_samples():
    assert mode_coverage(draw_mixture(RING, 1, 5000).float())["quality"].item() == pytest.approx(
        98.9, abs=0.6
    )


def test_mode_coverage_any_dimension():
    mixture = GaussianMixture(10 * torch.eye(5), 0.1)
    values = mode_coverage(draw_mixture(mixture, 1, 20_000), mixture)
    assert values["quality"].item() == pytest.approx(100 * stats.chi2(2).cdf(9), abs=0.4)


@pytest.mark.parametrize(
    ("field", "value", "invalid_value"),
    [("k", 0.0, 0.0), ("k", math.nan, math.nan), ("thresholds", (1, 0), 0)],
)
def test_mode_coverage_invalid_options(field, value, invalid_value):
    with raises_input_error(field, invalid_value):
        ModeCoverage(**{field: value})
