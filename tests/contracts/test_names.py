"""Laws of the language: names say what a thing is, and no public class has a namesake."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import iidgan

ROOT = Path(iidgan.__file__).parent
PATHS = sorted(ROOT.rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in PATHS}

VAGUE = {"asked", "found", "gone", "heard", "kept", "known", "made", "place", "seen", "there"} | {
    "told",
    "wanted",
}
"""Participles and adverbs that say that something was computed, never what."""

CATALOGUES = {"methods", "terms", "cli"}
"""Folders of which each file is one entry of a catalogue; others stay small."""
MAX_FILES = 16


def names_assigned(tree):
    """Yields the names that are assigned or declared as arguments, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


@pytest.mark.parametrize("file", TREES)
def test_locals_say_what_they_hold(file):
    vague = [(name, line) for name, line in names_assigned(TREES[file]) if name in VAGUE]
    assert vague == []


def test_public_classes_have_no_namesake():
    files_by_class = defaultdict(list)
    for file, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files_by_class[node.name].append(file)
    assert {name: files for name, files in files_by_class.items() if len(files) > 1} == {}


def test_folders_have_few_files():
    counts = defaultdict(int)
    for path in PATHS:
        counts[path.parent.relative_to(ROOT).as_posix()] += path.name != "__init__.py"
    assert {f: n for f, n in counts.items() if n > MAX_FILES and f not in CATALOGUES} == {}


@pytest.mark.parametrize("folder", sorted({path.parent for path in PATHS}))
def test_packages_say_what_belongs_in_them(folder):
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    assert text, f"{folder / '__init__.py'} has no docstring"
    assert text.count(".") >= 2, "two sentences: what belongs here, and what does not"
