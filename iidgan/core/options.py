"""What fields of runs, methods and terms say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LATER: Mapping[str, bool] = MappingProxyType({"later": True})
"""Metadata of an option that came after runs had been made without it: where it has its default it
is left out of a run's id, so that those runs keep theirs."""
