"""Mixtures by flags: they contain Ring and Grid, and have the weights and widths that they say."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from iidgan.core import Samples
from iidgan.data import Grid, Mixture, Ring
from iidgan.data.mixture_source import parse_weights
from iidgan.metrics import ModeCoverage
from iidgan.testing import check_source
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize(
    ("mixture", "source"),
    [
        (Mixture(modes=7, spacing=1.5, std=(0.01,)), Ring(modes=7, radius=1.5, std=0.01)),
        (Mixture(layout="grid", modes=9, std=(0.1,), seed=3), Grid(side=3, std=0.1, seed=3)),
    ],
)
def test_mixture_contains_ring_and_grid(mixture, source):
    assert torch.equal(mixture.load().x, source.load().x)
    assert torch.equal(mixture.load().y, source.load().y)


@pytest.mark.parametrize(
    "source",
    [
        Mixture(size=100),
        Mixture(size=100, layout="grid", modes=25, std=(0.02, 0.1), weights="zipf:1"),
        Mixture(size=100, dim=10, weights="rare:0.005"),
    ],
)
def test_check_source_accepts_mixture(source):
    check_source(source)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zipf:1", (6 / 11, 3 / 11, 2 / 11)),
        ("zipf:0", (1 / 3, 1 / 3, 1 / 3)),
        ("rare:0.2", (0.2, 0.4, 0.4)),
        ("2,1,1", (0.5, 0.25, 0.25)),
    ],
)
def test_parse_weights_known_answers(text, expected):
    assert parse_weights(text, 3) == pytest.approx(expected)


def test_grid_without_its_last_modes():
    centres = Mixture(layout="grid", modes=7, size=7).load().truth.centres
    assert torch.equal(centres, Grid(side=3, size=9).load().truth.centres[:7])


def test_parse_weights_equal_needs_none():
    assert parse_weights("equal", 3) == ()


@pytest.mark.parametrize(
    "text",
    [
        *("", "zipf", "zipf:", "zipf:x", "zipf:-1", "zipf:1e9", "zipf:nan", "law:1"),
        *("rare:0", "rare:1", "rare:-1", "1,2", "1,2,3,4", "1,0,1", "1,-1,1", "1,,1"),
        *("inf,1,1", "nan,1,1", "1e308,1,1e-308"),
    ],
)
def test_parse_weights_refuses(text):
    with raises_input_error():
        parse_weights(text, 3)


@given(shares=st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=12), extra=st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_counts_follow_weights(shares, extra):
    num_modes = len(shares)
    size = num_modes + extra
    source = Mixture(modes=num_modes, weights=",".join(map(str, shares)), size=size)
    counts = source.load().y.bincount(minlength=num_modes)
    exact = size * source.load().truth.probabilities
    assert counts.sum() == size
    assert counts.min() >= 1
    if exact.min() >= 1:
        assert (counts - exact).abs().max() <= 1 + 1e-9


def test_first_samples_have_shares_of_weights():
    y = Mixture(weights="rare:0.005", size=100_000).load().y
    assert (y == 0).sum() == 500
    assert (y[:10_000] == 0).sum() == 50


def test_widths_repeat_in_turn():
    source = Mixture(modes=5, std=(0.02, 0.1), size=50_000)
    data = source.load()
    for mode in range(5):
        noise = (data.x - data.truth.centres[data.y])[data.y == mode].double()
        expected = source.std[mode % 2]
        assert noise.std(0).tolist() == pytest.approx([expected] * 2, rel=0.05)


def test_embedding_is_a_plane_with_small_noise_off_it():
    source = Mixture(dim=10, std=(0.1,), off_plane_std=0.01, size=40_000)
    data = source.load()
    centres = data.truth.centres.double()
    plane = Ring().load().truth.centres.double()
    assert torch.allclose(torch.cdist(centres, centres), torch.cdist(plane, plane), atol=1e-5)
    noise = (data.x - data.truth.centres[data.y]).double()
    variances = torch.linalg.eigvalsh(noise.T.cov())
    assert variances[:8].sqrt().tolist() == pytest.approx([0.01] * 8, rel=0.05)
    assert variances[8:].sqrt().tolist() == pytest.approx([0.1] * 2, rel=0.05)


def test_planes_depend_on_their_seed_alone():
    first = Mixture(dim=5, seed=0, size=8).load().truth.centres
    assert torch.equal(first, Mixture(dim=5, seed=1, size=8).load().truth.centres)
    assert not torch.allclose(first, Mixture(dim=5, plane_seed=1, size=8).load().truth.centres)


@pytest.mark.parametrize(
    "source",
    [
        Mixture(layout="grid", modes=25, std=(0.05,), weights="zipf:1"),
        Mixture(layout="grid", modes=25, std=(0.02, 0.05, 0.2)),
        Mixture(dim=10),
    ],
)
def test_mode_coverage_of_its_own_samples(source):
    """Whatever weights, widths and dimension: 98.9 % are good, and the divergences are small."""
    truth = source.load().truth
    x, _ = truth.draw(20_000, seed=1)
    values = ModeCoverage()(Samples(x[None], x, truth=truth))
    assert values["modes_20"].item() == source.modes
    assert values["quality"].item() == pytest.approx(100 * (1 - math.exp(-4.5)), abs=0.4)
    floor = (source.modes - 1) / (2 * 20_000)
    assert values["reverse_kl"].item() == pytest.approx(floor, abs=5 * floor)
    assert values["forward_kl"].item() == pytest.approx(floor, abs=5 * floor)


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({"modes": 0}, (">= 1", 0)),
        ({"spacing": -1.0}, ("positive", -1.0)),
        ({"std": ()}, (8, 0)),
        ({"std": (0.1,) * 9}, (8, 9)),
        ({"std": (0.1, 0.0)}, ("positive", 0.0)),
        ({"weights": "zipf"}, ("zipf:EXPONENT", "'zipf'")),
        ({"weights": "1,2"}, (8, 2)),
        ({"dim": 1}, (">= 2", 1)),
        ({"off_plane_std": math.nan}, ("positive", "nan")),
        ({"plane_seed": -1}, (0, -1)),
        ({"size": 7}, (">= 8", 7)),
        ({"seed": -1}, (0, -1)),
    ],
)
def test_mixture_refuses_invalid_field(options, values):
    (field,) = options
    with raises_input_error(field, *values):
        Mixture(**options)
