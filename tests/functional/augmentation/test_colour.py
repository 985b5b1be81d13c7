"""Changes of colours."""

import math

import pytest
import torch

from iidgan.functional.augmentation import colour
from iidgan.functional.augmentation.colour import colour_factors, map_channels
from iidgan.functional.augmentation.matrices import count_draws, draw_product
from tests.helpers.augmentation import make_images, normal_of

SHAPE = (3, 2, 2)
RED, GREY = torch.tensor([1.0, 0, 0]).double(), torch.full((3,), 0.3).double()


def change(function, pixel, normal):
    """Change the colour of one pixel."""
    matrix = function(torch.tensor([[[normal]]]).double(), (len(pixel), 1, 1))
    return map_channels(pixel.view(1, 1, -1, 1, 1), matrix).flatten()


def test_brightness_is_added():
    torch.testing.assert_close(change(colour.brightness_matrix, RED, 1.5), RED + 0.3)


def test_contrast_is_multiplied():
    torch.testing.assert_close(change(colour.contrast_matrix, RED, 2.0), 2 * RED)


def test_luma_flip_negates_the_mean():
    flipped = change(colour.luma_flip_matrix, RED, 1.0)
    torch.testing.assert_close(flipped, RED - 2 / 3)
    torch.testing.assert_close(change(colour.luma_flip_matrix, flipped, 1.0), RED)
    assert torch.equal(change(colour.luma_flip_matrix, RED, -1.0), RED)


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_hue_of_thirds_permutes_channels(turns):
    turned = change(colour.hue_matrix, RED, float(normal_of(turns / 3 + 1e-12)))
    torch.testing.assert_close(turned, RED.roll(turns), atol=1e-7, rtol=0)


def test_hue_keeps_grey_and_length():
    torch.testing.assert_close(change(colour.hue_matrix, GREY, 0.7), GREY)
    torch.testing.assert_close(change(colour.hue_matrix, RED, 0.7).norm(), RED.norm())


def test_saturation_stretches_around_grey():
    torch.testing.assert_close(
        change(colour.saturation_matrix, RED, 1.0), 1 / 3 + 2 * (RED - 1 / 3)
    )
    torch.testing.assert_close(change(colour.saturation_matrix, GREY, 1.0), GREY)


def test_colours_apply_in_the_order_of_the_paper():
    """Brightness, then contrast, then the luma flip; each at the normal number 1."""
    factors = colour_factors(1)
    normals = torch.tensor([-9.0, 1.0]).repeat(3).view(1, 1, -1).double()
    matrix = draw_product(factors, normals, torch.tensor([0.5]).double(), (1, 1, 1))
    pixel = torch.tensor([0.4]).double().view(1, 1, 1, 1, 1)
    expected = -math.sqrt(2) * (0.4 + 0.2)
    assert float(map_channels(pixel, matrix)) == pytest.approx(expected)


@pytest.mark.parametrize(("num_channels", "num_factors"), [(1, 3), (2, 2), (3, 5), (4, 2)])
def test_colours_by_channels(num_channels, num_factors):
    factors = colour_factors(num_channels)
    assert len(factors) == num_factors
    images = make_images(2, 5, num_channels, 3, 4)
    normals = torch.randn(2, 5, count_draws(factors)).double()
    matrix = draw_product(factors, normals, torch.tensor([0.0, 1.0]).double(), images.shape[2:])
    changed = map_channels(images, matrix)
    assert torch.equal(changed[0], images[0])
    assert not torch.isclose(changed[1], images[1]).flatten(1).all(1).any()


def test_grey_images_change_as_grey_colours():
    """Hue and saturation change no grey, and the other matrices act on it as on one channel."""
    grey = make_images(1, 4, 1, 3, 3)
    normals = torch.randn(1, 4, 10, generator=torch.Generator().manual_seed(0)).double()
    p = torch.tensor([0.7]).double()
    colours = draw_product(colour_factors(3), normals, p, SHAPE)
    lumas = draw_product(colour_factors(1), normals[..., 4:], p, (1, 3, 3))
    changed = map_channels(grey.expand(-1, -1, 3, -1, -1), colours)
    torch.testing.assert_close(changed, map_channels(grey, lumas).expand_as(changed))


@pytest.mark.parametrize(
    ("function", "read", "std"),
    [
        (colour.brightness_matrix, lambda matrix: matrix[..., 0, 3], 0.2),
        (colour.contrast_matrix, lambda matrix: matrix[..., 0, 0].log2(), 0.5),
        (colour.saturation_matrix, lambda m: (m[..., 0, 0] - m[..., 0, 1]).log2(), 1.0),
    ],
    ids=["brightness", "contrast", "saturation"],
)
def test_colours_have_the_moments_of_the_paper(function, read, std):
    generator = torch.Generator().manual_seed(0)
    normals = torch.randn(1, 20_000, 1, generator=generator, dtype=torch.float64)
    values = read(function(normals, SHAPE))
    assert abs(values.mean()) < 5 * std / math.sqrt(20_000)
    assert abs(values.std() - std) < 5 * std / math.sqrt(20_000)
