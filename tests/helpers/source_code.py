"""The package's modules, parsed."""

import ast
from functools import cache
from pathlib import Path

import iidgan

ROOT = Path(iidgan.__file__).parent


def module_name(path):
    parts = ("iidgan", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


@cache
def parse_package():
    """The syntax tree of every module, by name."""
    return {name: ast.parse(path.read_text()) for name, path in PATHS.items()}


def collect_violations(find_violations, modules=PATHS):
    """What `find_violations(module)` finds, by module, without those where it finds nothing."""
    violations = {module: find_violations(module) for module in modules}
    return {module: names for module, names in violations.items() if names}
