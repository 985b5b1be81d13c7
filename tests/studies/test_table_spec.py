"""Selections and profiles of a table."""

from iidgan.studies.papers import TABLES
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
