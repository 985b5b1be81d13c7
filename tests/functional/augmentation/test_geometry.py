"""Flips, turns, shifts and scales of images."""

import math

import pytest
import torch

from iidgan.functional.augmentation import geometry
from iidgan.functional.augmentation.geometry import rotation, scaling, translation, warp
from iidgan.functional.augmentation.interpolation import (
    convolution_matrix,
    midpoint_matrix,
    mirror,
)
from iidgan.functional.augmentation.matrices import count_draws, draw_product
from tests.helpers.augmentation import ALWAYS, make_images, normal_of

IMAGE = make_images(1, 1, 2, 5, 8)


def draw(function, uniform, shape=(2, 5, 8)):
    """The matrix of one image at given uniform numbers."""
    return function(normal_of(uniform).view(1, 1, -1), shape)


def pair(a, b):
    """Two numbers as tensors of one image."""
    return torch.tensor([[a]]).double(), torch.tensor([[b]]).double()


def test_mirror_is_that_of_numpy_reflect():
    pixels = torch.arange(4.0)
    padded = torch.nn.functional.pad(pixels.view(1, 1, 1, 4), (3, 3, 0, 0), mode="reflect")
    assert torch.equal(pixels[mirror(torch.arange(-3, 7), 4)], padded.flatten())
    assert mirror(torch.tensor([-13, 20]), 4).tolist() == [1, 2]


def test_convolution_matrix_shifts():
    matrix = convolution_matrix({2: 1.0}, 5, torch.zeros(()))
    assert (matrix @ torch.arange(5.0)).tolist() == [2, 3, 4, 3, 2]


def test_midpoint_matrix_of_quintics():
    x = torch.arange(12, dtype=torch.float64)
    midpoints = midpoint_matrix(12, x) @ (x - 5) ** 5
    inside = torch.arange(4, 19, dtype=torch.float64)  # six neighbours are inside the line
    torch.testing.assert_close(midpoints[4:19], (inside / 2 - 5) ** 5)


def test_warp_by_identity():
    identity = torch.eye(3, dtype=torch.float64).expand(1, 1, 3, 3)
    assert torch.equal(warp(IMAGE, identity), IMAGE)


@pytest.mark.parametrize("shift", [1, -3])
def test_warp_by_whole_shifts(shift):
    index = mirror(torch.arange(8) + shift, 8)
    shifted = warp(IMAGE, translation(torch.tensor([[[shift, 0]]]).double()))
    assert torch.equal(shifted, IMAGE[..., index])
    rows = warp(IMAGE, translation(torch.tensor([[[0, shift]]]).double()))
    assert torch.equal(rows, IMAGE[..., mirror(torch.arange(5) + shift, 5), :])


def test_warp_by_half_a_pixel():
    shifted = warp(IMAGE, translation(torch.tensor([[[0.5, 0]]]).double()))
    between = (IMAGE @ midpoint_matrix(8, IMAGE).mT)[..., 1::2]
    torch.testing.assert_close(shifted[..., :-1], between)


def test_warp_by_a_third_of_a_pixel():
    """A smooth image is interpolated well."""
    x = torch.arange(16, dtype=torch.float64)
    wave = (0.5 * x).cos().expand(1, 1, 1, 4, 16)
    shifted = warp(wave, translation(torch.tensor([[[1 / 3, 0]]]).double()))
    error = shifted[0, 0, 0, 0, 3:-3] - (0.5 * (x[3:-3] + 1 / 3)).cos()
    assert error.abs().max() < 0.01


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_warp_by_quarter_turns(turns):
    square = make_images(1, 1, 3, 6, 6)
    matrix = draw(geometry.quarter_turn_matrix, (turns + 0.5) / 4)
    assert torch.equal(warp(square, matrix), square.rot90(turns, (-2, -1)))


def test_warp_by_angles():
    """Right angles are also values of uniform angles, up to rounding."""
    square = make_images(1, 1, 1, 6, 6)
    turned = warp(square, draw(geometry.turn_matrix, 0.25))
    torch.testing.assert_close(turned, square.rot90(1, (-2, -1)))


def test_warp_keeps_the_middle_of_rectangles():
    """A quarter turn of a tall image shows the square in its middle, and mirrors beyond."""
    tall = make_images(1, 1, 1, 9, 5)
    turned = warp(tall, rotation(*pair(0.0, 1.0)))
    assert torch.equal(turned[..., 2:7, :], tall[..., 2:7, :].rot90(1, (-2, -1)))


def test_flips_twice_are_identity():
    flip = draw(geometry.flip_matrix, 0.75)
    assert torch.equal(warp(IMAGE, flip), IMAGE.flip(-1))
    assert torch.equal(warp(warp(IMAGE, flip), flip), IMAGE)
    assert torch.equal(draw(geometry.flip_matrix, 0.25), torch.eye(3).double()[None, None])


def test_warp_zooms_linear_images():
    """A linear image becomes flatter by the factor, away from the mirrored edges."""
    x = torch.arange(17, dtype=torch.float64) - 8
    ramp = x.expand(1, 1, 1, 17, 17)
    zoomed = warp(ramp, scaling(*pair(0.4, 0.4)))
    torch.testing.assert_close(zoomed, 0.4 * ramp)


def test_warp_composes_in_order():
    """A shift of the flipped image is not the flip of the shifted one."""
    flip, shift = (
        draw(geometry.flip_matrix, 0.75),
        translation(torch.tensor([[[2.0, 0]]]).double()),
    )
    assert torch.equal(warp(IMAGE, flip @ shift), warp(warp(IMAGE, flip), shift))
    assert not torch.equal(warp(IMAGE, flip @ shift), warp(warp(IMAGE, shift), flip))


@pytest.mark.parametrize("factors", [geometry.BLIT, geometry.GEOMETRIC], ids=["blit", "geometric"])
def test_draw_product_without_strength(factors):
    normals = torch.randn(2, 5, count_draws(factors))
    matrices = draw_product(factors, normals, torch.tensor([0.0, 1.0]), (1, 8, 8))
    assert torch.equal(matrices[0], torch.eye(3).expand(5, 3, 3))
    assert (matrices[1] != torch.eye(3)).any(-1).any(-1).all()


def normals(num_draws, num_images=20_000):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, num_images, num_draws, generator=generator, dtype=torch.float64)


def assert_moments(values, mean, std):
    """Within five standard errors, which for a standard deviation are at most those of a mean."""
    tolerance = 5 * std / math.sqrt(values.numel())
    assert abs(values.mean() - mean) < tolerance
    assert abs(values.std() - std) < tolerance


def test_scales_have_the_moments_of_the_paper():
    zoom = geometry.zoom_matrix(normals(1), (1, 8, 8))
    assert_moments(zoom[..., 0, 0].log2(), 0, 0.2)
    assert torch.equal(zoom[..., 0, 0], zoom[..., 1, 1])
    stretch = geometry.stretch_matrix(normals(1), (1, 8, 8))
    assert_moments(stretch[..., 0, 0].log2(), 0, 0.2)
    torch.testing.assert_close(torch.linalg.det(stretch), torch.ones_like(stretch[..., 0, 0]))


def test_shifts_have_the_moments_of_the_paper():
    shift = geometry.shift_matrix(normals(2), (1, 8, 16))
    assert_moments(shift[..., 0, 2], 0, 2.0)
    assert_moments(shift[..., 1, 2], 0, 1.0)
    whole = geometry.whole_shift_matrix(normals(2), (1, 8, 32))
    assert whole[..., 0, 2].unique().tolist() == list(range(-4, 5))
    assert whole[..., 1, 2].unique().tolist() == [-1, 0, 1]
    assert_moments(
        whole[..., 0, 2], 0, math.sqrt(5.375)
    )  # 4² / 8 at both ends, 28 / 4 / 2 between


def test_angles_have_the_moments_of_the_paper():
    matrix = geometry.turn_matrix(normals(1), (1, 8, 8))
    angle = torch.atan2(matrix[..., 1, 0], matrix[..., 0, 0])
    assert_moments(angle, 0, 2 * math.pi / math.sqrt(12))
    torch.testing.assert_close(matrix @ matrix.mT, torch.eye(3).double().expand_as(matrix))


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_rotations_have_probability_p_together(p):
    before, after = (
        factor for factor in geometry.GEOMETRIC if factor.build is geometry.turn_matrix
    )
    draws = normals(4)
    is_turned = [
        factor.draw(part, torch.tensor([p]).double(), (1, 8, 8))[..., 0, 1] != 0
        for factor, part in ((before, draws[..., :2]), (after, draws[..., 2:]))
    ]
    assert abs((is_turned[0] | is_turned[1]).double().mean() - p) < 5 * 0.5 / math.sqrt(20_000)


def test_warp_reads_no_other_image():
    images = make_images(2, 3, 1, 6, 6)
    matrix = draw_product(
        geometry.GEOMETRIC,
        torch.cat([torch.full((2, 3, 1), ALWAYS), torch.randn(2, 3, 11)[..., 1:]], -1).double(),
        torch.tensor([0.9, 0.9]).double(),
        (1, 6, 6),
    )
    warped = warp(images, matrix)
    torch.testing.assert_close(warped[1:, 2:], warp(images[1:, 2:], matrix[1:, 2:]))
