"""Where a method, a term or a metric comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A publication: what `iidgan cite` prints."""

    title: str
    authors: str
    year: int
    url: str
    note: str = ""
    """What else a reader should know, such as what is this library's."""


def cites(reference: Reference) -> Callable[[T], T]:
    """Decorates a class or factory with the publication that it implements."""

    def mark(thing: T) -> T:
        thing.reference = reference  # type: ignore[attr-defined]
        return thing

    return mark
