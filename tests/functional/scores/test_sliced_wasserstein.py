"""Sliced Wasserstein distance: closed forms and laws."""

import math

import pytest
import torch

from iidgan.functional.scores.sliced_wasserstein import sliced_wasserstein
from tests.helpers.errors import raises_input_error


def draw_normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("dim", [1, 2, 3, 10])
def test_sliced_wasserstein_of_shift(dim):
    """Orthonormal directions see |m|² / D on average, whatever the samples are."""
    x, shift = draw_normal(500, dim), draw_normal(dim, seed=1)
    expected = shift.norm() / math.sqrt(dim)
    assert sliced_wasserstein(x, x + shift).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("dim", [2, 5])
def test_sliced_wasserstein_of_scale(dim):
    """Of x and 3 x, it is 2 times the mean square of a coordinate."""
    x = draw_normal(500, dim)
    expected = 2 * math.sqrt(x.square().sum(1).mean() / dim)
    assert sliced_wasserstein(x, 3 * x).item() == pytest.approx(expected)


def test_sliced_wasserstein_known_answer_in_one_dimension():
    real, fake = torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([[5.0], [3.0], [0.0]])
    assert sliced_wasserstein(real, fake).item() == pytest.approx(math.sqrt(4 / 3))


def test_sliced_wasserstein_ignores_order_and_is_symmetric():
    x, y = draw_normal(200, 3), draw_normal(200, 3, seed=1)
    assert sliced_wasserstein(x, x.flip(0)).item() == pytest.approx(0, abs=1e-12)
    assert sliced_wasserstein(x, y).item() == pytest.approx(sliced_wasserstein(y, x).item())


def test_sliced_wasserstein_of_seeds():
    x, y = draw_normal(100, 2), draw_normal(3, 100, 2, seed=1)
    y[1, 5, 0] = math.nan
    distances = sliced_wasserstein(x, y)
    assert distances.isnan().tolist() == [False, True, False]
    assert distances[2] == sliced_wasserstein(x, y[2])


def test_sliced_wasserstein_refuses_other_numbers():
    with raises_input_error("fake", 100, 99):
        sliced_wasserstein(torch.zeros(100, 2), torch.zeros(99, 2))
    with raises_input_error("num_directions", 0):
        sliced_wasserstein(torch.zeros(9, 2), torch.zeros(9, 2), num_directions=0)
