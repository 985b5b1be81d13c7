"""Streaming writer of the arrays of a data set, in constant memory."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from iidgan.data.manifest import IMAGES_FILE, LABELS_FILE
from iidgan.data.prepare.decode import ConvertedImages
from iidgan.data.prepare.reader import Pixels
from iidgan.errors import InputError

_BLOCK_BYTES = 1 << 24


class DatasetWriter:
    """Appends images to `images.npy`, in one channel until the first image with colours.

    Files are written, not mapped: on a full disk a write fails with an error, while access to a
    mapped file kills the process.

    Arguments:
        folder: Folder of the arrays.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.count, self.shape = 0, (0, 0, 0)
        self._labels: list[int | str | None] = []
        self._file = (folder / IMAGES_FILE).open("w+b")

    def add_images(self, converted: ConvertedImages) -> None:
        """Append images.

        Arguments:
            converted: The images, with their labels.

        Raises:
            InputError: An image has another size than the first one.
        """
        for pixels in converted.pixels:
            self._add_image(pixels)
        self._labels += converted.labels

    def _add_image(self, pixels: Pixels) -> None:
        if not self.count:
            self.shape = (pixels.shape[0], pixels.shape[1], pixels.shape[2])
            self._file.write(_encode_header(0, self.shape))
        if pixels.shape[0] > self.shape[0]:
            self._convert_to_rgb()
        if pixels.shape[1:] != self.shape[1:]:
            raise InputError(
                f"size: images have {self.shape[1:]} and {pixels.shape[1:]} pixels; "
                "choose one size with --size"
            )
        if pixels.shape[0] < self.shape[0]:
            pixels = pixels.repeat(self.shape[0], 0)
        self._file.write(pixels.tobytes())
        self.count += 1

    def _convert_to_rgb(self) -> None:
        """Rewrite all grey images with three equal channels."""
        grey_file, side = self._file, self.shape[1:]
        rgb_path = self._folder / f"{IMAGES_FILE}.wide"
        self._file = rgb_file = rgb_path.open("w+b")
        self.shape = (3, *side)
        with grey_file:
            rgb_file.write(_encode_header(0, self.shape))
            grey_file.seek(len(_encode_header(0, self.shape)))
            num_pixels = side[0] * side[1]
            while block := grey_file.read(max(1, _BLOCK_BYTES // num_pixels) * num_pixels):
                images = np.frombuffer(block, np.uint8).reshape(-1, 1, num_pixels)
                rgb_file.write(images.repeat(3, 1).tobytes())
        rgb_path.replace(self._folder / IMAGES_FILE)

    def finish(self) -> None:
        """Write the final number of images into the header."""
        self._file.seek(0)
        self._file.write(_encode_header(self.count, self.shape))
        self.close()

    def close(self) -> None:
        """Close the file, finished or not."""
        self._file.close()

    def write_labels(
        self, class_names: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Write `labels.npy`.

        Arguments:
            class_names: Names of labels that are indices; empty: each label is its own name.

        Returns:
            The names of the labels, and the number of images of each label.

        Raises:
            InputError: An index has no name.
        """
        labels = self._labels
        if class_names:
            unnamed = [label for label in labels if label not in range(len(class_names))]
            if unnamed:
                raise InputError(
                    f"labels: must be between 0 and {len(class_names) - 1}, got {unnamed[0]}"
                )
        else:
            labels = [str(label) for label in labels]
            class_names = tuple(sorted({*map(str, labels)}, key=_natural_key))
        class_index: dict[int | str | None, int] = {name: i for i, name in enumerate(class_names)}
        y = np.array([class_index.get(label, label) for label in labels], dtype=np.int64)
        np.save(self._folder / LABELS_FILE, y, allow_pickle=False)
        counts = Counter(y.tolist())
        return class_names, tuple(counts[i] for i in range(len(class_names)))


def _natural_key(name: str) -> tuple[bool, int, str]:
    """Sort key: numbers by value, before words."""
    is_number = name.isascii() and name.isdigit()
    return not is_number, len(name.lstrip("0")) if is_number else 0, name


def _encode_header(count: int, shape: tuple[int, int, int]) -> bytes:
    """Encode the header of an array; NumPy reserves space in it for a count of any length."""
    file = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
    npy.write_array_header_1_0(file, fields)
    return file.getvalue()
