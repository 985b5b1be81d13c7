"""Measurements of sets of samples."""

import numpy as np
import pytest

from iidgan.config.run import Run
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.sample_sets import extract_features, open_data, open_samples
from iidgan.sample_sets.measurement import Comparison, Subject, list_healthy_seeds
from tests.helpers.errors import raises_input_error


@pytest.fixture
def points():
    return np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)


def test_comparison_measures_other_samples(points):
    reference = extract_features(open_data(points), None)
    comparison = Comparison(reference, None, ["fd"], 40)
    measurement = comparison.measure(Subject(open_samples(points + 1)), {"torch": "x"})
    (distance, rank) = measurement.records
    assert (distance.metric, distance.seed, distance.step) == ("fd_points", 0, 0)
    assert distance.value == pytest.approx(2, abs=0.5)
    assert len(distance.run) == 12
    assert distance.provenance == {"torch": "x", "samples": "samples"}
    assert rank.metric == "effective_rank"
    assert measurement.shared_protocol["num_generated"] == 40
    assert any("50 real and 40 generated" in note for note in measurement.notes)


def test_list_healthy_seeds():
    point = EvaluationPoint(Run(), seeds=(3, 4, 5), steps=(9, 2, 9), diverged=(-1, 2, -1))
    assert list_healthy_seeds(point) == [3, 5]
    with raises_input_error("seed", "diverged"):
        list_healthy_seeds(EvaluationPoint(Run(), seeds=(0,), steps=(2,), diverged=(2,)))
