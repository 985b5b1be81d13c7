"""Normality of codes: known answers and laws."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iidgan.core import Samples
from iidgan.metrics import (
    Normality,
    gaussian_kl,
    qq_quantiles,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import assert_values_equal, normal, seeded_generator


def normality(codes, **fields):
    return Normality(**fields)(Samples(codes, torch.zeros(1, 2), codes=codes))


def test_normality_matches_scipy():
    codes = normal(2, 1000, 3).exp()
    values = normality(codes)
    for s in range(2):
        for m in range(3):
            column = codes[s, :, m].numpy()
            w, ks = stats.shapiro(column).statistic, stats.kstest(column, "norm").statistic
            assert values[f"shapiro_wilk_{m + 1}"][s].item() == pytest.approx(w, abs=1e-10)
            assert values[f"ks_{m + 1}"][s].item() == pytest.approx(ks, abs=1e-12)
    for name in ("shapiro_wilk", "ks"):
        mean = torch.stack([values[f"{name}_{m}"] for m in (1, 2, 3)]).mean(0)
        torch.testing.assert_close(values[name], mean)


def test_normality_max_codes_in_random_order():
    codes = normal(1, 1001, 1)
    samples = Samples(codes, torch.zeros(1, 2), codes=codes, in_random_order=True)
    values = Normality(max_codes=100)(samples)
    selected = codes[0, [i * 1001 // 100 for i in range(100)], 0].numpy()
    w, ks = (
        stats.shapiro(selected).statistic,
        stats.kstest(codes[0, :, 0].numpy(), "norm").statistic,
    )
    assert values["shapiro_wilk"].item() == pytest.approx(w, abs=1e-10)
    assert values["ks"].item() == pytest.approx(ks, abs=1e-12)


def test_normality_max_codes_in_periodic_order():
    """Every k-th code of a periodic order would read some of the modes only."""
    angle = torch.arange(10_000, dtype=torch.float64).remainder(8) * math.pi / 4
    codes = torch.stack([angle.cos(), angle.sin()], -1)[None]
    selected, rest = (_w_of_selected(codes[:, start:]) for start in (0, 4))
    assert selected == pytest.approx(_w_of_selected(codes[:, torch.randperm(10_000)]), abs=0.005)
    assert selected == pytest.approx(rest, abs=0.005)


def _w_of_selected(codes):
    return normality(codes, max_codes=2500)["shapiro_wilk"].item()


def test_normality_selects_the_same_codes_everywhere():
    """The order is part of the protocol: other versions and machines must draw the same one."""
    codes = torch.arange(10, dtype=torch.float64)[None, :, None] ** 2
    order = [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]
    expected = stats.shapiro([float(order[2 * i] ** 2) for i in range(5)]).statistic
    assert normality(codes, max_codes=5)["shapiro_wilk"].item() == pytest.approx(expected)


def test_normality_of_normal_codes():
    values = normality(normal(3, 10_000, 4))
    assert (values["shapiro_wilk"] > 0.995).all()
    assert (values["shapiro_wilk_sliced"] > 0.995).all()
    assert (values["ks"] < 0.03).all()
    assert (values["mean_norm"] < 0.06).all()
    assert (values["cov_error"] < 0.12).all()


def test_normality_of_eight_atoms():
    angle = torch.arange(5000, dtype=torch.float64).remainder(8) * math.pi / 4
    values = normality(math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], -1)[None])
    assert values["mean_norm"].item() < 1e-12
    assert values["cov_error"].item() < 1e-12
    assert values["shapiro_wilk"].item() == pytest.approx(0.87, abs=0.02)
    assert values["shapiro_wilk_sliced"].item() < 0.95
    assert values["ks"].item() > 0.1


def test_normality_sliced_detects_dependence():
    z = normal(1, 5000, 1)
    sign = (torch.rand(1, 5000, 1, generator=seeded_generator(5)) < 0.5).double() * 2 - 1
    values = normality(torch.cat([z, sign * z], -1))  # uncorrelated, but on a cross
    assert values["shapiro_wilk"].item() > 0.995
    assert values["shapiro_wilk_sliced"].item() < 0.98


def test_normality_moments_by_hand():
    codes = torch.tensor([[3.0, 0], [3, 8], [3, 4], [3, 4]], dtype=torch.float64)[None]
    values = normality(codes)
    assert values["mean_norm"].item() == 5
    assert values["cov_error"].item() == pytest.approx(math.hypot(0 - 1, 8 - 1))


def test_normality_has_divergence_of_enough_codes():
    codes = 3 + normal(2, 5, 4)
    assert_values_equal(
        {"gaussian_kl": normality(codes)["gaussian_kl"]}, {"gaussian_kl": gaussian_kl(codes)}, 0
    )
    assert "gaussian_kl" not in normality(codes[:, :4])


def test_normality_lists_few_dimensions():
    assert "ks_16" in normality(normal(1, 20, 16))
    values = normality(normal(1, 20, 17))
    assert "ks_1" not in values
    assert "shapiro_wilk_1" not in values
    assert values["shapiro_wilk"].isfinite()


@settings(max_examples=20, deadline=None)
@given(st.floats(-1e3, 1e3), st.sampled_from([1e-30, 1e-3, 7.0, 1e30]))
def test_shapiro_wilk_scale_invariant(shift, scale):
    codes = normal(1, 50, 2).square()
    moved = normality((codes + shift) * scale)["shapiro_wilk"]
    assert moved.item() == pytest.approx(normality(codes)["shapiro_wilk"].item(), abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_normality_permutation_invariant(seed):
    codes = normal(2, 200, 2, seed=seed)
    rows = torch.randperm(200, generator=seeded_generator(seed))
    assert_values_equal(normality(codes), normality(codes[:, rows]), 1e-9)


def test_normality_separates_seeds():
    codes = torch.cat([normal(2, 300, 2), normal(1, 300, 2).abs()])
    stacked = normality(codes)
    for s in range(3):
        assert_values_equal(
            {k: v[s : s + 1] for k, v in stacked.items()}, normality(codes[s : s + 1]), 1e-9
        )


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6])
def test_normality_constant_codes(value):
    codes = torch.stack([torch.full((100, 2), value).double(), normal(100, 2)])
    values = normality(codes)
    for name in ("shapiro_wilk", "shapiro_wilk_sliced", "shapiro_wilk_1", "shapiro_wilk_2"):
        assert values[name].isnan().tolist() == [True, False]
    phi = stats.norm.cdf(value)
    assert values["ks"][0].item() == pytest.approx(max(phi, 1 - phi))
    assert values["cov_error"][0].item() == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_normality_nonfinite_codes(bad):
    codes = normal(2, 100, 2)
    codes[0, 17, 1] = bad
    for value in normality(codes).values():
        assert value.isnan().tolist() == [True, False]
    assert qq_quantiles(codes)[1].isnan().all(-1).all(-1).tolist() == [True, False]


def test_qq_quantiles_are_sorted_codes():
    codes = normal(2, 200, 3)
    theory, ordered = qq_quantiles(codes, num_points=200)
    np.testing.assert_allclose(theory, stats.norm.ppf((np.arange(200) + 0.5) / 200), atol=1e-12)
    torch.testing.assert_close(ordered, codes.sort(1).values, atol=1e-12, rtol=0)


def test_qq_quantiles_interpolate():
    codes = torch.tensor([4.0, 1.0, 3.0, 2.0]).double()[None, :, None]
    # Levels 1/4 and 3/4; the order statistics are at 1/8, 3/8, ...
    theory, ordered = qq_quantiles(codes, num_points=2)
    assert theory.tolist() == pytest.approx([-0.6744897501960817, 0.6744897501960817])
    assert ordered.flatten().tolist() == [1.5, 3.5]
    assert ordered.shape == (1, 2, 1)


def test_qq_quantiles_of_normal_codes():
    theory, ordered = qq_quantiles(normal(1, 20_000, 2), num_points=50)
    assert (ordered[0] - theory[:, None]).abs().max() < 0.1


@pytest.mark.parametrize(("max_codes", "nearest"), [(5001, 5000), (2, 3)])
def test_normality_invalid_max_codes(max_codes, nearest):
    with raises_input_error("max_codes", max_codes, f"nearest: {nearest}"):
        Normality(max_codes=max_codes)
