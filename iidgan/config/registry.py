"""Everything that has a name, and the way to what has none yet: `package.module:Name`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

from iidgan.config.type_names import TYPE_NAMES
from iidgan.core import Reference
from iidgan.data import SOURCES
from iidgan.engine.optim import OPTIMISERS
from iidgan.errors import InputError, unknown
from iidgan.methods import METHODS
from iidgan.metrics import METRICS
from iidgan.nn import ARCHS
from iidgan.terms import TERMS

KINDS: dict[str, Mapping[str, Any]] = {
    "methods": METHODS,
    "terms": TERMS,
    "sources": SOURCES,
    "archs": ARCHS,
    "optimisers": OPTIMISERS,
    "metrics": METRICS,
}


def find(kind: str, name: str) -> Any:  # noqa: ANN401 - a class or a factory of that kind
    """Looks up what makes a thing of `kind`: by its name in the list, or as `module:Name`.

    Raises:
        InputError: There is no such name, module, or attribute.
    """
    known = KINDS[kind]
    if name in known:
        return known[name]
    if ":" not in name:
        raise unknown(kind.removesuffix("s"), name, known)
    return _import(kind.removesuffix("s"), name)


def _import(field: str, name: str) -> Any:  # noqa: ANN401
    module, _, attribute = name.partition(":")
    try:
        here = os.getcwd()
        if here not in sys.path:  # an installed command does not look there, `python -m` does
            sys.path.append(here)
        return attrgetter(attribute)(importlib.import_module(module))
    except (Exception, SystemExit) as error:  # whatever a user's module may raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{field}: cannot import {name!r} ({reason})") from None


def ensure_named(value: object) -> None:
    """Sees that every dataclass in `value` is found again by its name: else a run could not be.

    Raises:
        InputError: One is not.
    """
    if isinstance(value, tuple | list):
        for item in value:
            ensure_named(item)
    elif is_dataclass(value) and not isinstance(value, type):
        made = type(value)
        if made not in _NAMES and _import("type", name_of(made)) is not made:
            raise InputError(f"type: {name_of(made)!r} is another class than the one in use")
        for f in fields(value):
            ensure_named(getattr(value, f.name))


_NAMES = {made: name for name, made in TYPE_NAMES.items()}


def name_of(made: type) -> str:
    """Gives the name under which `class_of` finds a class again."""
    return _NAMES.get(made) or f"{made.__module__}:{made.__qualname__}"


def class_of(name: str) -> type:
    found = TYPE_NAMES.get(name) or (_import("type", name) if ":" in name else None)
    if not (isinstance(found, type) and is_dataclass(found)):
        raise unknown("type", name, TYPE_NAMES)
    return found


def reference_of(made: object) -> Reference | None:
    """Finds the publication that a class or factory declares with `cites`."""
    found = getattr(made, "reference", None)
    return found if isinstance(found, Reference) else None
