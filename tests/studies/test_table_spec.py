"""Selections and profiles of a table."""

from dataclasses import replace

from iidgan.studies.papers import TABLES
from iidgan.studies.table_spec import Profile
from tests.helpers.errors import raises_input_error
from tests.helpers.score_tables import RUN, make_score_table
from tests.helpers.tables import make_table


def test_restrict_to_rows_and_datasets():
    table = make_table()
    only_b = table.restrict_to(dataset_names=["B"])
    assert [name for name, _ in only_b.runs.values()] == ["plain, B", "ours, B"]
    one_run = table.restrict_to(["ours"], ["A"])
    assert [name for name, _ in one_run.runs.values()] == ["ours, A"]
    assert table.restrict_to() == table


def test_restrict_to_delta_keeps_rows():
    table = make_table()
    assert list(table.restrict_to(["gain"]).row_groups[0].rows) == ["plain", "ours", "gain"]
    assert list(table.restrict_to(["ours"]).row_groups[0].rows) == ["ours"]


def test_with_quick_profile_keeps_rows():
    table = TABLES["synthetic"]([])
    assert table.with_quick_profile().row_names == table.row_names
    assert table.with_quick_profile().num_checkpoints == table.num_checkpoints


def test_with_standard_profile():
    table = make_table()
    with raises_input_error("standard", "'t'", "leave it out"):
        table.with_standard_profile()
    standard = replace(table, standard=Profile(steps=3, num_seeds=4)).with_standard_profile()
    assert {run.steps for _, run in standard.runs.values()} == {3}
    assert (standard.num_seeds, standard.title) == (4, "t; standard profile of 3 steps")


def test_profiles_set_num_samples():
    table = make_score_table()
    (column,) = table.with_quick_profile().columns.values()
    assert column.num_samples == 20
    (note,) = table.with_quick_profile().all_notes
    assert note.startswith("20 generated images of each seed")
    assert note.endswith("FD of so few images is biased upwards.")


def test_with_features_renames_columns_and_published():
    table = make_score_table(title="tiles").with_features("inception")
    (title,) = table.columns
    (group,) = table.row_groups
    assert (title, table.columns[title].metric) == ("Tiles FID", "fid")
    assert group.published == {("GAN", "Tiles FID"): (25.0, 0.5)}
    other = table.with_features("random")
    (other_title,) = other.columns
    assert other_title == "Tiles FD, random (paper: inception)"
    assert other.row_groups[0].published == {("GAN", other_title): (25.0, 0.5)}
    assert other.title.endswith("; features of random")
    assert other.runs == table.runs


def test_with_features_leaves_other_tables():
    assert make_table().with_features("random") == make_table()


def test_required_scores_and_metrics_are_apart():
    table = make_score_table()
    assert table.required_metrics == {RUN.id: set()}
    assert table.required_scores == {RUN.id: tuple(table.columns.values())}
    assert not any(make_table().required_scores.values())
