"""The metric of disentanglement: coordinates, seeds, and samples that it cannot read."""

from dataclasses import replace

import pytest
import torch

from iidgan.core import Factors, Samples
from iidgan.metrics import (
    METRICS,
    Disentanglement,
    dci_scores,
    mutual_information_gap,
    polar_disentanglement,
)
from iidgan.testing import check_metric
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import normal

VALUES = torch.cartesian_prod(torch.arange(12), torch.arange(12))
FACTORS = Factors(("size", "turn"), VALUES)
RADIUS, ANGLE = 1 + VALUES[:, 0].double(), VALUES[:, 1].double() / 2 - 3
POLAR_CODES = torch.stack((RADIUS * ANGLE.cos(), RADIUS * ANGLE.sin()), 1)


def make_samples(codes, factors=FACTORS):
    return Samples(
        generated=codes, real=torch.zeros(144, 1, 8, 8), codes=codes, real_factors=factors
    )


SAMPLES = make_samples(torch.stack((VALUES.double(), POLAR_CODES)))


def test_contract():
    check_metric(Disentanglement(), SAMPLES)
    check_metric(polar_disentanglement(), SAMPLES)


def test_each_coordinate_system_suits_one_seed():
    cartesian, polar = (METRICS[f"disentanglement{name}"]()(SAMPLES) for name in ("", "-polar"))
    assert not cartesian.keys() & polar.keys()
    for name in ("mig", "dci_disentanglement", "dci_completeness"):
        first, second = cartesian[name], polar[f"{name}_polar"]
        assert first[0].item() == pytest.approx(1)
        assert second[1].item() == pytest.approx(1)
        assert first[1] < 0.5
        assert second[0] < 0.5


def test_values_are_those_of_the_functions():
    codes = normal(2, 144, 3)
    values = Disentanglement(bins=7)(make_samples(codes))
    for seed in range(2):
        assert values["mig"][seed] == mutual_information_gap(codes[seed], VALUES, 7)
        scores = dci_scores(codes[seed], VALUES, 7)._asdict()
        assert scores == {name: values[f"dci_{name}"][seed] for name in scores}


def test_only_codes_have_factors_of_their_own():
    """There may be more real samples than codes: the first ones are those of the codes."""
    shorter = replace(SAMPLES, codes=SAMPLES.codes[:, :100])
    values = Disentanglement()(shorter)
    assert values["mig"][0] == mutual_information_gap(VALUES[:100], VALUES[:100])


def test_codes_that_are_not_finite_give_nan():
    codes = SAMPLES.codes.clone()
    codes[1, 3, 0] = torch.inf
    for value in Disentanglement()(make_samples(codes)).values():
        assert value.isnan().tolist() == [False, True]


def test_protocol():
    assert polar_disentanglement().protocol(SAMPLES) == {
        "coordinates": "polar",
        "bins": 20,
        "num_codes": 144,
        "latent": 2,
        "factors": "size, turn",
    }


@pytest.mark.parametrize(
    ("coordinates", "change", "values"),
    [
        ("cartesian", {"codes": None}, ["codes F(x)", "no inverse F"]),
        ("cartesian", {"real_factors": None}, ["factors"]),
        ("cartesian", {"codes": torch.zeros(1, 144, 1)}, ["at least two latents", 1]),
        ("polar", {"codes": torch.zeros(1, 144, 3)}, ["even number of latents", 3]),
        ("cartesian", {"codes": torch.zeros(1, 39, 2)}, ["40 codes", 39]),
        (
            "polar",
            {"real_factors": replace(FACTORS, values=VALUES * torch.tensor([0, 1]))},
            ["two factors", 1],
        ),
    ],
)
def test_missing(coordinates, change, values):
    metric, samples = Disentanglement(coordinates=coordinates), replace(SAMPLES, **change)
    missing = metric.missing(samples)
    assert missing is not None
    with raises_input_error("disentanglement", missing, *values):
        metric(samples)


def test_refuses_too_few_bins():
    with raises_input_error("bins", ">= 2", "got 1"):
        Disentanglement(bins=1)
