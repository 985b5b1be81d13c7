"""Checks that the fields of runs, sources, methods, ... have the types that they declare."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from iidgan.errors import InputError, unknown_name_error, wrong_type_error


class TypedFields:
    """Base class of dataclasses whose fields are checked before their own `__post_init__`.

    So `__post_init__` can compare numbers with numbers. A field that is declared as an integer
    must be one; floats may be integers, and tuples may be lists. Types that cannot be told at run
    time, such as those of callables, are not checked.

    Examples:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Options(TypedFields):
        ...     size: int = 1
        >>> Options(size="3")
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: size: must be an int, got '3'
    """

    def __init_subclass__(cls, **options: Any) -> None:  # noqa: ANN401 - as of `type`
        super().__init_subclass__(**options)
        if "__post_init__" in vars(cls):
            setattr(cls, "__post_init__", _after_type_check(cls.__post_init__))  # noqa: B010

    def __post_init__(self) -> None:
        check_field_types(self)


def _after_type_check(post_init: Callable[..., None]) -> Callable[..., None]:
    @wraps(post_init)
    def check_and_post_init(self: object, *arguments: object) -> None:
        check_field_types(self)
        post_init(self, *arguments)

    return check_and_post_init


def check_field_types(instance: Any) -> None:  # noqa: ANN401 - any dataclass
    """Check that the fields of a dataclass have the types that they declare.

    Arguments:
        instance: The dataclass; anything else has no fields to check.

    Raises:
        InputError: A field has another type, or is not one of the values of a `Literal`.
    """
    cls: type = type(instance)
    if not is_dataclass(cls):
        return
    declared_types = _collect_types(cls)
    for field in fields(instance):
        value, declared_type = getattr(instance, field.name), declared_types.get(field.name, Any)
        if not _has_type(value, declared_type):
            raise _create_error(field.name, declared_type, value)


@cache
def _collect_types(cls: type) -> dict[str, Any]:
    """Collect the annotations of a class and of its bases, as far as they can be evaluated."""
    declared_types: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        try:
            declared_types |= inspect.get_annotations(base, eval_str=True)
        except Exception:  # of a user's module, with names for type checkers only
            declared_types |= dict.fromkeys(inspect.get_annotations(base), Any)
    return declared_types


def _has_type(value: object, declared_type: Any) -> bool:  # noqa: ANN401 - a type or a special form
    origin, arguments = get_origin(declared_type), get_args(declared_type)
    if origin in (Union, UnionType):
        return any(_has_type(value, alternative) for alternative in arguments)
    if origin is Literal:
        return any(type(value) is type(choice) and value == choice for choice in arguments)
    if origin is tuple:
        return isinstance(value, tuple | list) and _have_types(value, arguments)
    if declared_type in (int, float):
        number_type = int if declared_type is int else int | float
        return isinstance(value, number_type) and not isinstance(value, bool)
    if declared_type is None:
        return value is None
    return not _is_checkable(declared_type) or isinstance(value, declared_type)


def _have_types(values: tuple[object, ...] | list[object], item_types: tuple[Any, ...]) -> bool:
    if item_types[1:] == (...,):
        item_types = item_types[:1] * len(values)
    return len(values) == len(item_types) and all(map(_has_type, values, item_types))


def _is_checkable(declared_type: object) -> bool:
    if declared_type is Any or getattr(declared_type, "_is_protocol", False):
        return False
    return isinstance(declared_type, type) and get_origin(declared_type) is None


def _create_error(field: str, declared_type: Any, value: object) -> InputError:  # noqa: ANN401
    choices = get_args(declared_type)
    if get_origin(declared_type) is Literal and all(isinstance(name, str) for name in choices):
        return unknown_name_error(field, value, choices)
    if _is_sequence_of_literals(declared_type) and isinstance(value, tuple | list):
        wrong_item = next(item for item in value if not _has_type(item, choices[0]))
        return _create_error(field, choices[0], wrong_item)
    return wrong_type_error(field, _describe_type(declared_type), value)


def _is_sequence_of_literals(declared_type: Any) -> bool:  # noqa: ANN401
    arguments = get_args(declared_type)
    return get_origin(declared_type) is tuple and (
        get_origin(arguments[0]) is Literal and arguments[1:] == (...,)
    )


def _describe_type(declared_type: Any) -> str:  # noqa: ANN401
    """Describe a type for a message, such as `an int or None`."""
    origin, arguments = get_origin(declared_type), get_args(declared_type)
    if origin in (Union, UnionType):
        return " or ".join(map(_describe_type, arguments))
    if origin is Literal:
        return f"one of {', '.join(map(repr, arguments))}"
    name = _name_type(declared_type)
    article = "an" if name[0] in "AEIOUaeiou" else "a"
    return name if name == "None" else f"{article} {name}"


def _name_type(declared_type: Any) -> str:  # noqa: ANN401
    if declared_type is ...:
        return "..."
    if declared_type in (None, NoneType):
        return "None"
    if item_types := get_args(declared_type):
        return f"tuple[{', '.join(map(_name_type, item_types))}]"
    return getattr(declared_type, "__name__", str(declared_type))
