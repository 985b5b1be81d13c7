"""Imports go downwards, importing the report brings no torch, and code stays small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import iidgan

ROOT = Path(iidgan.__file__).parent
MOST_LINES, MOST_LINES_OF_FUNCTION = 300, 60

# What each folder or file may import besides itself. Nobody imports `cli` or `testing`; of what
# makes numbers, `report` knows the rows alone.
BELOW = {
    "errors": set(),
    "processes": set(),
    "functional": {"errors"},
    "core": {"errors"},
    "files": {"errors"},
    "losses": {"errors", "functional"},
    "terms": {"core", "functional", "errors"},
    "methods": {"core", "functional", "errors", "terms"},  # a method may be made of terms
    "nn": {"core", "errors"},
    "data": {"core", "errors", "files", "processes"},
    "metrics": {"core", "functional", "errors"},
    "engine": {"core", "errors", "files"},
    "bench.rows": {"errors", "files"},
    "bench": {
        *("bench.rows", "core", "data", "engine", "errors", "files", "functional", "methods"),
        *("metrics", "nn", "processes", "report", "root", "terms"),
    },
    "report": {"errors", "files", "bench.rows"},
    "testing": {"bench", "core", "data", "engine", "errors", "methods", "metrics", "nn", "terms"},
    "cli": {
        *("bench", "bench.rows", "core", "data", "engine", "errors", "files", "functional"),
        *("losses", "methods", "metrics", "nn", "processes", "report", "root", "terms"),
    },
    "__main__": {"cli"},
}


def name_of(path):
    parts = ("iidgan", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in PATHS.items()}


def target(module, name):
    """Resolves `from module import name`: to the submodule `name` where there is one."""
    inside = f"{module}.{name}"
    return inside if inside in PATHS else module


def imports(tree, *, lazy):
    """Lists what is imported; without `lazy`, what importing the module itself executes."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found += [target(node.module, alias.name) for alias in node.names]
        elif lazy or not (isinstance(node, ast.FunctionDef) or is_for_types(node)):
            found += imports(node, lazy=lazy)
    return found


def is_for_types(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def layer(name):
    """iidgan.report.table -> report; iidgan itself -> root."""
    inside = name.removeprefix("iidgan").removeprefix(".")
    return "bench.rows" if inside == "bench.rows" else inside.split(".")[0] or "root"


def allowed(name, imported):
    return layer(imported) in {layer(name), *BELOW[layer(name)]}


def ours(names):
    return [name for name in names if name.split(".")[0] == "iidgan"]


@pytest.mark.parametrize("name", [name for name in PATHS if name != "iidgan"])
def test_imports_go_downwards(name):
    assert layer(name) in BELOW, f"{name}: say in BELOW what this layer may import"
    upwards = [i for i in ours(imports(TREES[name], lazy=True)) if not allowed(name, i)]
    assert not upwards


def test_layers_have_no_cycle():
    """BELOW itself orders the layers."""
    done = {"root"}
    while waiting := BELOW.keys() - done:
        ready = {name for name in waiting if BELOW[name] <= done}
        assert ready, f"a cycle among {waiting}"
        done |= ready


def test_modules_have_no_cycle():
    graph = {name: set(ours(imports(TREES[name], lazy=False))) - {name} for name in PATHS}
    while leaves := {name for name, below in graph.items() if not below & graph.keys()}:
        graph = {name: below for name, below in graph.items() if name not in leaves}
    assert not graph, f"modules import each other: {sorted(graph)}"


def executed(name):
    """Collects all modules that importing `name` imports: ours, and the tops of others."""
    seen, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        parts = current.split(".")
        if current in PATHS:
            waiting += imports(TREES[current], lazy=False)
            waiting += [".".join(parts[:end]) for end in range(1, len(parts))]
    return {name if name in PATHS else name.split(".")[0] for name in seen}


@pytest.mark.parametrize(
    "name", [n for n in PATHS if layer(n) in ("report", "errors", "files") or n == "iidgan"]
)
def test_no_torch_comes_with_the_report(name):
    assert "torch" not in executed(name)


def test_no_torch_comes_with_the_report_for_real():
    """As above, by the interpreter."""
    code = "import sys, iidgan.report, iidgan.bench.rows; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", PATHS)
def test_code_is_small(name):
    assert len(PATHS[name].read_text().splitlines()) <= MOST_LINES
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    sizes = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(TREES[name])
        if isinstance(node, functions)
    }
    assert {n: size for n, size in sizes.items() if size > MOST_LINES_OF_FUNCTION} == {}


@pytest.mark.parametrize(
    ("name", "imported", "right"),
    [
        ("iidgan.methods.gan", "iidgan.terms", True),
        ("iidgan.terms.cycle", "iidgan.methods", False),
        ("iidgan.engine.loop", "iidgan.bench.run", False),
        ("iidgan.nn.mlp", "iidgan.data", False),
        ("iidgan.report.table", "iidgan.bench.rows", True),
        ("iidgan.report.table", "iidgan.bench.rowsets", False),
        ("iidgan.report.table", "iidgan.bench.run", False),
        ("iidgan.bench.train", "iidgan.cli", False),
        ("iidgan.core.method", "iidgan", False),
    ],
)
def test_the_rule_tells_up_from_down(name, imported, right):
    assert allowed(name, imported) is right
