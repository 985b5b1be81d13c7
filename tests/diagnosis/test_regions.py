"""Regions of the data that a generator starves or crowds."""

import torch

from iidgan.diagnosis import find_regions


def blobs(*counts, seed=0):
    """Points around (0, 0), (100, 0), (200, 0), ..., as many as `counts` says."""
    generator = torch.Generator().manual_seed(seed)
    parts = [
        torch.randn(count, 2, generator=generator) + torch.tensor([100.0 * i, 0.0])
        for i, count in enumerate(counts)
    ]
    return torch.cat(parts)


def test_missing_mode_is_the_most_starved_region():
    real, fake = blobs(30, 30, 30), blobs(0, 45, 45, seed=1)
    regions = find_regions(real, fake)
    starved = regions[0]
    assert set(starved.real_positions) <= set(range(30))
    assert starved.fake_share == 0
    assert starved.is_significant
    assert starved.z < 0 < regions[-1].z


def test_shares_sum_to_one_and_regions_hold_every_sample():
    real, fake = blobs(100, 100), blobs(10, 190, seed=1)
    regions = find_regions(real, fake)
    assert sum(region.real_share for region in regions) == torch.tensor(1.0)
    assert sum(region.fake_share for region in regions) == torch.tensor(1.0)
    positions = [i for region in regions for i in region.fake_positions]
    assert sorted(positions) == list(range(200))


def test_positions_begin_at_the_centre():
    real = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0], [100.0], [101.0], [102.0]])
    regions = find_regions(real, real)
    low = next(region for region in regions if 2 in region.real_positions)
    assert low.real_positions[0] == 2
    assert set(low.real_positions) == {0, 1, 2, 3, 4}


def test_equal_sets_have_no_significant_region():
    points = blobs(300, 300)
    assert not any(region.is_significant for region in find_regions(points, points))


def test_most_common_label_names_the_region():
    real = blobs(30, 30)
    labels = ["shirt"] * 29 + ["bag"] + ["boot"] * 30
    assert {region.label for region in find_regions(real, real, labels)} == {"shirt", "boot"}


def test_same_seed_gives_same_regions():
    real, fake = blobs(200, 200), blobs(50, 350, seed=1)
    assert find_regions(real, fake) == find_regions(real, fake)


def test_repeated_samples_give_one_region():
    real = torch.zeros(100, 2)
    (region,) = find_regions(real, real)
    assert region.real_share == region.fake_share == 1
