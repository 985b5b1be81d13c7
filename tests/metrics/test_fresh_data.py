"""Metrics against fresh samples of a known distribution, and what fresh samples score."""

import math

import pytest
import torch

from iidgan.core import Samples
from iidgan.data import Grid, Mixture, Moons, Ring, Spiral
from iidgan.functional.scores.sliced_wasserstein import sliced_wasserstein
from iidgan.metrics import METRICS, FreshData, ModeCoverage, PointCoverage, SlicedWasserstein
from iidgan.testing import check_metric
from tests.helpers.errors import raises_input_error


def make_samples(source, generated):
    data = source.load()
    return Samples(generated, data.x[:100], truth=data.truth)


def draw(source, num_samples, seed=1):
    return source.load().truth.draw(num_samples, seed)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "source", [Ring(), Mixture(layout="grid", modes=25, weights="zipf:1"), Mixture(dim=10)]
)
def test_sliced_w2_is_precise(source):
    """Neither other fresh samples nor more directions in the plane change it by 0.001."""
    truth = source.load().truth
    x, modes = truth.draw(100_000, seed=1)
    samples = x[modes > 0][:50_000][None]
    value = SlicedWasserstein()(make_samples(source, samples))["sliced_w2"].item()
    reference, _ = truth.draw_evenly(50_000, seed=5)
    num_directions = 256 if x.shape[1] == 2 else 64
    other = sliced_wasserstein(reference, samples[0], num_directions=num_directions).item()
    assert value > 0.1
    assert value == pytest.approx(other, abs=1e-3)


def test_sliced_w2_of_moved_samples():
    x = draw(Spiral(), 20_000)
    values = SlicedWasserstein()(make_samples(Spiral(), (x + torch.tensor([0.6, 0.8]))[None]))
    assert values["sliced_w2"].item() == pytest.approx(math.sqrt(0.5), abs=0.02)


def test_point_coverage_of_half_of_the_set():
    x, labels = Moons().draw(5_000, seed=1)
    generated = torch.stack([x[labels == 0][:2_000], x[:2_000], torch.full((2_000, 2), 9.0)])
    values = PointCoverage()(make_samples(Moons(), generated))
    assert values["point_coverage"].tolist() == pytest.approx([0.5, 1.0, 0.0], abs=0.06)
    assert values["point_density"].tolist() == pytest.approx([1.0, 1.0, 0.0], abs=0.05)


def test_check_metric_of_point_coverage():
    check_metric(PointCoverage(), make_samples(Moons(), draw(Moons(), 300).reshape(3, 100, 2)))


@pytest.mark.parametrize("source", [Ring(), Grid(), Mixture(weights="rare:0.005")])
def test_fresh_data_have_known_floors(source):
    num_samples = 20_000
    values = FreshData()(make_samples(source, torch.zeros(2, num_samples, 2)))
    num_modes = len(source.load().truth.centres)
    floor = (num_modes - 1) / (2 * num_samples)
    assert values["quality_fresh"].tolist() == pytest.approx([98.89] * 2, abs=0.3)
    # 2N KL is chi-squared with K - 1 degrees of freedom; three draws are averaged.
    error = 5 * math.sqrt(2 * (num_modes - 1) / 3) / (2 * num_samples)
    assert values["reverse_kl_fresh"].tolist() == pytest.approx([floor] * 2, abs=error)
    assert values["forward_kl_fresh"].tolist() == pytest.approx([floor] * 2, abs=error)
    assert values["modes_due_50_fresh"].tolist() == [num_modes] * 2
    assert 0 < values["sliced_w2_fresh"][0] < 0.2
    assert "point_coverage_fresh" not in values


def test_fresh_data_of_a_set_without_modes():
    values = FreshData()(make_samples(Moons(), torch.zeros(1, 2_000, 2)))
    assert values["point_coverage_fresh"].item() == pytest.approx(1, abs=0.05)
    assert "quality_fresh" not in values


def test_fresh_data_do_not_depend_on_samples():
    zeros, ones = (make_samples(Ring(), torch.full((1, 100, 2), x)) for x in (0.0, 1.0))
    first, second = FreshData()(zeros), FreshData()(ones)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_metrics_of_points_of_unknown_distribution():
    """Arrays of users have no truth, and so none of these metrics."""
    samples = Samples(torch.zeros(1, 100, 2), torch.zeros(100, 2))
    for name in ("sliced-wasserstein", "point-coverage", "fresh-data", "mode-shares"):
        metric = METRICS[name]()
        assert metric.missing(samples)
        with raises_input_error(name):
            metric(samples)


def test_mode_coverage_is_missing_without_modes():
    samples = make_samples(Moons(), torch.zeros(1, 100, 2))
    assert ModeCoverage().missing(samples)
    assert PointCoverage().missing(make_samples(Ring(), torch.zeros(1, 100, 2)))


@pytest.mark.parametrize(
    ("metric_class", "field", "value"),
    [
        (SlicedWasserstein, "directions", 0),
        (PointCoverage, "k", 0),
        (PointCoverage, "max_samples", 5),
        (FreshData, "draws", 0),
    ],
)
def test_options_out_of_range(metric_class, field, value):
    with raises_input_error(field, value):
        metric_class(**{field: value})
