"""Columns of metrics and of scores on features."""

from dataclasses import replace

import pytest

from iidgan.studies.columns import SCORES, Column, score_columns
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
