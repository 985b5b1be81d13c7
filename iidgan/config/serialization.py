"""Conversion of dataclasses to JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from iidgan.config.plugins import check_types_named, get_type_name, resolve_type
from iidgan.core import check_field_types
from iidgan.errors import InputError, unknown_name_error


def encode(value: object, *, include_paths: bool = True) -> Any:  # noqa: ANN401 - JSON
    """Encode a value as JSON, every dataclass with its type name under the key `type`.

    Arguments:
        value: Dataclasses, tuples, lists, numbers and strings, nested in any way.
        include_paths: Whether fields that are marked as paths are encoded.

    Returns:
        Numbers, strings, lists and dicts.

    Raises:
        InputError: Something else is in the value, which a run cannot store.

    Examples:
        >>> from iidgan import GAN
        >>> encode(GAN())
        {'type': 'gan', 'loss': 'non-saturating'}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {
            "type": get_type_name(type(value)),
            **encode_fields(value, include_paths=include_paths),
        }
    if isinstance(value, tuple | list):
        return [encode(item, include_paths=include_paths) for item in value]
    if value is not None and not isinstance(value, bool | int | float | str):
        raise InputError(
            f"type: {type(value).__name__} must be a dataclass, a number, a string or a tuple of "
            "these, as a run stores it"
        )
    return value


def encode_fields(value: Any, *, include_paths: bool = True) -> dict[str, Any]:  # noqa: ANN401
    """Encode the fields of a dataclass, without its type name.

    A field marked `OMIT_IF_DEFAULT` is omitted at its default: runs made before the field was
    introduced keep their ids.

    Arguments:
        value: The dataclass.
        include_paths: Whether fields that are marked as paths are encoded.

    Returns:
        Encoded fields by name.

    Examples:
        >>> from iidgan import CycleTerm
        >>> encode_fields(CycleTerm())  # without `growth`, at its default
        {'weight': 3.0, 'norm': 'l1-sum'}
    """
    encoded_fields: dict[str, Any] = {}
    for field in fields(value):
        field_value = getattr(value, field.name)
        is_omitted_path = field.metadata.get("path") and not include_paths
        is_omitted_default = field.metadata.get("omit_if_default") and field_value == field.default
        if not is_omitted_path and not is_omitted_default:
            typed_value = _convert_integers(field_value, field.type)
            encoded_fields[field.name] = encode(typed_value, include_paths=include_paths)
    return encoded_fields


def _convert_integers(value: Any, declared_type: Any) -> Any:  # noqa: ANN401
    """Convert integers in fields of floats, so that equal runs are encoded equally."""
    if isinstance(value, tuple | list):
        return tuple(_convert_integers(item, declared_type) for item in value)
    return float(value) if type(value) is int and "float" in str(declared_type) else value


def decode_dataclass(
    cls: type,
    encoded_fields: Mapping[str, Any],
    plugin_types: Mapping[str, type],
) -> Any:  # noqa: ANN401 - an object of `cls`
    """Create a dataclass from its encoded fields; nothing is imported.

    Arguments:
        cls: The class.
        encoded_fields: Fields by name, as of `encode_fields`.
        plugin_types: Classes of the caller that fields may use, by type name.

    Returns:
        An object of the class.

    Raises:
        UnnamedPluginError: A type is neither part of the package nor among `plugin_types`.
        InputError: A type or a field is unknown, or a value is invalid.

    Examples:
        >>> from iidgan import R1
        >>> decode_dataclass(R1, {"weight": 0.5}, plugin_types={})
        R1(every=1, weight=0.5, growth=1.0)
    """
    check_types_named(_iterate_type_names(encoded_fields), plugin_types)
    return _decode_fields(cls, encoded_fields, plugin_types)


def _iterate_type_names(encoded: object) -> Iterator[str]:
    if isinstance(encoded, Mapping):
        if isinstance(encoded.get("type"), str):
            yield encoded["type"]
        encoded = list(encoded.values())
    if isinstance(encoded, list):
        for item in encoded:
            yield from _iterate_type_names(item)


def _decode_fields(
    cls: type, encoded_fields: Mapping[str, Any], plugin_types: Mapping[str, type]
) -> Any:  # noqa: ANN401
    field_names = [field.name for field in fields(cls)]
    for name in encoded_fields:
        if name not in field_names:
            raise unknown_name_error(cls.__name__, name, field_names)
    decoded_fields = {
        name: _decode_value(value, plugin_types) for name, value in encoded_fields.items()
    }
    instance = cls(**decoded_fields)
    check_field_types(instance)
    return instance


def _decode_value(value: Any, plugin_types: Mapping[str, type]) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        encoded_fields = dict(value)
        cls = resolve_type(str(encoded_fields.pop("type", "")), plugin_types)
        return _decode_fields(cls, encoded_fields, plugin_types)
    if isinstance(value, list):
        return tuple(_decode_value(item, plugin_types) for item in value)
    return value


def describe_differences(old: Any, new: Any, path: str = "") -> list[str]:  # noqa: ANN401
    """List the fields in which two encoded values differ, with both values.

    Arguments:
        old: Encoded value that was read, called `there`.
        new: Encoded value that is requested, called `here`.
        path: Dotted name of the values.

    Returns:
        One text per field; none if the values are equal.

    Examples:
        >>> describe_differences({"steps": 100, "batch": 64}, {"steps": 200, "batch": 64})
        ['steps (100 there, 200 here)']
    """
    if _is_same_type(old, new):
        field_names = dict.fromkeys([*old, *new])
        value_pairs = [
            (old.get(name, _DEFAULT), new.get(name, _DEFAULT), f"{path}.{name}".lstrip("."))
            for name in field_names
        ]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        value_pairs = [
            (*item_pair, f"{path}[{index}]") for index, item_pair in enumerate(zip(old, new))
        ]
    elif old == new:
        return []
    else:
        return [f"{path} ({_format_value(old)} there, {_format_value(new)} here)"]
    return [text for value_pair in value_pairs for text in describe_differences(*value_pair)]


def _is_same_type(old: object, new: object) -> bool:
    """Whether both are encoded dataclasses of the same type."""
    are_dataclasses = isinstance(old, dict) and isinstance(new, dict)
    return are_dataclasses and old.get("type") == new.get("type")  # type: ignore[attr-defined]


_DEFAULT = object()  # value of a field that `encode` omits


def _format_value(value: Any) -> str:  # noqa: ANN401
    if value is _DEFAULT:
        return "the default"
    return str(value["type"]) if isinstance(value, dict) and "type" in value else json.dumps(value)
