"""Components are values: frozen, comparable, hashable, and writable as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from iidgan.errors import wrong_type_error


def require(condition: bool, problem: str) -> None:
    """Raise an `AssertionError` unless the condition holds, also under `python -O`.

    Arguments:
        condition: What must hold.
        problem: What is wrong otherwise, and how to correct it.
    """
    if not condition:
        raise AssertionError(problem)


def differing_names(
    a: Mapping[str, Tensor], b: Mapping[str, Tensor], atol: float = 0.0
) -> list[str]:
    """Return the names of tensors that differ or exist on one side only; NaN equals NaN.

    Arguments:
        a: Tensors by name.
        b: Tensors by name.
        atol: Largest absolute difference of equal elements.

    Examples:
        >>> differing_names({"x": torch.ones(2)}, {"x": torch.ones(2), "y": torch.ones(2)})
        ['y']
    """
    unpaired = a.keys() ^ b.keys()
    return sorted(unpaired) + [
        name
        for name in a
        if name not in unpaired and not torch.allclose(a[name], b[name], 0.0, atol, equal_nan=True)
    ]


def copy_with(instance: object, **changes: object) -> Any:  # noqa: ANN401 - the same type
    """Copy a dataclass with some fields changed."""
    return replace(cast(Any, instance), **changes)


def class_name(instance: object) -> str:
    return type(instance).__name__


def require_value(instance: object, expected_type: type) -> None:
    """Require an object of a type that is a frozen dataclass with equality, a hash and a repr.

    Arguments:
        instance: The object.
        expected_type: Type that it must have.

    Raises:
        AssertionError: It is not such an object.
    """
    type_name = expected_type.__name__
    require(
        isinstance(instance, expected_type),
        str(wrong_type_error(type_name.lower(), f"a {type_name}", instance)),
    )
    name = class_name(instance)
    is_frozen = (
        is_dataclass(instance) and getattr(type(instance), "__dataclass_params__").frozen  # noqa: B009
    )
    require(
        is_frozen, f"{name} is mutable; decorate it with @dataclass(frozen=True, kw_only=True)"
    )
    require(
        copy_with(instance) == instance,
        f"{name} does not equal its copy; leave __eq__ to the dataclass, and use only numbers, "
        "strings, tuples, and frozen dataclasses of these as fields",
    )
    try:
        hash(instance)
    except TypeError as error:
        problem = f"{name} is not hashable ({error}); use tuples instead of lists and dicts"
        raise AssertionError(problem) from error
    require(
        name in repr(instance),
        f"the repr {instance!r} does not contain {name}; leave __repr__ to the dataclass",
    )


def require_json_roundtrip(field: str, component: object) -> None:
    """Require that a component survives being written to JSON and read back.

    Arguments:
        field: The field of `Run` that it is for.
        component: A source, method, ...

    Raises:
        AssertionError: It does not.
    """
    from iidgan.config.plugins import check_importable, list_types
    from iidgan.config.run import Run

    advice = (
        "define its class at the top level of a module, and use only numbers, strings, tuples, "
        "and frozen dataclasses of these as fields"
    )
    try:
        check_importable(component)
        json_text = json.dumps(copy_with(Run(), **{field: component}).to_dict(), allow_nan=False)
        decoded_run = Run.from_dict(json.loads(json_text), list_types(component))
    except (TypeError, ValueError) as error:
        problem = f"{class_name(component)}: JSON round trip failed ({error}); {advice}"
        raise AssertionError(problem) from error
    decoded = getattr(decoded_run, field)
    require(decoded == component, f"{component} is read back from JSON as {decoded}; {advice}")
