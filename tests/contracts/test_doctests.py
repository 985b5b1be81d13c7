"""The examples in the docstrings of the package print what they say."""

import doctest
import importlib

import pytest
import torch

from tests.helpers.source_code import PATHS

PROMPT = ">>> "
MODULES = [module for module, path in PATHS.items() if PROMPT in path.read_text()]
"""Modules with examples, by their text: importing all of them would slow every collection."""


def run_examples(module):
    """Runs the examples in the docstrings of a module; returns a report of those that fail."""
    docstrings = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert docstrings, f"{module.__name__}: no docstring that doctest reads has an example"
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)  # as of pytest
    report = []
    for docstring in docstrings:
        runner.run(docstring, out=report.append)
    return "".join(report)


@pytest.mark.parametrize("module", MODULES)
def test_examples(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with torch.random.fork_rng():
        report = run_examples(importlib.import_module(module))
    if report:
        pytest.fail(report, pytrace=False)


def test_wrong_example_is_reported():
    module = type(doctest)("example", ">>> 1 + 1\n3")
    assert "Expected:\n    3\nGot:\n    2\n" in run_examples(module)
