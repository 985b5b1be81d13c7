"""Diagnoses of generators whose fault is known."""

import json
import math

import numpy as np
import pytest
import torch

from iidgan import InputError, diagnose
from iidgan.diagnosis.compare import HALVES_METRICS, MIN_SAMPLES
from tests.helpers.extractors import make_images


def modes(*counts, seed=0):
    """Points of the plane around (0, 0), (10, 0), (20, 0), ..., in random order."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    points = torch.randn(len(centres), 2, generator=generator)
    points[:, 0] += 10.0 * centres
    return points[torch.randperm(len(points), generator=generator)]


REAL = modes(100, 100, 100, 100)
GENERATORS = {
    "all modes": modes(100, 100, 100, 100, seed=1),
    "three modes": modes(134, 133, 133, 0, seed=1),
    "two modes": modes(200, 200, 0, 0, seed=1),
    "one mode": modes(400, 0, 0, 0, seed=1),
    "eight points": modes(2, 2, 2, 2, seed=1).repeat(50, 1),
}


def images_of(points):
    """Grey images of 4 x 4 pixels whose halves are as bright as two numbers."""
    levels = (points * 4 + 60).clamp(0, 255).to(torch.uint8)
    return levels.repeat_interleave(8, dim=1).reshape(-1, 1, 4, 4)


@pytest.fixture(scope="module")
def diagnoses():
    return {name: diagnose(fake, REAL) for name, fake in GENERATORS.items()}


def test_share_falls_with_every_missing_mode(diagnoses):
    shares = [diagnosis.share for diagnosis in diagnoses.values()]
    assert shares == sorted(shares, reverse=True)
    expected = [1, 0.75, 0.5, 0.25, 0.1]
    np.testing.assert_allclose(shares, expected, atol=0.05)


def test_headline_names_the_fault(diagnoses):
    headlines = [str(diagnosis).split(":")[0] for diagnosis in diagnoses.values()]
    assert headlines == [
        "NO SIGN OF COLLAPSE",
        "SOME IS MISSING",
        "MUCH IS MISSING",
        "COLLAPSED",
        "COLLAPSED",
    ]


def test_every_score_has_an_interval_that_contains_it(diagnoses):
    for diagnosis in diagnoses.values():
        for score in diagnosis.scores:
            assert math.isfinite(score.value)
            assert math.isnan(score.low) or score.low <= score.value <= score.high


def test_copies_are_counted_and_shown():
    fake = GENERATORS["all modes"].clone()
    fake[:100] = REAL[:100]
    diagnosis = diagnose(fake, REAL)
    assert diagnosis.score("near_copies").value > 0.25
    assert diagnosis.suspects.copies[0].ratio == 0
    assert "near copies of real ones" in diagnosis.verdict[0]


def test_samples_far_away_are_off_the_data():
    diagnosis = diagnose(GENERATORS["all modes"] + torch.tensor([0.0, 500.0]), REAL)
    assert diagnosis.verdict[0].startswith("OFF THE DATA: the samples show 0 %")
    assert diagnosis.score("precision").value == 0


def test_reference_scores_are_those_of_halves_of_the_data(diagnoses):
    expected = diagnoses["all modes"].reference_scores
    assert expected["coverage"] == pytest.approx(0.97, abs=0.03)
    assert {"precision", "recall", "irs", "near_copies"} <= expected.keys()
    assert HALVES_METRICS


def test_equal_numbers_of_both_sides_are_compared():
    diagnosis = diagnose(REAL[:50], REAL)
    assert len(diagnosis.real) == len(diagnosis.fake) == 50
    assert diagnosis.real.num_available == 400
    assert {s.protocol["num_real"] for s in diagnosis.scores if "num_real" in s.protocol} == {50}


def test_same_input_gives_same_numbers():
    first, second = (diagnose(GENERATORS["two modes"], REAL, num=100).to_json() for _ in range(2))
    assert first == second


def test_images_are_compared_by_features():
    real, fake = images_of(REAL), images_of(GENERATORS["two modes"])
    diagnosis = diagnose(fake, real, features="pixels")
    assert diagnosis.share == pytest.approx(0.5, abs=0.1)
    assert diagnosis.real.features.protocol.extractor == "pixels"


def test_json_holds_numbers_alone(diagnoses):
    text = diagnoses["eight points"].to_json()
    records = json.loads(text, parse_constant=lambda word: pytest.fail(word))["records"]
    by_name = {record["metric"]: record for record in records}
    assert by_name["coverage"]["low"] <= by_name["coverage"]["value"]
    assert by_name["coverage"]["protocol"]["k"] == 5


def test_collapse_to_one_point_is_diagnosed():
    diagnosis = diagnose(torch.zeros(100, 2), REAL)
    assert diagnosis.share < 0.2
    assert diagnosis.score("vendi").value == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((REAL, None), "reference: missing"),
        ((REAL[: MIN_SAMPLES - 1], REAL), "needs at least 12 samples, got 11"),
        ((REAL, REAL[:, :1].clone()), "points of"),
        ((torch.from_numpy(make_images(20, 1, 8, 8)), REAL, "pixels"), "compare equal kinds"),
        ((REAL, torch.from_numpy(make_images(20, 1, 8, 8))), "compare equal kinds"),
        ((REAL, REAL, "pixels"), "are points, which are their own features"),
    ],
)
def test_sets_that_do_not_fit_are_refused(arguments, match):
    fake, real, *features = arguments
    with pytest.raises(InputError, match=match):
        diagnose(fake, real, features=next(iter(features), None))


def test_too_small_number_is_refused():
    with pytest.raises(InputError, match="num: must be an integer >= 12, got 5"):
        diagnose(REAL, REAL, num=5)


def test_images_of_different_sizes_are_noted_and_in_the_protocol():
    real, fake = (torch.from_numpy(make_images(20, 1, side, side)) for side in (16, 8))
    diagnosis = diagnose(fake, real, features="pixels")
    assert any("--size 8 makes both equal" in note for note in diagnosis.notes)
    protocol = diagnosis.score("coverage").protocol
    assert (protocol["real_shape"], protocol["generated_shape"]) == ("1 x 16 x 16", "1 x 8 x 8")
    resized = diagnose(fake, real, features="pixels", size=8).score("coverage").protocol
    assert resized["real_shape"] == "1 x 8 x 8"


def test_few_samples_have_no_verdict():
    diagnosis = diagnose(REAL[:4].repeat(20, 1), REAL)
    assert diagnosis.verdict[0].startswith("TOO FEW SAMPLES TO TELL: the samples show")


def test_independent_points_are_not_called_copies():
    for seed in range(10):
        points = torch.randn(2, 300, 1, generator=torch.Generator().manual_seed(seed))
        assert "near copies of real ones" not in diagnose(*points).verdict[0]


def test_memorised_samples_are_no_good_sign():
    assert diagnose(REAL, REAL).verdict[0].startswith("COPIES OF THE DATA: the samples show")


@pytest.mark.parametrize(
    "options", [{"num": "60"}, {"features": torch.nn.Flatten()}], ids=["num", "features"]
)
def test_values_of_other_types_are_refused(options):
    with pytest.raises(InputError, match=next(iter(options))):
        diagnose(REAL, REAL, **options)
