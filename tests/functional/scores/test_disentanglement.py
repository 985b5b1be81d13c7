"""Scores of disentanglement: known answers on codes of all combinations of factors."""

import math

import pytest
import torch

from iidgan.functional.scores.disentanglement import (
    dci_scores,
    mutual_information_gap,
    to_polar,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import normal

FACTORS = torch.cartesian_prod(torch.arange(12), torch.arange(12), torch.arange(12))
CODES = FACTORS.double()
TURN = torch.tensor([[1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64) / math.sqrt(2)
SCORES = [mutual_information_gap, *(lambda z, v, i=i: dci_scores(z, v)[i] for i in range(3))]


def check_scores(codes, expected, factors=FACTORS, abs_error=1e-9):
    scores = [score(codes, factors).item() for score in SCORES[:3]]
    assert scores == pytest.approx(expected, abs=abs_error)


def test_codes_that_are_the_factors():
    check_scores(CODES, (1, 1, 1))
    assert dci_scores(CODES, FACTORS).informativeness > 0.98


def test_codes_that_are_random():
    """Expectations of the biases are below 0.04."""
    for dims in (2, 10):
        codes = normal(len(FACTORS), dims)
        check_scores(codes, (0, 0, 0), abs_error=0.1)
        assert dci_scores(codes, FACTORS).informativeness < 0.02


def test_constant_dimensions_change_nothing():
    check_scores(torch.cat((CODES, torch.zeros(len(CODES), 3).double()), 1), (1, 1, 1))


def test_factor_in_two_dimensions():
    """C of the first factor is 1 - log 2 / log 4, with all four dimensions; its gap is 0."""
    check_scores(CODES[:, [0, 0, 1, 2]], (2 / 3, 1, (0.5 + 1 + 1) / 3))


def test_factor_in_no_dimension():
    check_scores(CODES[:, :2], (2 / 3, 1, 2 / 3))


def test_two_factors_in_one_dimension():
    """Twenty bins tell all twenty combinations apart."""
    factors = torch.cartesian_prod(torch.arange(4), torch.arange(5))
    codes = torch.stack((5 * factors[:, 0] + factors[:, 1], 0 * factors[:, 0]), 1).double()
    check_scores(codes, (1, 0, 1), factors)


@pytest.mark.parametrize("score", SCORES[:3])
def test_rotation_of_two_factors_lowers_scores(score):
    turned = torch.cat((CODES[:, :1], CODES[:, 1:] @ TURN), 1)
    assert 0.3 < score(turned, FACTORS) < 0.8


def test_rotation_keeps_informativeness():
    """A factor is a sum of functions of two dimensions."""
    turned = torch.cat((CODES[:, :1], CODES[:, 1:] @ TURN), 1)
    assert dci_scores(turned, FACTORS).informativeness > 0.95


@pytest.mark.parametrize("score", SCORES)
def test_scores_ignore_order_and_affine_maps(score):
    codes = torch.cat((CODES[:, :1], CODES[:, 1:] @ TURN, normal(len(CODES), 1).double()), 1)
    expected = score(codes, FACTORS)
    assert 0 < expected < 1
    for same in (codes[:, [3, 1, 0, 2]], 1 - 4 * codes):
        torch.testing.assert_close(score(same, FACTORS), expected, rtol=0, atol=0.01)
    torch.testing.assert_close(score(codes, FACTORS[:, [2, 0, 1]]), expected)


@pytest.mark.parametrize("score", SCORES)
def test_factors_that_do_not_vary_are_left_out(score):
    constant = torch.cat((FACTORS, torch.full((len(FACTORS), 1), 3)), 1)
    assert score(CODES, constant) == score(CODES, FACTORS)


def test_scores_of_constant_codes_are_zero():
    assert mutual_information_gap(torch.ones(1728, 3), FACTORS) == 0
    assert dci_scores(torch.ones(1728, 3), FACTORS) == (0, 0, 0)


def test_gap_in_closed_form():
    """The second dimension knows which half of four values: 1 of 2 bits."""
    factors = torch.arange(4).repeat(10)[:, None]
    codes = torch.cat((factors, factors // 2), 1)
    assert mutual_information_gap(codes, factors).item() == pytest.approx(0.5)


def test_to_polar_is_inverted_by_cosine_and_sine():
    codes = normal(2, 5, 4)
    radius, angle = to_polar(codes).unflatten(-1, (2, 2)).unbind(-1)
    pairs = torch.stack((radius * angle.cos(), radius * angle.sin()), -1)
    torch.testing.assert_close(pairs.flatten(-2), codes)


@pytest.mark.parametrize("score", [mutual_information_gap, dci_scores])
def test_scores_refuse_other_shapes(score):
    with raises_input_error("codes", "(n, M)", "M >= 2", (5, 1)):
        score(torch.zeros(5, 1), torch.zeros(5, 2).long())
    with raises_input_error("factors", "(5, F)", (4, 2)):
        score(torch.zeros(5, 2), torch.zeros(4, 2).long())


@pytest.mark.parametrize("score", [mutual_information_gap, dci_scores])
def test_scores_refuse_other_values(score):
    with raises_input_error("codes", "finite"):
        score(CODES.where(CODES < 11, torch.nan), FACTORS)
    with raises_input_error("factors", ">= 0", "got -1"):
        score(CODES, FACTORS - 1)


def test_scores_refuse_factors_that_do_not_vary():
    constant = torch.cat((FACTORS[:, :1], 0 * FACTORS[:, 1:]), 1)
    assert mutual_information_gap(CODES, constant) == 1
    with raises_input_error("factors", "1 of 3"):
        dci_scores(CODES, constant)
    with raises_input_error("factors", "0 of 3"):
        mutual_information_gap(CODES, 0 * FACTORS)
