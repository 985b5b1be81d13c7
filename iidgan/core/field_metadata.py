"""Metadata of dataclass fields of runs, sources, methods and terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

OMIT_IF_DEFAULT: Mapping[str, bool] = MappingProxyType({"omit_if_default": True})
"""Marks a field that was added after runs had been published: at its default value it is left out
of a run's id, so that the ids of those runs stay valid."""

IS_PATH: Mapping[str, bool] = MappingProxyType({"path": True})
"""Marks a field that names a file or folder: the location of data is not part of a run's id."""


def list_path_fields(value: Any) -> list[str]:  # noqa: ANN401 - any dataclass
    """List the fields of a dataclass that name a file or folder.

    Arguments:
        value: A dataclass, such as a source.

    Returns:
        Names of the fields that are marked with `IS_PATH`.

    Examples:
        >>> from iidgan import Mnist
        >>> list_path_fields(Mnist())
        ['root']
    """
    return [field.name for field in fields(value) if field.metadata.get("path")]
