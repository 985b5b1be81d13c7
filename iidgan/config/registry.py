"""Registries of components, and access to unregistered ones by `package.module:Name`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any, TypeVar

from iidgan.config.type_names import TYPE_NAMES
from iidgan.core import Reference
from iidgan.data import SOURCES
from iidgan.engine.optim import OPTIMISERS
from iidgan.errors import InputError, find_nearest_name, unknown_name_error
from iidgan.methods import METHODS
from iidgan.metrics import METRICS
from iidgan.nn import BACKBONES
from iidgan.terms import TERMS

ComponentT = TypeVar("ComponentT")

REGISTRIES: dict[str, Mapping[str, Any]] = {
    "methods": METHODS,
    "terms": TERMS,
    "sources": SOURCES,
    "archs": BACKBONES,
    "optimisers": OPTIMISERS,
    "metrics": METRICS,
}


def find(kind: str, name: str) -> Any:  # noqa: ANN401 - a class or a factory of that kind
    """Find the class or factory of a component.

    Arguments:
        kind: Kind of the registry, such as `methods`.
        name: A registered name, or `package.module:Name` of an importable module or one in the
            working directory.

    Raises:
        InputError: The name is neither registered nor importable.
    """
    if kind not in REGISTRIES:
        raise unknown_name_error("kind", kind, REGISTRIES)
    registry, field = REGISTRIES[kind], kind.removesuffix("s")
    if name in registry:
        return registry[name]
    if ":" in name:
        return _import(field, name)
    error = unknown_name_error(field, name, registry)
    raise InputError(f"{error}, or package.module:Name of your own")


def create_component(kind: str, name: str, component_type: type[ComponentT]) -> ComponentT:
    """Create a component with its default options.

    Arguments:
        kind: Kind of the registry, such as `methods`.
        name: A registered name, or `package.module:Name` of a class or factory that needs no
            arguments.
        component_type: Type of what it creates.

    Raises:
        InputError: The name cannot be resolved, creation fails, or the type is wrong.
    """
    field, factory = kind.removesuffix("s"), find(kind, name)
    if not callable(factory):
        raise InputError(f"{field}: {name!r} must be a class or function, got {factory!r}")
    try:
        component = factory()
    except Exception as error:  # a user's code may raise anything
        raise InputError(f"{field}: creating {name!r} failed ({error})") from error
    if not isinstance(component, component_type):
        raise InputError(
            f"{field}: {name!r} must create an object of type {component_type.__name__}, got "
            f"{type(component).__name__}"
        )
    return component


def _import(field: str, name: str) -> Any:  # noqa: ANN401
    """Import `package.module:Name`; the working directory is searched last."""
    module_name, _, attribute_path = name.partition(":")
    if not module_name or not all(attribute_path.split(".")):
        raise InputError(f"{field}: expected 'package.module:Name', got {name!r}")
    try:
        working_dir = os.getcwd()
        if working_dir not in sys.path:  # the `iidgan` command lacks it, `python -m` has it
            sys.path.append(working_dir)
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a user's module may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{field}: cannot import {name!r} ({reason})") from None
    try:
        return attrgetter(attribute_path)(module)
    except AttributeError:
        nearest_name = find_nearest_name(
            attribute_path, filter(str.isidentifier, vars(module)), cutoff=0.6
        )
        name_hint = f"; did you mean {nearest_name!r}?" if nearest_name else ""
        raise InputError(
            f"{field}: cannot import {name!r} (no {attribute_path!r} in {module_name!r}"
            f"{name_hint})"
        ) from None


def check_resolvable(value: object) -> None:
    """Check that every dataclass in `value` can be restored by its type name.

    Raises:
        InputError: A class is local to a function, or its name leads to another class.
    """
    if isinstance(value, tuple | list):
        for item in value:
            check_resolvable(item)
    elif is_dataclass(value) and not isinstance(value, type):
        value_type = type(value)
        type_name = get_type_name(value_type)
        if value_type not in _NAMES_BY_TYPE and _import("type", type_name) is not value_type:
            raise InputError(f"type: {type_name!r} is not the class in use, but another one")
        for field in fields(value):
            check_resolvable(getattr(value, field.name))


_NAMES_BY_TYPE = {cls: name for name, cls in TYPE_NAMES.items()}


def get_type_name(cls: type) -> str:
    """Return the name by which `resolve_type` finds a class: a listed one, or `module:Name`."""
    return _NAMES_BY_TYPE.get(cls) or f"{cls.__module__}:{cls.__qualname__}"


def resolve_type(name: str) -> type:
    """Find a dataclass by its type name.

    Raises:
        InputError: The name is neither listed nor importable, or not that of a dataclass.
    """
    cls = TYPE_NAMES.get(name) or (_import("type", name) if ":" in name else None)
    if not (isinstance(cls, type) and is_dataclass(cls)):
        raise unknown_name_error("type", name, TYPE_NAMES)
    return cls


def get_reference(component: object) -> Reference | None:
    """Return the publication that a class or factory declares with `cites`, if any."""
    reference = getattr(component, "reference", None)
    return reference if isinstance(reference, Reference) else None
