"""STL-10 in its binary files: images of 96 pixels, read one after the other.

References:
    An Analysis of Single-Layer Networks in Unsupervised Feature Learning (Coates, Lee and Ng,
    2011), https://cs.stanford.edu/~acoates/stl10: the data and the format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO

import numpy as np

from iidgan.data.prepare.archives import UnreadableError, opened, reading
from iidgan.data.prepare.reader import Item, Reading, Wanted
from iidgan.errors import InputError

_SIDE = 96
_BYTES = 3 * _SIDE**2


@contextmanager
def stl(wanted: Wanted) -> Iterator[Reading]:
    """Opens the unlabelled images, or those for training or testing with their labels.

    Raises:
        InputError: The files are not there, or not whole.
    """
    path, split = wanted.place(), wanted.split or "unlabeled"
    with opened(path) as tree:
        names = {PurePosixPath(name).name: name for name in tree.names()}
        if (images := f"{split}_X.bin") not in names:
            raise InputError(f"{path}: has no {images}")
        labels: list[int] | None = None
        classes: tuple[str, ...] = ()
        try:
            if (name := f"{split}_y.bin") in names:
                labels = [label - 1 for label in tree.read(names[name])]
            if labels is not None and "class_names.txt" in names:
                classes = tuple(tree.read(names["class_names.txt"]).decode("utf-8").split())
            size = tree.size(names[images])
            if not size or size % _BYTES or (labels is not None and size != len(labels) * _BYTES):
                wanted_number = "a number of" if labels is None else f"{len(labels)}"
                raise InputError(
                    f"{path}: {images} has {size} bytes, not {wanted_number} images of {_BYTES}"
                )
            with tree.open(names[images]) as file:
                yield Reading(
                    source=f"{path.name}, {split}",
                    total=size // _BYTES,
                    labelled=labels is not None,
                    classes=classes,
                    items=_items(file, size // _BYTES, labels),
                )
        except UnreadableError as error:
            raise InputError(f"{path}: {error}") from error


def _items(file: IO[bytes], total: int, labels: Sequence[int] | None) -> Iterator[Item]:
    for i in range(total):
        with reading():
            content = file.read(_BYTES)
        if len(content) < _BYTES:
            raise UnreadableError("truncated or damaged", f"image {i} is cut off")
        columns = np.frombuffer(content, np.uint8).reshape(3, _SIDE, _SIDE)  # channel, x, y
        pixels = np.ascontiguousarray(columns.transpose(2, 1, 0))
        yield Item(f"image {i}", pixels, None if labels is None else labels[i])
