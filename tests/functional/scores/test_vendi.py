"""The Vendi score: the eigenvalues of similarities, in either matrix, and its orders."""

import math

import pytest
import torch

from iidgan.functional.scores.vendi import vendi_score
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import normal

ORDERS = [0, 0.5, 1, 2, 5, math.inf]


def definition(features, q):
    directions = features / features.norm(dim=1, keepdim=True)
    eigenvalues = torch.linalg.eigvalsh(directions @ directions.mT / len(features)).clamp_min(0)
    if q == 1:
        return (-torch.xlogy(eigenvalues, eigenvalues).sum()).exp()
    if q == math.inf:
        return 1 / eigenvalues.max()
    return (eigenvalues[eigenvalues > 1e-12] ** q).sum() ** (1 / (1 - q))


@pytest.mark.parametrize("q", ORDERS)
@pytest.mark.parametrize("num", [6, 30])
def test_vendi_score_by_definition(num, q):
    """Fewer samples than dimensions, and more."""
    features = normal(num, 9)
    expected = definition(features, q).item()
    assert vendi_score(features, q).item() == pytest.approx(expected)
    assert vendi_score(1e30 * features, q).item() == pytest.approx(expected)
    assert vendi_score(1e-200 * features, q).item() == pytest.approx(expected)


def test_vendi_score_of_order_2():
    features = normal(30, 9)
    directions = features / features.norm(dim=1, keepdim=True)
    expected = 1 / (directions @ directions.mT).square().mean()
    assert vendi_score(features, 2).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("q", ORDERS)
def test_vendi_score_of_extremes(q):
    assert vendi_score(torch.eye(5).repeat(4, 1), q).item() == pytest.approx(5)
    assert vendi_score(torch.ones(20, 3), q).item() == pytest.approx(1)
    assert vendi_score(torch.zeros(20, 3), q) == 1
    half = torch.cat([torch.eye(5).repeat(4, 1), torch.zeros(7, 5)])
    assert vendi_score(half, q).item() == pytest.approx(5)


def test_vendi_score_decreases_with_order():
    values = [vendi_score(normal(30, 9), q).item() for q in ORDERS]
    assert values == sorted(values, reverse=True)


def test_vendi_score_of_seeds():
    features = normal(3, 20, 4)
    features[1, 3, 2] = torch.inf
    values = vendi_score(features)
    assert values[0].item() == pytest.approx(vendi_score(features[0].flip(0)).item())
    assert values.isnan().tolist() == [False, True, False]


def test_vendi_score_refuses():
    for q in (-1, math.nan):
        with raises_input_error("q"):
            vendi_score(normal(3, 2), q)
