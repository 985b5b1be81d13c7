"""Dataclasses to JSON and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from iidgan.config.registry import class_of, name_of
from iidgan.errors import unknown


def encode(value: object, *, include_paths: bool = True) -> Any:  # noqa: ANN401 - JSON
    """Encode a value as JSON, every dataclass with its type name under the key `type`.

    Arguments:
        value: Dataclasses, tuples, lists, numbers and strings, nested in any way.
        include_paths: Whether fields that are marked as paths are encoded.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": name_of(type(value)), **encode_fields(value, include_paths=include_paths)}
    if isinstance(value, tuple | list):
        return [encode(item, include_paths=include_paths) for item in value]
    return value


def encode_fields(value: Any, *, include_paths: bool = True) -> dict[str, Any]:  # noqa: ANN401
    """Encode the fields of a dataclass, without its type name.

    A field marked `OMIT_IF_DEFAULT` is left out at its default: runs made before the field was
    introduced keep their ids.
    """
    encoded_fields = [
        field
        for field in fields(value)
        if (include_paths or not field.metadata.get("path"))
        and not (
            field.metadata.get("omit_if_default") and getattr(value, field.name) == field.default
        )
    ]
    return {
        field.name: encode(
            _as_declared(getattr(value, field.name), field.type), include_paths=include_paths
        )
        for field in encoded_fields
    }


def _as_declared(value: Any, kind: Any) -> Any:  # noqa: ANN401
    """Makes whole numbers floats where those are declared: equal runs are written alike."""
    if isinstance(value, tuple | list):
        return tuple(_as_declared(item, kind) for item in value)
    return float(value) if type(value) is int and "float" in str(kind) else value


def build_dataclass(made: type, data: Mapping[str, Any]) -> Any:  # noqa: ANN401
    known = [f.name for f in fields(made)]
    for name in data:
        if name not in known:
            raise unknown(f"{made.__name__}", name, known)
    return made(**{name: _decode(value) for name, value in data.items()})


def _decode(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        data = dict(value)
        return build_dataclass(class_of(str(data.pop("type", ""))), data)
    if isinstance(value, list):
        return tuple(_decode(item) for item in value)
    return value


def difference(old: Any, new: Any, name: str = "") -> list[str]:  # noqa: ANN401
    """Names the fields in which two encoded values differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict) and old.get("type") == new.get("type"):
        keys = [*old, *(key for key in new if key not in old)]
        inside = (
            difference(old.get(k, _DEFAULT), new.get(k, _DEFAULT), f"{name}.{k}".lstrip("."))
            for k in keys
        )
        return [line for lines in inside for line in lines]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        inside = (difference(o, n, f"{name}[{i}]") for i, (o, n) in enumerate(zip(old, new)))
        return [line for lines in inside for line in lines]
    return [] if old == new else [f"{name} ({_short(old)} there, {_short(new)} here)"]


_DEFAULT = object()  # of a field that `encode` leaves out


def _short(value: Any) -> str:  # noqa: ANN401
    if value is _DEFAULT:
        return "the default"
    return str(value["type"]) if isinstance(value, dict) and "type" in value else json.dumps(value)
