"""What a format gives: images one after the other, and how many there are to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from iidgan.errors import InputError

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Item:
    """One image.

    Arguments:
        name: Where it is from, as a person would look for it.
        content: Bytes of an image file, or pixels of shape (H, W) or (H, W, 3).
        label: Its label: a position among `Reading.classes`, or if that is empty a name or a
            number; None if it has none.
    """

    name: str
    content: bytes | Pixels
    label: int | str | None = None

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.nbytes


def printable(text: str) -> str:
    """Writes what a terminal would not print, or obey, as Python does."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@dataclass(frozen=True)
class Skip:
    """One image that is left out.

    Arguments:
        name: Where it is from.
        reason: Why, in words that it shares with others.
        detail: What else is known.
    """

    name: str
    reason: str
    detail: str = ""

    @property
    def example(self) -> str:
        """Names the file, and the detail if there is one, beside a reason that is told already."""
        return f"{printable(self.name)}{self._aside}"

    @property
    def _aside(self) -> str:
        detail = " ".join(self.detail.split())
        return f" ({detail})" if detail else ""

    def __str__(self) -> str:
        return f"{printable(self.name)}: {self.reason}{self._aside}"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a reader is asked for.

    Arguments:
        path: File or folder to read; None: where the format itself knows to look.
        hub: Id of a data set on the Hub, to read instead.
        config: Configuration of a data set on the Hub; None: its only one.
        split: Part of the set; None: the usual one.
        labels: `none`, `folders` or the path of a CSV file; None: as the files suggest.
    """

    path: Path | None
    hub: str | None = None
    config: str | None = None
    split: str | None = None
    labels: str | None = None

    def place(self) -> Path:
        """Gives the path.

        Raises:
            InputError: There is none, or nothing is there.
        """
        if self.path is None:
            raise InputError("from: missing; name a file or a folder")
        if not self.path.exists():
            raise InputError(f"from: {self.path} does not exist")
        return self.path


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An opened set.

    Arguments:
        source: What it is, in words.
        total: Number of images to come, those that will be left out among them; None if unknown.
        labelled: Whether images have labels.
        classes: Names of the labels, in order; empty: labels are names themselves.
        items: The images, each at most once, in an order that is always the same.
        note: What a user should know of the files.
    """

    source: str
    total: int | None
    labelled: bool
    items: Iterator[Item | Skip]
    classes: tuple[str, ...] = ()
    note: str = ""


Reader = Callable[[Wanted], AbstractContextManager[Reading]]
"""What opens a set in one format; what it holds open is closed with the context."""
