"""Publications that methods, terms and metrics implement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A publication, as printed by `iidgan cite`."""

    title: str
    authors: str
    year: int
    url: str
    note: str = ""
    """Further remarks for readers, such as additions of this library."""


def cites(reference: Reference) -> Callable[[T], T]:
    """Decorate a class or factory with the publication that it implements."""

    def attach_reference(class_or_factory: T) -> T:
        class_or_factory.reference = reference  # type: ignore[attr-defined]
        return class_or_factory

    return attach_reference
