"""Laws of the language: names say what a thing is, and no public class has a namesake."""

import ast
from collections import defaultdict

from tests.helpers.source_code import PATHS, ROOT, collect_violations, parse_package

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


def vague_names(module):
    tree = parse_package()[module]
    return [(name, line) for name, line in names_assigned(tree) if name in VAGUE]


def test_locals_say_what_they_hold():
    assert collect_violations(vague_names) == {}


def test_public_classes_have_no_namesake():
    modules_by_class = defaultdict(list)
    for module, tree in parse_package().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules_by_class[node.name].append(module)
    assert {name: modules for name, modules in modules_by_class.items() if len(modules) > 1} == {}


def test_folders_have_few_files():
    counts = defaultdict(int)
    for path in PATHS.values():
        counts[path.parent.relative_to(ROOT).as_posix()] += path.name != "__init__.py"
    assert {f: n for f, n in counts.items() if n > MAX_FILES and f not in CATALOGUES} == {}


def has_two_sentences(package):
    """What belongs here, and what does not."""
    return (ast.get_docstring(parse_package()[package]) or "").count(".") >= 2


def test_packages_say_what_belongs_in_them():
    packages = [module for module, path in PATHS.items() if path.name == "__init__.py"]
    assert [package for package in packages if not has_two_sentences(package)] == []


def list_hidden_modules(package):
    """Lists the modules that a package hides under a function or class of the same name."""
    names = {
        alias.asname or alias.name
        for node in parse_package()[package].body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return sorted(name for name in names if f"{package}.{name}" in PATHS)


def test_no_module_is_hidden_by_a_name():
    """Of a catalogue, each file has one entry, which is what its name means."""
    packages = [module for module, path in PATHS.items() if path.name == "__init__.py"]
    others = [name for name in packages if name.rpartition(".")[2] not in CATALOGUES]
    assert collect_violations(list_hidden_modules, others) == {}
