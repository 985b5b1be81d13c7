"""Versions of the JSON files of a run directory."""

import pytest

from iidgan.training.migration import VERSION, migrate, read_facts
from tests.helpers.errors import raises_input_error


def test_migrate_without_version(tmp_path):
    facts = {"id": "0", "run": {}}
    assert migrate(facts, tmp_path) == {**facts, "version": VERSION}
    assert facts == {"id": "0", "run": {}}
    assert migrate({**facts, "version": 1}, tmp_path) == migrate(facts, tmp_path)
    assert migrate({**facts, "version": VERSION}, tmp_path) == migrate(facts, tmp_path)


def test_migrate_gives_each_seed_its_step(tmp_path):
    facts = {"version": 2, "seeds": [3, 1], "step": 10}
    assert migrate(facts, tmp_path) == {"version": VERSION, "seeds": [3, 1], "steps": [10, 10]}


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "3", "[" * 100_000])
def test_read_facts_names_damaged_file(tmp_path, content):
    path = tmp_path / "run.json"
    path.write_text(content)
    with raises_input_error(str(path), "damaged"):
        read_facts(path)
