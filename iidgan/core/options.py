"""Metadata that fields of runs, sources, methods and terms carry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OMIT_IF_DEFAULT: Mapping[str, bool] = MappingProxyType({"omit_if_default": True})
"""Of a field that was introduced after runs had been published: at its default it is left out of
a run's id, so that those runs keep theirs."""

IS_PATH: Mapping[str, bool] = MappingProxyType({"path": True})
"""Of a field that names a file or folder: where data lie changes no number, and so no id."""
