"""Paths between codes."""

import math

import pytest
import torch

from iidgan.latent import interpolate, interpolate_linearly, slerp
from tests.helpers.errors import raises_input_error

SHARES = torch.linspace(0, 1, 9)


def make_codes(seed, num=20, dims=6):
    return torch.randn(num, dims, generator=torch.Generator().manual_seed(seed))


def test_slerp_has_both_ends():
    a, b = make_codes(0), make_codes(1)
    path = slerp(a, b, SHARES)
    torch.testing.assert_close(path[:, 0], a)
    torch.testing.assert_close(path[:, -1], b)
    torch.testing.assert_close(path, slerp(b, a, 1 - SHARES))


def test_slerp_stays_on_the_unit_sphere():
    """At equal steps, the angle to the start grows evenly."""
    a, b = (torch.nn.functional.normalize(make_codes(seed).double()) for seed in (0, 1))
    path = slerp(a, b, SHARES)
    torch.testing.assert_close(path.norm(dim=-1), torch.ones(20, 9, dtype=torch.float64))
    angles = (path[:, 1:] * path[:, :-1]).sum(-1).clamp(-1, 1).acos()
    torch.testing.assert_close(angles, angles[:, :1].expand_as(angles))


def test_slerp_interpolates_norms():
    a, b = make_codes(0), 5 * make_codes(1)
    norms = slerp(a, b, SHARES).norm(dim=-1)
    torch.testing.assert_close(
        norms,
        interpolate_linearly(a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True), SHARES)[
            ..., 0
        ],
    )


def test_slerp_of_opposite_codes_is_half_a_circle():
    a = make_codes(0)
    path = slerp(a, -2 * a, SHARES)
    assert path.isfinite().all()
    torch.testing.assert_close(path.norm(dim=-1), (1 + SHARES) * a.norm(dim=1, keepdim=True))
    torch.testing.assert_close((path[:, 4] * a).sum(1), torch.zeros(20), atol=1e-5, rtol=0)


def test_slerp_of_parallel_codes_is_straight():
    a = make_codes(0)
    torch.testing.assert_close(slerp(a, 3 * a, SHARES), interpolate_linearly(a, 3 * a, SHARES))


def test_slerp_of_zero_is_straight():
    a, zero = make_codes(0), torch.zeros(20, 6)
    torch.testing.assert_close(slerp(a, zero, SHARES), interpolate_linearly(a, zero, SHARES))
    torch.testing.assert_close(slerp(zero, a, SHARES), interpolate_linearly(zero, a, SHARES))
    assert torch.equal(slerp(zero, zero, SHARES), torch.zeros(20, 9, 6))


def test_slerp_in_one_dimension_passes_zero():
    path = slerp(torch.tensor([1.0]), torch.tensor([-1.0]), torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(path, torch.tensor([[1.0], [0.0], [-1.0]]))


def test_interpolate_has_a_pair_per_row():
    grid = interpolate(make_codes(0), make_codes(1), 9)
    assert torch.equal(grid.z, slerp(make_codes(0), make_codes(1), SHARES))
    assert (len(grid.row_names), grid.column_values[4]) == (20, 0.5)


@pytest.mark.parametrize(("num", "steps", "field"), [(3, 1, "steps"), (4, 5, "b")])
def test_interpolate_refuses(num, steps, field):
    with raises_input_error(field):
        interpolate(torch.zeros(3, 2), torch.zeros(num, 2), steps)


def test_slerp_at_a_third_of_a_right_angle():
    path = slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), torch.tensor([1 / 3]))
    expected = torch.tensor([[math.cos(math.pi / 6), 0.5]])
    torch.testing.assert_close(path, expected)
