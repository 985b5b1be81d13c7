"""Methods, terms and metrics are values: frozen, comparable, hashable, and readable as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from iidgan.core import Method


def require(holds: bool, problem: str) -> None:
    """Raises an `AssertionError` with `problem` unless the law `holds`, also under `python -O`."""
    if not holds:
        raise AssertionError(problem)


def differing(a: Mapping[str, Tensor], b: Mapping[str, Tensor], atol: float = 0.0) -> list[str]:
    """Names the tensors that are not equal, or stand on one side alone; NaN equals NaN."""
    alone = a.keys() ^ b.keys()
    return sorted(alone) + [
        name
        for name in a
        if name not in alone and not torch.allclose(a[name], b[name], 0.0, atol, equal_nan=True)
    ]


def copy_of(thing: object, **changes: object) -> Any:  # noqa: ANN401 - the same type
    """Copies a dataclass with some fields changed."""
    return replace(cast(Any, thing), **changes)


def name_of(thing: object) -> str:
    return type(thing).__name__


def is_a_value(thing: object) -> None:
    name = name_of(thing)
    frozen = is_dataclass(thing) and getattr(type(thing), "__dataclass_params__").frozen  # noqa: B009
    require(frozen, f"{name} can change; decorate it with @dataclass(frozen=True, kw_only=True)")
    require(
        copy_of(thing) == thing,
        f"{name} does not equal its copy; leave __eq__ to the dataclass, and make its fields "
        "numbers, strings, tuples, or frozen dataclasses of these",
    )
    try:
        hash(thing)
    except TypeError as error:
        problem = (
            f"{name} has no hash ({error}); make its fields tuples rather than lists or dicts"
        )
        raise AssertionError(problem) from error
    require(
        name in repr(thing), f"{thing!r} does not name {name}; leave __repr__ to the dataclass"
    )


def survives_json(method: Method) -> None:
    from iidgan.config.run import Run

    rule = (
        "keep its class at the top level of a module, and its fields numbers, strings, tuples, or "
        "frozen dataclasses of these"
    )
    try:
        again = Run.from_dict(
            json.loads(json.dumps(Run(method=method).to_dict(), allow_nan=False))
        ).method
    except (TypeError, ValueError) as error:
        problem = f"{name_of(method)} cannot be written as JSON and read again ({error}); {rule}"
        raise AssertionError(problem) from error
    require(again == method, f"{method} comes back from JSON as {again}; {rule}")
