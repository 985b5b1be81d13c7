"""Laws and known answers of the metrics."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iidgan.core import Mixture, Samples
from iidgan.errors import InputError
from iidgan.functional import histogram
from iidgan.metrics import METRICS, ModeCoverage, Normality, Reconstruction, assign, coverage, qq

RING = Mixture(
    2 * torch.stack([torch.tensor([math.cos(a), math.sin(a)]) for a in torch.arange(8) * 0.7854]),
    0.001,
)
GRID = Mixture(2 * torch.cartesian_prod(*[torch.arange(-2.0, 3)] * 2), 0.05)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def around(mixture, counts, bad=0):
    """Places `counts[i]` samples on centre i and `bad` far off: (1, N, d)."""
    centres = mixture.centres.double()
    good = centres.repeat_interleave(torch.tensor(counts), 0)
    return torch.cat([good, torch.full((bad, centres.shape[1]), 99.0)])[None]


def draw(mixture, seeds, num, seed=0):
    """Draws from the mixture itself: (seeds, num, d)."""
    index = torch.randint(len(mixture.centres), (seeds, num), generator=seeded(seed))
    noise = normal(seeds, num, mixture.centres.shape[1], seed=seed + 1)
    return mixture.centres.double()[index] + mixture.std * noise


def cover(generated, mixture=RING, **fields):
    real = torch.zeros(1, generated.shape[-1])
    return ModeCoverage(**fields)(Samples(generated, real, truth=mixture))


def gaussian(codes, **fields):
    return Normality(**fields)(Samples(codes, torch.zeros(1, 2), codes=codes))


def equal(a, b, atol=1e-12):
    """Compares dictionaries of values; NaN equals NaN."""
    assert a.keys() == b.keys()
    for name, value in a.items():
        torch.testing.assert_close(value, b[name], atol=atol, rtol=0, equal_nan=True)


counts_ = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)


# Histograms


def test_counting_skips_minus_one():
    index = torch.tensor([[0, 2, 2, -1], [-1, -1, -1, 1]])
    assert histogram.count(index, 3).tolist() == [[1, 0, 2], [0, 1, 0]]


def test_divergences_by_hand():
    counts = torch.tensor([3, 1, 0, 0])
    reverse = 0.75 * math.log(3) + 0.25 * math.log(1)
    raw = 0.6 * math.log(2.4) + 0.2 * math.log(0.8)
    shares = [3.5 / 6, 1.5 / 6, 0.5 / 6, 0.5 / 6]
    forward = -sum(math.log(4 * p) for p in shares) / 4
    assert histogram.kl_to_uniform(counts).item() == pytest.approx(reverse, abs=1e-15)
    assert histogram.kl_to_uniform_raw(counts, 5).item() == pytest.approx(raw, abs=1e-15)
    assert histogram.kl_from_uniform(counts).item() == pytest.approx(forward, abs=1e-15)


@settings(deadline=None)
@given(counts_)
def test_divergences_equal_scipy(counts):
    n, K = np.array(counts), len(counts)
    uniform, smooth = np.full(K, 1 / K), (n + 0.5) / (n.sum() + K / 2)
    tensor = torch.tensor(counts)
    assert histogram.kl_to_uniform(tensor).item() == pytest.approx(
        stats.entropy(n / n.sum(), uniform), abs=1e-12
    )
    assert histogram.kl_from_uniform(tensor).item() == pytest.approx(
        stats.entropy(uniform, smooth), abs=1e-12
    )


@settings(deadline=None)
@given(counts_, st.integers(0, 500))
def test_raw_divergence_is_bounded_by_its_share_of_good_samples(counts, bad):
    tensor = torch.tensor(counts)
    total = sum(counts) + bad
    q = sum(counts) / total
    value = histogram.kl_to_uniform_raw(tensor, total).item()
    closed = q * (histogram.kl_to_uniform(tensor).item() + math.log(q))
    assert value == pytest.approx(closed, abs=1e-12)
    assert q * math.log(q) - 1e-12 <= value <= q * math.log(q * len(counts)) + 1e-12


def test_divergences_of_nothing_are_nan():
    empty = torch.zeros(2, 5, dtype=torch.long)
    assert histogram.kl_to_uniform(empty).isnan().all()
    assert histogram.kl_to_uniform_raw(empty, 10).isnan().all()
    assert histogram.kl_from_uniform(empty).isnan().all()


# Mode coverage


def test_coverage_by_hand():
    values = cover(around(RING, [100, 99, 20, 19, 1, 0, 0, 0], bad=61))
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


def test_divergences_of_balance_and_of_collapse():
    balanced, collapsed = cover(around(RING, [50] * 8)), cover(around(RING, [400] + [0] * 7))
    for name in ("reverse_kl", "reverse_kl_raw", "forward_kl"):
        assert balanced[name].item() == pytest.approx(0, abs=1e-12)
    assert collapsed["reverse_kl"].item() == pytest.approx(math.log(8))
    assert collapsed["forward_kl"].item() > math.log(8)


def test_raw_divergence_of_balanced_modes_and_bad_samples_is_negative():
    values = cover(around(RING, [30] * 8, bad=240))
    assert values["reverse_kl_raw"].item() == pytest.approx(0.5 * math.log(0.5))
    assert values["reverse_kl"].item() == pytest.approx(0, abs=1e-12)


def test_thresholds_name_the_values():
    values = cover(around(RING, [7] * 8), thresholds=(7, 8))
    assert [values["modes_7"].item(), values["modes_8"].item()] == [8, 0]
    assert "modes_1" not in values


def test_samples_at_k_std_are_good_and_those_beyond_are_not():
    mixture = Mixture(torch.tensor([[0.0, 0.0], [100.0, 0.0]]), 1.0)
    beyond = math.nextafter(3.0, 4.0)
    samples = torch.tensor(
        [[3.0, 0], [0, -3.0], [1.8, 2.4], [beyond, 0], [97.0, 0], [2.2, 2.2], [50, 0]],
        dtype=torch.float64,
    )
    assert assign(samples[None], mixture, 3.0).tolist() == [[0, 0, 0, -1, 1, -1, -1]]
    assert assign(samples[None], mixture, 3.5).tolist() == [[0, 0, 0, 0, 1, 0, -1]]


def test_distances_keep_their_digits_beside_a_large_centre():
    mixture = Mixture(torch.arange(60.0)[:, None] * 1e4, 1e-6)
    offsets = torch.tensor([2.99e-6, 3.01e-6], dtype=torch.float64)
    samples = (mixture.centres.double() + offsets).flatten()[None, :, None]
    assert assign(samples, mixture).tolist() == [[i for m in range(60) for i in (m, -1)]]


def test_assignment_in_chunks_is_the_same(monkeypatch):
    samples = draw(GRID, 3, 101)
    whole = assign(samples, GRID)
    monkeypatch.setattr(coverage, "_DISTANCES_AT_ONCE", 25 * 7)
    assert whole.shape == (3, 101)
    assert whole.dtype == torch.int64
    assert torch.equal(assign(samples, GRID), whole)


@pytest.mark.parametrize("mixture", [RING, GRID])
def test_the_mixture_itself_reaches_the_quality_and_the_floor(mixture):
    num, K = 20_000, len(mixture.centres)
    values = cover(draw(mixture, 20, num), mixture)
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
def test_order_of_samples_and_of_centres_does_not_matter(seed):
    samples = draw(GRID, 2, 300, seed)
    rows, modes = (
        torch.randperm(300, generator=seeded(seed)),
        torch.randperm(25, generator=seeded(seed)),
    )
    shuffled = Mixture(GRID.centres[modes], GRID.std)
    equal(cover(samples, GRID), cover(samples[:, rows], shuffled))


def test_coverage_of_a_stack_is_that_of_each_seed():
    samples = torch.cat([draw(RING, 2, 500), around(RING, [100] * 2 + [0] * 6, bad=300)])
    stacked = cover(samples)
    for s in range(3):
        equal({k: v[s : s + 1] for k, v in stacked.items()}, cover(samples[s : s + 1]), 0)


def test_diverged_seeds_are_bad_samples_without_a_histogram():
    samples = draw(RING, 4, 100)
    samples[1], samples[2] = torch.nan, torch.inf
    samples[3, :50, 0] = torch.nan
    values = cover(samples)
    assert values["quality"][1:3].tolist() == [0, 0]
    assert values["modes_1"][1:3].tolist() == [0, 0]
    for name in ("reverse_kl", "reverse_kl_raw", "forward_kl"):
        assert values[name].isnan().tolist() == [False, True, True, False]
    kept = cover(samples[3:, 50:])
    assert values["quality"][3].item() == kept["quality"].item() / 2
    assert values["reverse_kl"][3].item() == kept["reverse_kl"].item()


def test_float32_samples_near_a_centre_are_good():
    assert cover(draw(RING, 1, 5000).float())["quality"].item() == pytest.approx(98.9, abs=0.6)


def test_modes_of_any_dimension():
    mixture = Mixture(10 * torch.eye(5), 0.1)
    values = cover(draw(mixture, 1, 20_000), mixture)
    assert values["quality"].item() == pytest.approx(100 * stats.chi2(5).cdf(9), abs=1)


# Normality


def test_statistics_equal_scipy():
    codes = normal(2, 1000, 3).exp()
    values = gaussian(codes)
    for s in range(2):
        for m in range(3):
            column = codes[s, :, m].numpy()
            w, ks = stats.shapiro(column).statistic, stats.kstest(column, "norm").statistic
            assert values[f"shapiro_wilk_{m + 1}"][s].item() == pytest.approx(w, abs=1e-10)
            assert values[f"ks_{m + 1}"][s].item() == pytest.approx(ks, abs=1e-12)
    for name in ("shapiro_wilk", "ks"):
        mean = torch.stack([values[f"{name}_{m}"] for m in (1, 2, 3)]).mean(0)
        torch.testing.assert_close(values[name], mean)


def test_shapiro_wilk_reads_evenly_spread_codes_and_the_rest_all():
    codes = normal(1, 1001, 1)
    values = gaussian(codes, max_codes=100)
    picked = codes[0, [i * 1001 // 100 for i in range(100)], 0].numpy()
    w, ks = stats.shapiro(picked).statistic, stats.kstest(codes[0, :, 0].numpy(), "norm").statistic
    assert values["shapiro_wilk"].item() == pytest.approx(w, abs=1e-10)
    assert values["ks"].item() == pytest.approx(ks, abs=1e-12)


def test_normal_codes_pass():
    values = gaussian(normal(3, 10_000, 4))
    assert (values["shapiro_wilk"] > 0.995).all()
    assert (values["shapiro_wilk_sliced"] > 0.995).all()
    assert (values["ks"] < 0.03).all()
    assert (values["mean_norm"] < 0.06).all()
    assert (values["cov_error"] < 0.12).all()


def test_eight_atoms_are_not_normal_although_their_moments_are():
    angle = torch.arange(5000, dtype=torch.float64).remainder(8) * math.pi / 4
    values = gaussian(math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], -1)[None])
    assert values["mean_norm"].item() < 1e-12
    assert values["cov_error"].item() < 1e-12
    assert values["shapiro_wilk"].item() == pytest.approx(0.87, abs=0.02)
    assert values["shapiro_wilk_sliced"].item() < 0.95
    assert values["ks"].item() > 0.1


def test_normal_axes_that_are_not_jointly_normal_show_in_slices():
    z = normal(1, 5000, 1)
    sign = (torch.rand(1, 5000, 1, generator=seeded(5)) < 0.5).double() * 2 - 1
    values = gaussian(torch.cat([z, sign * z], -1))  # uncorrelated, but on a cross
    assert values["shapiro_wilk"].item() > 0.995
    assert values["shapiro_wilk_sliced"].item() < 0.98


def test_moments_by_hand():
    codes = torch.tensor([[3.0, 0], [3, 8], [3, 4], [3, 4]], dtype=torch.float64)[None]
    values = gaussian(codes)
    assert values["mean_norm"].item() == 5
    assert values["cov_error"].item() == pytest.approx(math.hypot(0 - 1, 8 - 1))


def test_many_dimensions_are_not_listed_one_by_one():
    assert "ks_16" in gaussian(normal(1, 20, 16))
    values = gaussian(normal(1, 20, 17))
    assert "ks_1" not in values
    assert "shapiro_wilk_1" not in values
    assert values["shapiro_wilk"].isfinite()


@settings(max_examples=20, deadline=None)
@given(st.floats(-1e3, 1e3), st.sampled_from([1e-30, 1e-3, 7.0, 1e30]))
def test_shapiro_wilk_ignores_mean_and_scale(shift, scale):
    codes = normal(1, 50, 2).square()
    moved = gaussian((codes + shift) * scale)["shapiro_wilk"]
    assert moved.item() == pytest.approx(gaussian(codes)["shapiro_wilk"].item(), abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_codes_does_not_matter(seed):
    codes = normal(2, 200, 2, seed=seed)
    rows = torch.randperm(200, generator=seeded(seed))
    equal(gaussian(codes), gaussian(codes[:, rows]), 1e-9)


def test_normality_of_a_stack_is_that_of_each_seed():
    codes = torch.cat([normal(2, 300, 2), normal(1, 300, 2).abs()])
    stacked = gaussian(codes)
    for s in range(3):
        equal({k: v[s : s + 1] for k, v in stacked.items()}, gaussian(codes[s : s + 1]), 1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6])
def test_constant_codes_have_no_shapiro_wilk_but_a_distance(value):
    codes = torch.stack([torch.full((100, 2), value).double(), normal(100, 2)])
    values = gaussian(codes)
    for name in ("shapiro_wilk", "shapiro_wilk_sliced", "shapiro_wilk_1", "shapiro_wilk_2"):
        assert values[name].isnan().tolist() == [True, False]
    phi = stats.norm.cdf(value)
    assert values["ks"][0].item() == pytest.approx(max(phi, 1 - phi))
    assert values["cov_error"][0].item() == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_codes_that_are_not_finite_spoil_their_seed_only(bad):
    codes = normal(2, 100, 2)
    codes[0, 17, 1] = bad
    for value in gaussian(codes).values():
        assert value.isnan().tolist() == [True, False]
    assert qq(codes)[1].isnan().all(-1).all(-1).tolist() == [True, False]


def test_qq_of_all_points_is_the_sorted_codes():
    codes = normal(2, 200, 3)
    theory, ordered = qq(codes, num=200)
    np.testing.assert_allclose(theory, stats.norm.ppf((np.arange(200) + 0.5) / 200), atol=1e-12)
    torch.testing.assert_close(ordered, codes.sort(1).values, atol=1e-12, rtol=0)


def test_qq_interpolates_between_order_statistics():
    codes = torch.tensor([4.0, 1.0, 3.0, 2.0]).double()[None, :, None]
    theory, ordered = qq(codes, num=2)  # levels 1/4 and 3/4; the order statistics at 1/8, 3/8, ...
    assert theory.tolist() == pytest.approx([-0.6744897501960817, 0.6744897501960817])
    assert ordered.flatten().tolist() == [1.5, 3.5]
    assert ordered.shape == (1, 2, 1)


def test_qq_of_normal_codes_is_the_diagonal():
    theory, ordered = qq(normal(1, 20_000, 2), num=50)
    assert (ordered[0] - theory[:, None]).abs().max() < 0.1


# Reconstruction


def test_reconstruction_by_hand():
    z = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    x = torch.tensor([[1.0], [2.0]])
    samples = Samples(
        torch.zeros(2, 2, 1),
        x,
        z=z,
        z_cycled=z + torch.tensor([1.0, -2.0]),
        x_errors=torch.tensor([[0.0, 0.0], [1.0, 3.0]]),
    )
    values = Reconstruction()(samples)
    assert values["z_error"].tolist() == [1.5, 1.5]
    assert values["x_error"].tolist() == [0.0, 2.0]
    assert Reconstruction().protocol(samples) == {"num_z": 2, "num_x": 2}


def test_reconstruction_gives_what_there_is():
    errors = torch.rand(2, 4, generator=seeded())
    only_x = Samples(torch.zeros(2, 5, 1, 3, 3), torch.zeros(4, 1, 3, 3), x_errors=errors)
    values = Reconstruction()(only_x)
    assert values.keys() == {"x_error"}
    assert values["x_error"].tolist() == pytest.approx(errors.double().mean(1).tolist())
    z = normal(2, 6, 3)
    only_z = Samples(torch.zeros(2, 6, 1), torch.zeros(1, 1), z=z, z_cycled=z)
    assert Reconstruction()(only_z).keys() == {"z_error"}
    assert Reconstruction().protocol(only_z) == {"num_z": 6}


def test_reconstruction_of_a_diverged_seed_is_not_finite():
    z = normal(3, 5, 2)
    cycled = z.clone()
    cycled[1, 0, 0] = torch.nan
    values = Reconstruction()(Samples(z, z[0], z=z, z_cycled=cycled))
    assert values["z_error"].isfinite().tolist() == [True, False, True]


# The contract of every metric


def full_samples(seeds=3):
    generated, codes = draw(GRID, seeds, 400), normal(seeds, 300, 2)
    real = draw(GRID, 1, 300)[0]
    return Samples(
        generated,
        real,
        z=normal(seeds, 400, 2),
        codes=codes,
        z_cycled=normal(seeds, 400, 2, seed=1),
        x_cycled=real + 0.1 * normal(seeds, 300, 2, seed=2),
        x_errors=0.1 * normal(seeds, 300, 2, seed=2).abs().mean(2),
        truth=GRID,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["coverage", "normality", "reconstruction"])
def test_contract(name, dtype):
    metric, samples = METRICS[name](), full_samples()
    cast = {k: v.to(dtype) for k, v in vars(samples).items() if isinstance(v, torch.Tensor)}
    samples = replace(samples, **cast)
    assert metric.missing(samples) is None
    values = metric(samples)
    assert values
    for value in values.values():
        assert value.dtype == torch.float64
        assert value.shape == (3,)
        assert value.device.type == "cpu"
        assert value.isfinite().all()
    equal(values, metric(samples), 0)
    protocol = metric.protocol(samples)
    assert json.loads(json.dumps(dict(protocol))) == protocol == METRICS[name]().protocol(samples)
    assert vars(metric).keys() <= protocol.keys()


@pytest.mark.parametrize(
    ("metric", "change", "message"),
    [
        (ModeCoverage(), {"truth": None}, "the truth of the source"),
        (ModeCoverage(), {"generated": torch.zeros(3, 5, 1, 4, 4)}, r"\(S, N, 2\).*\(3, 5, 1, 4"),
        (ModeCoverage(), {"generated": torch.zeros(3, 5, 7)}, r"\(S, N, 2\).*\(3, 5, 7\)"),
        (Normality(), {"codes": None}, "codes F.x."),
        (Normality(), {"codes": torch.zeros(3, 2, 2)}, "3 codes a seed; there are 2"),
        (Reconstruction(), {"z_cycled": None, "x_errors": None}, "no inverse F"),
        (Reconstruction(), {"z": None, "x_errors": None}, "no inverse F"),
    ],
)
def test_what_is_missing_is_named(metric, change, message):
    samples = replace(full_samples(), **change)
    lack = metric.missing(samples)
    assert lack is not None
    assert "\n" not in lack
    with pytest.raises(InputError, match=message) as error:
        metric(samples)
    assert lack in str(error.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ModeCoverage(k=0.0), "k: 0.0"),
        (lambda: ModeCoverage(k=math.nan), "k: nan"),
        (lambda: ModeCoverage(thresholds=(1, 0)), "thresholds: 0"),
        (lambda: Normality(max_codes=5001), "max_codes.*5001.*nearest: 5000"),
        (lambda: Normality(max_codes=2), "max_codes.*2.*nearest: 3"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
