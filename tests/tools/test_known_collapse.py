"""The study of metrics on generators whose fault is known."""

import pytest
import torch

from iidgan.evaluation.feature_metrics import FEATURE_METRICS
from iidgan.features import Features, create_extractor
from tools.known_collapse import (
    CLASS_SHARES,
    METRICS,
    PAGE_FILE,
    SHARES,
    VALUES_FILE,
    Curve,
    Sides,
    add_noise,
    blur,
    choose_classes,
    collect_curves,
    iterate_generators,
    render_tables,
)
from tools.measured_values import merge_values, read_values
from tools.update_results import split_page

NUM_REAL, NUM_HELD_OUT = 40, 400


@pytest.fixture
def sides():
    generator = torch.Generator().manual_seed(0)
    protocol = create_extractor("pixels", size=2).protocol

    def draw(num):
        return Features(torch.rand(num, 12, generator=generator), protocol)

    return Sides(
        real=draw(NUM_REAL),
        real_labels=torch.arange(NUM_REAL) % 10,
        held_out=draw(NUM_HELD_OUT),
        held_out_labels=torch.arange(NUM_HELD_OUT) % 10,
        blurred=draw(NUM_REAL),
        noisy=draw(NUM_REAL),
    )


def test_generators_have_the_share_of_good_samples_that_they_state(sides):
    base = sides.held_out.values[:NUM_REAL]
    generators = list(iterate_generators(sides))
    assert [len(values) for _, _, values in generators] == [NUM_REAL] * len(generators)
    assert len(generators) == 1 + len(CLASS_SHARES) + 4 * len(SHARES)
    for fault, good, values in generators:
        if fault != "classes":
            is_base = (values[:, None] == base[None]).all(-1).any(1)
            assert is_base.double().mean() == pytest.approx(good)


def test_classes_are_chosen_by_their_share_of_the_reference(sides):
    for target in CLASS_SHARES:
        share, is_left = choose_classes(sides, target)
        assert share == pytest.approx(target)
        assert int(is_left.sum()) == round(target * NUM_HELD_OUT)


def test_spoilt_images_keep_shape_and_type():
    images = torch.full((3, 3, 28, 28), 100, dtype=torch.uint8)
    images[..., :14] = 0
    for spoilt in (blur(images), add_noise(images)):
        assert spoilt.shape == images.shape
        assert spoilt.dtype == torch.uint8
        assert not torch.equal(spoilt, images)
    assert blur(images)[0, 0, 14, 13] == pytest.approx(50, abs=15)


@pytest.mark.parametrize(
    ("values", "correlation"), [((3, 2, 1), 1), ((1, 2, 3), -1), ((5, 5, 5), 0)]
)
def test_correlation_is_of_ranks(values, correlation):
    assert Curve((1.0, 0.5, 0.0), values).correlation == pytest.approx(correlation)


def test_curves_start_without_a_fault():
    rows = [
        {"data": "d", "fault": fault, "good": good, "metric": "m", "value": value}
        for fault, good, value in (
            ("none", "1.0", "9"),
            ("blur", "0.5", "4"),
            ("blur", "0.0", "1"),
        )
    ]
    assert collect_curves(rows) == {("d", "blur", "m"): Curve((1.0, 0.5, 0.0), (9.0, 4.0, 1.0))}


def test_committed_page_shows_the_committed_values():
    rows = read_values(VALUES_FILE)
    assert {row["data"] for row in rows} == {"fashion", "digits", "emoji"}
    _, table, _ = split_page(PAGE_FILE.read_text())
    assert table.strip() == render_tables(rows).strip()


def test_metrics_of_the_study_exist():
    assert set(METRICS) <= FEATURE_METRICS.keys()


def test_new_values_replace_those_of_the_same_set(tmp_path):
    path = tmp_path / "values.csv"
    merge_values(path, [{"data": "a", "value": 1}, {"data": "b", "value": 2}], "data")
    merge_values(path, [{"data": "a", "value": 3}], "data")
    assert read_values(path) == [{"data": "b", "value": "2"}, {"data": "a", "value": "3"}]
