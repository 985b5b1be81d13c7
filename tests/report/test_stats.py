"""Statistics of a few values."""

import math

import pytest

from iidgan.report import (
    mean,
    std,
    t_interval,
)
from tests.helpers.errors import raises_input_error


def test_mean_and_std_known_values():
    values = [2.0, 4.0, 4.0, 6.0]
    assert mean(values) == 4.0
    assert std(values) == pytest.approx(math.sqrt(8 / 3))
    assert std([3.0]) is None
    with raises_input_error("values"):
        mean([])


def test_t_interval_known_values():
    # t(0.975; 4) = 2.7764451 (Student's table); the values have mean 3 and variance 2.5.
    low, high = t_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    reach = 2.7764451 * (2.5 / 5) ** 0.5
    assert (low, high) == (pytest.approx(3 - reach), pytest.approx(3 + reach))


def test_t_interval_needs_two_values():
    with raises_input_error(None, 1, 2):
        t_interval([1.0])
