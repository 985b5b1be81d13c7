"""Interface of readers: a stream of raw images in one format, and what a reader is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iidgan.errors import InputError
from iidgan.utils.files import oserror_as_input_error, require_regular_file

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class RawImage:
    """One image before it is decoded and resized.

    Arguments:
        name: Its location, by which a person can find it.
        content: Bytes of an image file, or pixels of shape (H, W) or (H, W, 3): bytes, or numbers
            that are scaled as those of files of more than 8 bits.
        label: Its label: an index into `ImageStream.class_names` or, if that is empty, a name or a
            number; None if it has no label.
    """

    name: str
    content: bytes | NDArray[Any]
    label: int | str | None = None

    @property
    def num_bytes(self) -> int:
        """Bytes of the content."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.nbytes


def escape_unprintable(text: str) -> str:
    r"""Escape characters that a terminal would not print, or would interpret, as Python does.

    Arguments:
        text: Text from a file that may be untrusted.

    Examples:
        >>> print(escape_unprintable("red\x1b[31m.png"))
        red\x1b[31m.png
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@dataclass(frozen=True)
class SkippedImage:
    """One image that is left out of the data set.

    Arguments:
        name: Its location.
        reason: Why, in words that it shares with other images.
        detail: More about this image.
    """

    name: str
    reason: str
    detail: str = ""

    @property
    def example(self) -> str:
        """The file and the detail, for messages that name the reason already."""
        return f"{escape_unprintable(self.name)}{self._detail_suffix}"

    @property
    def _detail_suffix(self) -> str:
        detail = " ".join(self.detail.split())
        return f" ({detail})" if detail else ""

    def __str__(self) -> str:
        return f"{escape_unprintable(self.name)}: {self.reason}{self._detail_suffix}"


@dataclass(frozen=True, kw_only=True)
class ReadRequest:
    """What a reader is asked for.

    Arguments:
        path: File or folder to read; None: the default location of the format.
        hub_id: Id of a data set on the Hub, to read instead.
        revision: Branch, tag or commit of the data set on the Hub; None: its main branch.
        config: Configuration of a data set on the Hub; None: its only one.
        split: Part of the data set; None: the default one.
        labels: `none`, `folders` or the path of a CSV file; None: automatic.
        image_column: Column of a table that has the images; None: automatic.
        label_column: Column of a table that has the labels; None: automatic.
    """

    path: Path | None
    hub_id: str | None = None
    revision: str | None = None
    config: str | None = None
    split: str | None = None
    labels: str | None = None
    image_column: str | None = None
    label_column: str | None = None

    def existing_path(self) -> Path:
        """Return the path.

        Raises:
            InputError: The path is None, nothing exists there, or it is neither a folder nor a
                regular file.
        """
        if self.path is None:
            raise InputError("from: missing; name a file or a folder")
        if not self.path.exists():
            raise InputError(f"from: {self.path} does not exist")
        if not self.path.is_dir():
            with oserror_as_input_error(self.path):
                require_regular_file(self.path)
        return self.path


@dataclass(frozen=True, kw_only=True)
class ImageStream:
    """An open data set, whose images are read one after the other.

    Arguments:
        description: What is read, in words.
        num_images: Number of images, including those that will be skipped; None if unknown.
        has_labels: Whether images have labels.
        images: The images, each at most once, always in the same order.
        class_names: Names of the labels, in order; empty: labels are names themselves.
        note: What a user should know of the files.
        revision: Commit of the data set on the Hub; empty for other files.
    """

    description: str
    num_images: int | None
    has_labels: bool
    images: Iterator[RawImage | SkippedImage]
    class_names: tuple[str, ...] = ()
    note: str = ""
    revision: str = ""


Reader = Callable[[ReadRequest], AbstractContextManager[ImageStream]]
"""Opens a data set in one format; files are closed with the context."""
