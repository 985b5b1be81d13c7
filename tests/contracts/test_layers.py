"""The table of layers: imports go strictly downwards, and the report works without torch."""

import ast
import re
import subprocess
import sys

import pytest

from tests.helpers.source_code import PATHS, collect_violations, parse_package

LAYERS = {
    "errors": 0,
    "_version": 0,
    "utils": 1,
    "distributed": 1,
    "core": 2,
    "functional": 2,
    "records": 2,
    "losses": 3,
    "nn": 3,
    "terms": 3,
    "data": 3,
    "metrics": 3,
    "report": 3,
    "html": 4,
    "engine": 3,
    "engine.compile": 4,
    "methods": 4,
    "config": 5,
    "evaluation.classifier": 6,
    "features": 7,
    "evaluation": 8,
    "training": 9,
    "latent": 10,
    "parallel": 10,
    "sample_sets": 10,
    "sharing": 12,
    "tracking": 12,
    "figures": 11,
    "train": 11,
    "diagnosis": 12,
    "explorer": 13,
    "testing": 11,
    "studies": 12,
    "studies.papers": 13,
    "report_page": 13,
    "cli": 14,
    "__main__": 15,
}
"""A room may import rooms of lower numbers, and nothing else but itself."""

WITHOUT_TORCH = ("errors", "_version", "records", "report")
"""Rooms whose import does not import torch, besides the package itself."""

PRIVATE_TORCH = {"iidgan.engine.compile.inductor"}
"""The only module that reads private names of torch."""


def room(module):
    """iidgan.engine.compile.cache -> engine.compile, iidgan.train -> train."""
    parts = module.split(".")[1:]
    nested = ".".join(parts[:2])
    return nested if nested in LAYERS else parts[0] if parts else "iidgan"


def resolved(module, name):
    """Resolves `from module import name`: to the submodule `name` where there is one."""
    submodule = f"{module}.{name}"
    return submodule if submodule in PATHS else module


def imported_modules(tree, *, lazy):
    """Lists the imported modules; without `lazy`, those that importing the module executes."""
    modules = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            modules += [resolved(node.module, alias.name) for alias in node.names]
        elif lazy or not (isinstance(node, ast.FunctionDef) or is_type_checking(node)):
            modules += imported_modules(node, lazy=lazy)
    return modules


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def is_allowed(module, imported):
    upper, lower = room(module), room(imported)
    return upper == lower or LAYERS[lower] < LAYERS[upper]


def own(modules):
    return [name for name in modules if name.split(".")[0] == "iidgan"]


def upward_imports(module):
    imported = own(imported_modules(parse_package()[module], lazy=True))
    return [name for name in imported if name == "iidgan" or not is_allowed(module, name)]


def test_imports_go_downwards():
    assert collect_violations(upward_imports, PATHS.keys() - {"iidgan"}) == {}


def test_every_layer_exists():
    assert {room(name) for name in PATHS} - {"iidgan"} == LAYERS.keys()


def test_modules_have_no_import_cycle():
    graph = {
        name: set(own(imported_modules(tree, lazy=False))) - {name}
        for name, tree in parse_package().items()
    }
    while leaves := {name for name, below in graph.items() if not below & graph.keys()}:
        graph = {name: below for name, below in graph.items() if name not in leaves}
    assert not graph, f"modules import each other: {sorted(graph)}"


def executed_modules(module):
    """Collects the modules that importing `module` executes: ours, and the tops of others."""
    visited, waiting = set(), [module]
    while waiting:
        current = waiting.pop()
        if current in visited:
            continue
        visited.add(current)
        parts = current.split(".")
        if current in PATHS:
            waiting += imported_modules(parse_package()[current], lazy=False)
            waiting += [".".join(parts[:end]) for end in range(1, len(parts))]
    return {name if name in PATHS else name.split(".")[0] for name in visited}


def test_report_imports_no_torch():
    modules = [name for name in PATHS if room(name) in (*WITHOUT_TORCH, "iidgan")]
    assert [module for module in modules if "torch" in executed_modules(module)] == []


@pytest.mark.slow
def test_report_imports_no_torch_in_the_interpreter():
    code = "import sys, iidgan.report, iidgan.records; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def private_torch_names(module):
    """Lists dotted names below torch with a private part, in imports and in attributes."""
    names = set()
    for node in ast.walk(parse_package()[module]):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            names.add(ast.unparse(node))
    parts = {name: name.split(".") for name in names}
    return sorted(
        name
        for name, (top, *rest) in parts.items()
        if top == "torch" and any(re.match(r"_(?!_|foreach_)", part) for part in rest)
    )


def test_private_torch_is_used_in_one_module():
    assert collect_violations(private_torch_names).keys() == PRIVATE_TORCH


@pytest.mark.parametrize(
    ("module", "imported", "expected"),
    [
        ("iidgan.methods.gan", "iidgan.terms", True),
        ("iidgan.terms.cycle", "iidgan.methods", False),
        ("iidgan.terms.cycle", "iidgan.nn.layers.conv", False),
        ("iidgan.engine.loop", "iidgan.config.run", False),
        ("iidgan.engine.step", "iidgan.engine.compile.executors", False),
        ("iidgan.engine.compile.executors", "iidgan.engine.step", True),
        ("iidgan.nn.backbones.mlp", "iidgan.data", False),
        ("iidgan.report.table", "iidgan.records", True),
        ("iidgan.report.table", "iidgan.config.run", False),
        ("iidgan.train", "iidgan.cli", False),
        ("iidgan.training.session", "iidgan.train", False),
    ],
)
def test_layers_tell_up_from_down(module, imported, expected):
    assert is_allowed(module, imported) is expected
