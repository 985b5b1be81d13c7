"""Filters in four bands."""

import math

import pytest
import torch

from iidgan.functional.augmentation.bands import band_matrices, draw_gains, filter_bands
from tests.helpers.augmentation import make_images


@pytest.mark.parametrize("size", [4, 7, 28, 32])
def test_bands_sum_to_identity(size):
    bands = band_matrices(size, torch.zeros(()))
    assert torch.equal(bands.sum(0), torch.eye(size))


def low_pass(frequency):
    """The response of a filter with taps 16, 9, 0, -1, of 32, to both sides."""
    return (16 + 18 * math.cos(frequency) - 2 * math.cos(3 * frequency)) / 32


@pytest.mark.parametrize(("band", "sixty_fourths"), [(0, 0), (0, 3), (1, 11), (2, 23), (3, 52)])
def test_bands_contain_their_frequencies(band, sixty_fourths):
    """Cosines that continue as in a mirror are multiplied by the responses of the filters."""
    frequency = sixty_fourths * math.pi / 64
    wave = (frequency * torch.arange(65, dtype=torch.float64)).cos()
    low, lower, lowest = (low_pass(spacing * frequency) for spacing in (1, 2, 4))
    responses = [low * lower * lowest, low * lower * (1 - lowest), low * (1 - lower), 1 - low]
    expected = torch.tensor(responses).double()
    parts = band_matrices(65, wave) @ wave
    torch.testing.assert_close(parts, expected[:, None] * wave)
    assert expected.argmax() == band


def test_filter_bands_of_equal_gains():
    images = make_images(1, 2, 3, 8, 12)
    assert torch.equal(filter_bands(images, torch.ones(1, 2, 4).double()), images)
    doubled = filter_bands(images, torch.full((1, 2, 4), 2.0).double())
    torch.testing.assert_close(doubled, 4 * images)  # along rows, and along columns


def test_filter_bands_keeps_constants_of_the_lowest_band():
    images = torch.ones(1, 1, 1, 8, 8).double()
    gains = torch.tensor([[[1.0, 3.0, 0.0, 5.0]]]).double()
    torch.testing.assert_close(filter_bands(images, gains), images)


def test_draw_gains_by_hand():
    """The last band alone, four times the others, whose power share is 1 / 13."""
    normals = torch.tensor([[[9.0, 9, 9, -9, 1, 1, 1, 2]]]).double()
    scale = (1 + 15 / 13) ** -0.5
    expected = torch.tensor([scale, scale, scale, 4 * scale]).double()
    gains = draw_gains(normals, torch.tensor([0.5]).double()).flatten()
    torch.testing.assert_close(gains, expected)


def test_draw_gains_keep_the_power_of_natural_images():
    power = torch.tensor([10.0, 1, 1, 1]).double() / 13
    for band in range(4):
        normals = torch.full((1, 1, 8), 9.0).double()
        normals[..., band], normals[..., 4 + band] = -9.0, 1.7
        gains = draw_gains(normals, torch.tensor([0.5]).double())
        torch.testing.assert_close((power * gains.square()).sum(), torch.tensor(1.0).double())


def test_draw_gains_without_strength():
    gains = draw_gains(torch.randn(2, 5, 8), torch.tensor([0.0, 1.0]))
    assert torch.equal(gains[0], torch.ones(5, 4))
    assert (gains[1] != 1).all()
