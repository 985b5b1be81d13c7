"""Modes that have a share of their due: known answers."""

import math

import pytest
import torch

from iidgan.core import GaussianMixture, Samples
from iidgan.metrics import ModeShares
from tests.helpers.errors import raises_input_error

TRUTH = GaussianMixture(torch.eye(3), 0.01, (0.89, 0.1, 0.01))


def mode_shares(counts, bad=0, **fields):
    good = TRUTH.centres.repeat_interleave(torch.tensor(counts), 0)
    generated = torch.cat([good, torch.full((bad, 3), 9.0)])[None]
    values = ModeShares(**fields)(Samples(generated, TRUTH.centres, truth=TRUTH))
    return [value.item() for value in values.values()]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([890, 100, 10], [3, 3]),
        ([945, 50, 5], [3, 3]),
        ([946, 50, 4], [2, 3]),
        ([948, 50, 2], [2, 3]),
        ([979, 20, 1], [1, 2]),
        ([1000, 0, 0], [1, 1]),
        ([0, 0, 1000], [1, 1]),
        ([0, 0, 0], [0, 0]),
    ],
)
def test_mode_shares_by_hand(counts, expected):
    assert mode_shares(counts, bad=200) == expected


def test_mode_shares_are_named_in_percent():
    generated = TRUTH.centres[None]
    values = ModeShares(shares=(1.0, 0.05))(Samples(generated, TRUTH.centres, truth=TRUTH))
    assert list(values) == ["modes_due_100", "modes_due_5"]


def test_protocol_has_shares_and_weights():
    samples = Samples(TRUTH.centres[None], TRUTH.centres, truth=TRUTH)
    protocol = ModeShares().protocol(samples)
    assert protocol["thresholds"] == "0.5,0.2"
    assert protocol["weights"] == "0.89,0.1,0.01"


@pytest.mark.parametrize(
    ("field", "value", "invalid_value"),
    [
        ("k", 0.0, 0.0),
        ("shares", (0.5, 0.0), 0.0),
        ("shares", (1.5,), 1.5),
        ("shares", (math.nan,), "nan"),
    ],
)
def test_mode_shares_refuses_invalid_options(field, value, invalid_value):
    with raises_input_error(field, invalid_value):
        ModeShares(**{field: value})
