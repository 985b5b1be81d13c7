"""Nearest neighbours against brute force, on features that products in float32 get wrong."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from iidgan.functional.scores import neighbours
from tests.helpers.errors import raises_input_error
from tests.helpers.features import feature_pairs, squared_distances
from tests.helpers.samples import normal

KINDS = list(feature_pairs(2))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK_SIZE", 32)


def assert_nearest(x, y, k, *, same_set=False):
    distances, indices = neighbours.nearest_neighbours(x, y, k, same_set=same_set)
    scale = float(y.abs().max())
    all_distances = squared_distances(x / scale, y / scale, same_set=same_set).sqrt() * scale
    expected = all_distances.topk(k, largest=False).values
    torch.testing.assert_close(distances, expected, rtol=1e-4, atol=0)
    torch.testing.assert_close(all_distances.gather(1, indices), expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("num_dimensions", [2, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_nearest_neighbours_by_brute_force(kind, num_dimensions):
    real, fake = feature_pairs(num_dimensions)[kind]
    real, fake = real.double(), fake.double()
    assert_nearest(fake, real, 3)
    assert_nearest(real, real, 3, same_set=True)
    (points,) = neighbours.point_sets(real)
    radii = neighbours.squared_radii(points, 3).sqrt() * points.unit
    expected = neighbours.nearest_neighbours(real, real, 3, same_set=True)[0][:, -1]
    torch.testing.assert_close(radii, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("max_merged_share", [0, 1])
@pytest.mark.parametrize("order", ["approaching", "receding"])
def test_nearest_neighbours_by_both_ways_of_merging(order, max_merged_share, monkeypatch):
    """Selecting from all values of a block, or from those nearer than the nearest before."""
    monkeypatch.setattr(neighbours, "_MAX_MERGED_SHARE", max_merged_share)
    scales = torch.linspace(3, 0.1, 150)[:, None]
    real = normal(150, 40) * (scales if order == "approaching" else scales.flip(0))
    assert_nearest(real, real, 3, same_set=True)
    assert_nearest(normal(70, 40, seed=1), real, 3)


@pytest.mark.parametrize("dim", [0, 1])
def test_count_true(dim):
    mask = normal(300, 600) > -1.5  # more than a byte counts, in both directions
    mask[:, :3] = mask[:3] = True
    assert torch.equal(neighbours.count_true(mask, dim), mask.sum(dim))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.integers(18, 60), st.sampled_from([1e-6, 1e-3, 1.0]))
def test_nearest_neighbours_of_clusters(seed, num_dimensions, width):
    """Clusters of any width, from below the rounding of float32 to none."""
    centres = normal(4, num_dimensions, seed=seed).repeat(15, 1)
    real = centres + width * normal(60, num_dimensions, seed=seed + 1)
    assert_nearest(real.float().double(), real.float().double(), 4, same_set=True)


def test_products_in_float32_confuse_neighbours():
    """What the module is for: without refinement, these features have other neighbours."""
    real, _ = feature_pairs(40)["narrow modes"]
    squared_norms = real.square().sum(1)
    products = squared_norms[:, None] + squared_norms - 2 * real @ real.mT
    nearest = products.fill_diagonal_(torch.inf).argmin(1)
    _, expected = neighbours.nearest_neighbours(real, real, same_set=True)
    assert (nearest != expected[:, 0]).sum() > len(real) / 2
    assert (nearest % 5 == expected[:, 0] % 5).all()  # of the right mode


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_lowered_matmul_precision_is_not_used(precision):
    real, _ = feature_pairs(40)["normal"]
    torch.set_float32_matmul_precision(precision)
    try:
        assert_nearest(real.double(), real.double(), 3, same_set=True)
    finally:
        torch.set_float32_matmul_precision("highest")


def test_autocast_does_not_change_neighbours():
    real, fake = feature_pairs(40)["normal"]
    expected = neighbours.nearest_neighbours(fake, real, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert_same(neighbours.nearest_neighbours(fake, real, 3), expected)


def assert_same(result, expected):
    torch.testing.assert_close(result[0], expected[0], rtol=1e-12, atol=0)
    assert torch.equal(result[1], expected[1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_nearest_neighbours_of_half_precision(dtype):
    real = normal(40, 20).to(dtype)
    assert_nearest(real.double(), real.double(), 2, same_set=True)
    result = neighbours.nearest_neighbours(real, real, 2, same_set=True)
    expected = neighbours.nearest_neighbours(real.float(), real.float(), 2, same_set=True)
    assert_same(result, expected)


def test_overflowing_range_is_refused():
    with raises_input_error("features"):
        neighbours.point_sets(torch.tensor([[3e38], [-3e38], [-3e38]]))


def test_balls_contain_their_boundary():
    points, others = neighbours.point_sets(*feature_pairs(40)["normal"])
    radii = squared_distances(points.features, others.features)[:, :1] / points.unit**2
    for block in neighbours.iterate_blocks(points, others):
        if block.columns.start == 0:
            assert block.within(radii[block.rows])[:, 0].all()
            assert not block.within(0.999 * radii[block.rows])[:, 0].any()


@pytest.mark.parametrize("num_dimensions", [2, 40])
def test_balls_are_exact_beside_an_outlier(num_dimensions):
    """Rounding of an outlier 1e7 times as far away must not blur the others' boundaries."""
    real = normal(60, num_dimensions)
    real[0] *= 1e7
    points, others = neighbours.point_sets(real, normal(50, num_dimensions, seed=1))
    distances = squared_distances(points.features, others.features) / points.unit**2
    for factor, expected in ((1 + 1e-6, True), (1 - 1e-6, False)):
        radii = factor * distances[:, 1:2]
        for block in neighbours.iterate_blocks(points, others):
            if block.columns.start == 0:
                assert (block.within(radii[block.rows])[:, 1] == expected).all()
