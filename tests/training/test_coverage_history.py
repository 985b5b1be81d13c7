"""Best coverage, falls of it, and seeds that are given up."""

import math

import pytest

from iidgan.evaluation.coverage_monitor import COVERAGE_METRIC
from iidgan.records import INTERIM_FAMILY, MetricRecord
from iidgan.training.coverage_history import (
    CoverageHistory,
    collect_histories,
    have_collapsed,
)

NUM_STEPS = 900


def make_history(*values, every=100):
    steps = tuple(every * (i + 1) for i in range(len(values)))
    return CoverageHistory(steps, values)


def test_empty_history():
    history = CoverageHistory()
    assert math.isnan(history.last)
    assert math.isnan(history.best[1])
    assert not any((history.is_at_best, history.has_fallen, history.is_hopeless(1)))


@pytest.mark.parametrize(
    ("values", "best_step", "is_at_best"),
    [((0.0,), 100, True), ((0.5, 0.5), 100, False), ((0.5, 0.4, 0.6), 300, True)],
)
def test_best_is_first_of_equals(values, best_step, is_at_best):
    history = make_history(*values)
    assert (history.best, history.is_at_best) == ((best_step, max(values)), is_at_best)


@pytest.mark.parametrize(
    ("values", "has_fallen"),
    [
        ((0.2,), False),
        ((0.8, 0.4), False),  # half is not below half
        ((0.8, 0.39), True),
        ((0.8, 0.39, 0.3), False),  # reported before
        ((0.8, 0.39, 0.5, 0.39), True),
        ((0.3, 0.1, 0.2, 0.5), False),
        ((0.0, 0.0), False),
    ],
)
def test_has_fallen_once_per_fall(values, has_fallen):
    assert make_history(*values).has_fallen is has_fallen


@pytest.mark.parametrize(
    ("values", "every", "is_hopeless"),
    [
        ((0.8, 0.1, 0.1, 0.1), 100, True),
        ((0.8, 0.1, 0.1), 150, False),  # two in a row
        ((0.8, 0.1, 0.5, 0.1, 0.1), 100, False),
        ((0.8, 0.1, 0.1, 0.1), 50, False),  # too early
        ((0.01, 0.02, 0.03), 100, False),  # only the last one is late enough
        ((0.01, 0.02, 0.03, 0.04, 0.03), 100, True),
        ((0.01, 0.02, 0.03, 0.04, 0.06), 100, False),
    ],
)
def test_is_hopeless(values, every, is_hopeless):
    assert make_history(*values, every=every).is_hopeless(NUM_STEPS) is is_hopeless


def test_append_leaves_out_nan_and_other_protocols():
    history = CoverageHistory().append(100, 0.5, {"k": 5}).append(200, math.nan, {"k": 5})
    assert (history.steps, history.values) == ((100,), (0.5,))
    other = history.append(300, 0.2, {"k": 3})
    assert (other.steps, other.values, other.has_fallen) == ((300,), (0.2,), False)


def test_have_collapsed_ignores_diverged_seeds():
    collapsed, healthy = make_history(0.8, 0.1, 0.1, 0.1), make_history(0.8, 0.8, 0.8, 0.8)
    histories = {0: collapsed, 4: healthy}
    assert not have_collapsed(histories, {0: -1, 4: -1}, NUM_STEPS)
    assert have_collapsed(histories, {0: -1, 4: 250}, NUM_STEPS)


def make_record(step, value, *, seed=0, metric=COVERAGE_METRIC, family=INTERIM_FAMILY):
    return MetricRecord(
        run="a",
        seed=seed,
        step=step,
        metric=metric,
        value=value,
        diverged=-1,
        protocol={"family": family},
        provenance={},
    )


def test_collect_histories_of_seeds_and_steps():
    records = [
        make_record(100, 0.3),
        make_record(100, 0.4, seed=1),
        make_record(100, 0.9, metric="quality"),
        make_record(150, 0.9, family="mine"),
        make_record(200, 0.5),
        make_record(300, 0.6),
        make_record(100, 0.7, seed=2),
    ]
    histories = collect_histories(records, [0, 1, 3], last_step=200)
    values = {seed: history.values for seed, history in histories.items()}
    assert values == {0: (0.3, 0.5), 1: (0.4,), 3: ()}
