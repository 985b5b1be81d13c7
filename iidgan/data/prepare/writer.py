"""The arrays of a set, written as they come: no more memory than one block, whatever the size."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from iidgan.data.manifest import IMAGES, LABELS
from iidgan.data.prepare.decode import Converted
from iidgan.data.prepare.reader import Pixels
from iidgan.errors import InputError

_BLOCK = 1 << 24


class Writer:
    """Appends images to `images.npy`, in one channel until the first that has colours.

    Plain writing tells of a full disk; writing to a mapped file would end the process.

    Arguments:
        folder: Where the arrays go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.count, self.shape = 0, (0, 0, 0)
        self._labels: list[int | str | None] = []
        self._file = (folder / IMAGES).open("w+b")

    def add(self, found: Converted) -> None:
        """Appends images.

        Raises:
            InputError: One has another size than the first.
        """
        for pixels in found.pixels:
            self._add(pixels)
        self._labels += found.labels

    def _add(self, pixels: Pixels) -> None:
        if not self.count:
            self.shape = (pixels.shape[0], pixels.shape[1], pixels.shape[2])
            self._file.write(_header(0, self.shape))
        if pixels.shape[0] > self.shape[0]:
            self._widen()
        if pixels.shape[1:] != self.shape[1:]:
            raise InputError(
                f"size: images of {pixels.shape[1:]} and of {self.shape[1:]} pixels; name one size"
            )
        full = pixels if pixels.shape[0] == self.shape[0] else pixels.repeat(self.shape[0], 0)
        self._file.write(full.tobytes())
        self.count += 1

    def _widen(self) -> None:
        """Gives three equal channels to the grey images so far."""
        grey, side, place = self._file, self.shape[1:], self._folder / f"{IMAGES}.wide"
        self._file = wide = place.open("w+b")
        self.shape = (3, *side)
        with grey:
            wide.write(_header(0, self.shape))
            grey.seek(len(_header(0, self.shape)))
            size = side[0] * side[1]
            while block := grey.read(max(1, _BLOCK // size) * size):
                images = np.frombuffer(block, np.uint8).reshape(-1, 1, size)
                wide.write(images.repeat(3, 1).tobytes())
        place.replace(self._folder / IMAGES)

    def finish(self) -> None:
        """Writes down how many there are."""
        self._file.seek(0)
        self._file.write(_header(self.count, self.shape))
        self.close()

    def close(self) -> None:
        self._file.close()

    def write_labels(self, classes: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Writes `labels.npy`; gives the names of the labels, and how many images have each.

        Arguments:
            classes: Names of labels that are positions; none: each label is its own name.

        Raises:
            InputError: A position has no name.
        """
        found = self._labels
        if classes:
            wrong = [label for label in found if label not in range(len(classes))]
            if wrong:
                raise InputError(f"labels: {wrong[0]} has no name; known: 0 to {len(classes) - 1}")
        else:
            found = [str(label) for label in found]
            classes = tuple(sorted({*map(str, found)}, key=_natural))
        position: dict[int | str | None, int] = {name: i for i, name in enumerate(classes)}
        y = np.array([position.get(label, label) for label in found], dtype=np.int64)
        np.save(self._folder / LABELS, y, allow_pickle=False)
        counts = Counter(y.tolist())
        return classes, tuple(counts[i] for i in range(len(classes)))


def _natural(name: str) -> tuple[bool, int, str]:
    """Orders numbers by value, before words."""
    number = name.isascii() and name.isdigit()
    return not number, len(name.lstrip("0")) if number else 0, name


def _header(count: int, shape: tuple[int, int, int]) -> bytes:
    """Makes the header of an array; NumPy leaves room in it for a count of any length."""
    file = io.BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
    npy.write_array_header_1_0(file, facts)
    return file.getvalue()
