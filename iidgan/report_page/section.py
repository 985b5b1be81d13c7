"""What sections of a report have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

LICENCE = (
    "The library iidgan: MIT. Whether its samples and weights may be shared depends on the data, "
    "whose licence this report does not know."
)


@dataclass(frozen=True)
class Command:
    """A command, or a script, that does something of a section again.

    Arguments:
        purpose: What it does, in a few words.
        text: The command.
    """

    purpose: str
    text: str


class Section(Protocol):
    """A run or a table, as a section of a report."""

    kind: ClassVar[Literal["run", "table"]]

    @property
    def title(self) -> str:
        """Its heading."""

    def describe(self) -> dict[str, Any]:
        """Return what the template shows, by name.

        Raises:
            InputError: A file is missing, or damaged.
        """
