"""Grids of latents."""

import pytest
import torch

from iidgan.latent import (
    cartesian_plane,
    polar_plane,
    space_angles,
    traverse_directions,
    traverse_latents,
)
from iidgan.methods import MADGAN
from tests.helpers.errors import raises_input_error
from tests.helpers.latent import make_linear_model
from tests.helpers.sample_sets import make_model

VALUES = torch.tensor([-1.0, 0.0, 2.0])


def test_traversal_changes_one_latent_per_row():
    base = torch.tensor([5.0, 6.0, 7.0])
    grid = traverse_latents(base, [2, 0], VALUES)
    assert torch.equal(grid.z[0, :, 2], VALUES)
    assert torch.equal(grid.z[1, :, 0], VALUES)
    assert torch.equal(grid.z[0, :, :2], base[:2].expand(3, 2))
    assert grid.row_names == ("z[2]", "z[0]")


def test_directions_start_at_base():
    base, directions = torch.tensor([1.0, 2.0]), torch.tensor([[0.6, 0.8], [1.0, 0.0]])
    grid = traverse_directions(base, directions, VALUES, ["a", "b"])
    assert torch.equal(grid.z[:, 1], base.expand(2, 2))
    torch.testing.assert_close(grid.z[0, 2] - base, 2 * directions[0])


def test_cartesian_plane_is_a_map():
    """The first latent grows to the right, the second one upwards."""
    grid = cartesian_plane(torch.full((3,), 9.0), (2, 0), VALUES)
    assert torch.equal(grid.z[..., 2], VALUES.expand(3, 3))
    assert torch.equal(grid.z[..., 0], VALUES.flip(0)[:, None].expand(3, 3))
    assert (grid.z[..., 1] == 9).all()
    assert grid.row_values == (2.0, 0.0, -1.0)


def test_polar_plane_has_radii_and_angles():
    radii = torch.tensor([0.5, 1.0, 3.0])
    grid = polar_plane(torch.zeros(2), (0, 1), radii, space_angles(8))
    torch.testing.assert_close(grid.z.norm(dim=-1), radii[:, None].expand(3, 8))
    angles = torch.atan2(grid.z[2, :, 1], grid.z[2, :, 0]).rad2deg() % 360
    torch.testing.assert_close(angles, torch.arange(8) * 45.0)
    assert grid.is_closed


@pytest.mark.parametrize("dims", [(), (0, 0), (3,), (-1,)])
def test_grid_refuses_dims(dims):
    with raises_input_error("dims"):
        traverse_latents(torch.zeros(3), dims, VALUES)


def test_plane_refuses_one_latent_twice():
    with raises_input_error("plane", "(1, 1)"):
        cartesian_plane(torch.zeros(3), (1, 1), VALUES)


def test_generate_keeps_rows_and_columns():
    matrix = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
    model = make_linear_model(matrix)
    grid = cartesian_plane(torch.zeros(2), (0, 1), VALUES)
    torch.testing.assert_close(grid.generate(model), grid.z @ matrix)


def test_row_has_one_generator_of_a_mixture():
    """G of MAD-GAN alternates between its generators in a batch."""
    model = make_model((2,), MADGAN(generators=3))
    grid = traverse_latents(torch.zeros(3), [0, 1, 2], torch.zeros(5))
    samples = grid.generate(model)
    assert torch.equal(samples, samples[:, :1].expand_as(samples))
    assert not torch.equal(samples[0, 0], samples[1, 0])
