"""Names, profiles and features of tables."""

from dataclasses import replace

import pytest

from iidgan.cli.table_selection import ProfileOptions, resolve_table_name, select_table
from iidgan.studies.papers import ALIASES, TABLES
from iidgan.studies.table_spec import Profile
from tests.helpers.errors import raises_input_error
from tests.helpers.tables import make_table


def test_resolve_table_name_of_aliases():
    assert resolve_table_name("ijcai-table-3") == resolve_table_name("stacked") == "stacked"
    assert set(ALIASES.values()) <= set(TABLES)
    assert not set(ALIASES) & set(TABLES)


def test_resolve_table_name_unknown():
    with raises_input_error("table", "'ijcai-table-7'", "did you mean 'ijcai-table-"):
        resolve_table_name("ijcai-table-7")


@pytest.mark.parametrize(
    ("name", "options", "values"),
    [
        ("ring", {"standard": True}, ["standard", "ring", "--quick"]),
        ("ring", {"quick": True, "standard": True}, ["standard", "quick"]),
        ("ring", {"features": "pixels"}, ["features", "ring"]),
    ],
)
def test_select_table_refuses(name, options, values):
    with raises_input_error(*values):
        select_table(name, ProfileOptions(**options), [])


def test_select_table_profiles(monkeypatch):
    table = make_table(standard=Profile(steps=3))
    monkeypatch.setitem(TABLES, "ring", lambda records: table)
    for options, steps in (({}, 4), ({"quick": True}, 2), ({"standard": True}, 3)):
        selected = select_table("ring", ProfileOptions(**options), [])
        assert {run.steps for _, run in selected.runs.values()} == {steps}


def test_select_table_features():
    by_default = select_table("ijcai-table-5", ProfileOptions(), [])
    assert "CelebA FD, efficientnet-lite0 (paper: inception)" in by_default.columns
    of_papers = select_table("ijcai-table-5", ProfileOptions(features="inception"), [])
    assert list(of_papers.columns) == list(TABLES["ijcai-table-5"]([]).columns)


def test_profile_options_as_flags():
    options = ProfileOptions(quick=True, features="pixels")
    assert options.flags == " --quick --features pixels"
    assert replace(options, quick=False, standard=True, features=None).flags == " --standard"
