"""Columns of metrics and of scores on features."""

from dataclasses import replace

import pytest

from iidgan.studies.columns import SCORES, Column, describe_reading, score_columns
from tests.helpers.errors import raises_input_error
from tests.helpers.tables import SMALL_RUN, make_record


def read_score(title):
    """Returns the only column of a score."""
    (column,) = score_columns("A", {title: 2}).values()
    return column


@pytest.mark.parametrize(
    ("title", "features", "metric", "shown"),
    [
        ("FID", "inception", "fid", "A FID"),
        ("FID", "dinov2", "fd_dinov2", "A FD, dinov2 (paper: inception)"),
        ("IS", "inception", "inception_score", "A IS"),
        (
            *("IS", "efficientnet-lite0", "is_efficientnet_lite0"),
            "A IS, efficientnet-lite0 (paper: inception)",
        ),
        ("MS", "dinov2", "mode_score", "A MS, dinov2 (paper: inception)"),
        ("JSD", "dinov2", "js_divergence", "A JSD"),
    ],
)
def test_score_columns_name_features(title, features, metric, shown):
    column = read_score(title).with_features(features)
    assert (column.metric, column.title) == (metric, shown)
    assert column.features == (features if SCORES[title].has_choice else "pixels")


def test_score_columns_unknown():
    with raises_input_error("score", "'FIDD'", "did you mean 'FID'"):
        score_columns("A", {"FIDD": 2})


def test_columns_select_records():
    record = make_record(SMALL_RUN, 0, 1.0, metric="mode_score")
    assert Column(metric="mode_score", dataset="A").has_record(record)
    column = read_score("MS")
    assert not column.has_record(record)
    assert column.has_record(replace(record, protocol={"extractor": "inception"}))
    assert not column.has_record(replace(record, protocol={"extractor": "random"}))


@pytest.mark.parametrize(("steps", "checkpoints"), [(100, 12), (7, 3), (5, 5), (3, 8), (9, 1)])
def test_steps_of_minimum_are_the_checkpoints(steps, checkpoints):
    (end,) = score_columns("X", {"FID": 1}).values()
    (best,) = score_columns("X", {"FID": 1}, over_training=True).values()
    assert end.list_steps(steps, checkpoints) == (steps,)
    listed = best.list_steps(steps, checkpoints)
    assert listed == tuple(sorted({*listed}))
    assert listed[-1] == steps
    assert 1 <= len(listed) <= checkpoints
    assert all(step % listed[0] == 0 for step in listed[:-1])


def test_minimum_over_training_is_in_the_title():
    columns = score_columns("X", {"FID": 1, "JSD": 2}, scale={"JSD": 100}, over_training=True)
    assert [*columns] == ["X FID, minimum over training", "X JSD x 100, minimum over training"]
    with raises_input_error("over_training", "FID or JSD", "IS"):
        score_columns("X", {"IS": 1}, over_training=True)


@pytest.mark.parametrize(("num_samples", "is_biased"), [(500, True), (5_000, False)])
@pytest.mark.parametrize("title", ["FID", "FD"])
def test_reading_says_that_few_samples_bias_distances(title, num_samples, is_biased):
    (column,) = score_columns(
        "X", {title: 1}, num_samples=num_samples, over_training=True
    ).values()
    assert ("biased" in describe_reading([column])) == is_biased
