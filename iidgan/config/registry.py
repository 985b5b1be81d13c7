"""Registries of components, and access to unregistered ones by `package.module:Name`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter
from typing import Any, TypeVar

from iidgan.config.plugins import import_by_name
from iidgan.core import Reference
from iidgan.data import SOURCES
from iidgan.engine.optim import OPTIMISERS
from iidgan.errors import InputError, unknown_name_error, wrong_type_error
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
        kind: Kind of the registry: `methods`, `terms`, `sources`, `archs`, `optimisers` or
            `metrics`.
        name: A registered name, or `package.module:Name` of an importable module or one in the
            working directory. It must be one that the caller gave: its module is executed.

    Returns:
        The class, or the function that creates the component.

    Raises:
        InputError: The name is neither registered nor importable.

    Examples:
        >>> find("methods", "gan")()
        GAN(loss='non-saturating')
        >>> find("sources", "rink")
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: source: unknown 'rink'; did you mean 'ring'? known: ...
    """
    if kind not in REGISTRIES:
        raise unknown_name_error("kind", kind, REGISTRIES)
    registry, field = REGISTRIES[kind], kind.removesuffix("s")
    if name in registry:
        return registry[name]
    if ":" in name:
        return import_by_name(field, name)
    error = unknown_name_error(field, name, registry)
    raise InputError(f"{error}, or package.module:Name of your own")


def create_component(kind: str, name: str, component_type: type[ComponentT]) -> ComponentT:
    """Create a component with its default options.

    Arguments:
        kind: Kind of the registry, such as `methods`.
        name: A registered name, or `package.module:Name` of a class or factory that needs no
            arguments.
        component_type: Type of what it creates.

    Returns:
        The component.

    Raises:
        InputError: The name cannot be resolved, creation fails, or the type is wrong.

    Examples:
        >>> from iidgan import Source
        >>> create_component("sources", "ring", Source).modes
        8
    """
    field, factory = kind.removesuffix("s"), find(kind, name)
    type_name = component_type.__name__
    if not callable(factory):
        raise InputError(f"{field}: {name!r} must be a class or function, got {factory!r}")
    if isinstance(factory, type) and not issubclass(factory, component_type):
        raise InputError(
            f"{field}: {name!r} must be a subclass of {type_name}, or a function that creates one"
        )
    if missing_names := list_required_arguments(factory):
        example = f"{name.rpartition(':')[2]}({missing_names[0]}=...)"
        raise InputError(
            f"{field}: {name!r} needs {', '.join(missing_names)}; give defaults, or in Python "
            f"{example} instead of the name"
        )
    try:
        component = factory()
    except Exception as error:  # a user's code may raise anything
        raise InputError(f"{field}: creating {name!r} failed ({error})") from error
    if not isinstance(component, component_type):
        raise InputError(
            f"{field}: {name!r} must create an object of type {type_name}, got "
            f"{type(component).__name__}"
        )
    return component


def resolve_component(
    kind: str, value: object, component_type: type[ComponentT], *, field: str | None = None
) -> ComponentT:
    """Create a component that is given by its name, or return one that is given as an object.

    Arguments:
        kind: Kind of the registry, such as `methods`.
        value: The component, or a name as for `create_component`.
        component_type: Type of the component.
        field: Field that an error about its type names; by default the kind in the singular.

    Raises:
        InputError: As for `create_component`, or the object has another type.

    Examples:
        >>> from iidgan import Ring, Source
        >>> resolve_component("sources", "ring", Source) == Ring()
        True
    """
    if isinstance(value, str):
        return create_component(kind, value, component_type)
    if not isinstance(value, component_type):
        singular = kind.removesuffix("s")
        raise wrong_type_error(field or singular, f"a {singular} or its name", value)
    return value


def list_required_arguments(factory: Callable[..., object]) -> list[str]:
    """List the arguments without a default of a class or function, such as fields.

    Arguments:
        factory: The class or function.

    Returns:
        Their names, in order.

    Examples:
        >>> from iidgan import Regularised
        >>> list_required_arguments(Regularised)
        ['method', 'terms']
    """
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # some builtins have no signature
        return []
    optional_kinds = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return [
        parameter.name
        for parameter in parameters
        if parameter.default is Parameter.empty and parameter.kind not in optional_kinds
    ]


def get_reference(component: object) -> Reference | None:
    """Return the publication that a class or factory declares with `cites`, if any.

    Arguments:
        component: Class, factory or object.

    Returns:
        The publication, or None.

    Examples:
        >>> get_reference(find("terms", "gaussian")).year
        2023
    """
    reference = getattr(component, "reference", None)
    return reference if isinstance(reference, Reference) else None
