"""Extras: what is missing is named, with the command that installs it."""

import tomllib
from pathlib import Path

import pytest

from iidgan.utils.extras import EXTRAS, list_missing_modules, require_extra
from tests.helpers.errors import raises_input_error

ROOT = Path(__file__).parents[2]


def test_extras_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = project["optional-dependencies"]
    assert {*EXTRAS} == {*requirements} - {"bench", "docs"}
    for extra, modules in EXTRAS.items():
        packages = [text.partition(">=")[0].replace("-", "_") for text in requirements[extra]]
        assert packages == [*modules]


@pytest.mark.parametrize("extra", EXTRAS)
def test_missing_modules_are_named(extra, monkeypatch):
    monkeypatch.setattr("iidgan.utils.extras.util.find_spec", lambda name: None)
    with raises_input_error("field", *EXTRAS[extra], f"pip install 'iidgan[{extra}]'"):
        require_extra(extra, field="field")


def test_installed_modules_are_not_missing():
    assert list_missing_modules(["json", "no_such_module_anywhere"]) == ["no_such_module_anywhere"]
    require_extra("hub", "json", field="field")
