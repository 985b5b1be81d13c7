"""Labels of images by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath


@dataclass(frozen=True)
class ImageLabels:
    """Labels of images.

    Arguments:
        label_of: Returns the label of an image by its name, None if it has no label; None: the
            data set has no labels.
        note: What a user should know of their origin.
    """

    label_of: Callable[[str], str | None] | None
    note: str = ""


def common_folder(names: Sequence[str]) -> str:
    """Return the folders that all names start with, including a final `/`.

    Arguments:
        names: Paths of files, with `/` between folders; at least one.

    Examples:
        >>> common_folder(["train/cat/1.png", "train/dog/2.png"])
        'train/'
    """
    folders = [PurePosixPath(name).parts[:-1] for name in (min(names), max(names))]
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(*folders))
    return "".join(f"{folder}/" for folder, _ in shared)
