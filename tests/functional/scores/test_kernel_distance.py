"""The kernel distance: known values, laws and its own generator."""

import pytest
import torch

from iidgan.functional.scores.kernel_distance import kernel_distance
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import normal


def pair(num=100):
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(120, 16, generator=generator, dtype=torch.float64)
    fake = 0.3 + 1.2 * torch.randn(150, 16, generator=generator, dtype=torch.float64)
    return real[:num], fake[:num]


def test_kernel_distance_of_torchmetrics():
    """torchmetrics 1.9.0 with one subset of all samples."""
    expected = 0.23111277761667948
    values = kernel_distance(*pair(), subset_size=None)
    assert values.mean.item() == pytest.approx(expected, rel=1e-12)
    assert values.std.isnan()
    assert kernel_distance(*pair(), subset_size=100, num_subsets=3).mean.item() == pytest.approx(
        expected, rel=1e-12
    )


def test_kernel_distance_by_definition():
    real, fake = pair(7)
    fake = fake[:5]
    kernel = (torch.cat([real, fake]) @ torch.cat([real, fake]).mT / 16 + 1) ** 3
    xx, yy, xy = kernel[:7, :7], kernel[7:, 7:], kernel[:7, 7:]
    expected = (xx.sum() - xx.trace()) / 42 + (yy.sum() - yy.trace()) / 20 - 2 * xy.mean()
    assert kernel_distance(real, fake, subset_size=None).mean.item() == pytest.approx(
        expected.item()
    )


def test_kernel_distance_of_equal_distributions_is_unbiased():
    values = [
        kernel_distance(normal(20, 3, seed=2 * i), normal(20, 3, seed=2 * i + 1), subset_size=None)
        for i in range(40)
    ]
    means = torch.stack([value.mean for value in values])
    assert means.min() < 0
    assert abs(means.mean()) < 3 * means.std() / 40**0.5


def test_kernel_distance_has_its_own_generator():
    options = {"subset_size": 20, "num_subsets": 5}
    torch.manual_seed(0)
    expected = kernel_distance(*pair(), **options)
    state = torch.get_rng_state()
    torch.manual_seed(1)
    assert kernel_distance(*pair(), **options) == expected
    torch.manual_seed(0)
    assert torch.equal(torch.get_rng_state(), state)
    assert kernel_distance(*pair(), **options, seed=1).mean != expected.mean


def test_kernel_distance_of_seeds():
    real, fake = pair()
    values = kernel_distance(real, torch.stack([fake, fake * torch.nan, real]), subset_size=30)
    single = kernel_distance(real, fake, subset_size=30)
    assert values.mean[0] == single.mean
    assert values.mean.isnan().tolist() == [False, True, False]


def test_kernel_distance_refuses():
    for size in (1, 101):
        with raises_input_error("subset_size", 100, size):
            kernel_distance(*pair(), subset_size=size)
    with raises_input_error("num_subsets"):
        kernel_distance(*pair(), subset_size=9, num_subsets=0)
