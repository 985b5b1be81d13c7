"""STL-10 in its binary files: images of 96 pixels, which are streamed.

References:
    An Analysis of Single-Layer Networks in Unsupervised Feature Learning (Coates, Lee and Ng,
    2011), https://cs.stanford.edu/~acoates/stl10: the data and the format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO

import numpy as np

from iidgan.data.prepare.archives import (
    FileTree,
    UnreadableError,
    open_file_tree,
    unreadable_errors,
)
from iidgan.data.prepare.reader import ImageStream, RawImage, ReadRequest
from iidgan.data.prepare.readers.published_files import STL10_FILES, stream_md5
from iidgan.errors import InputError

_SIDE = 96
_IMAGE_BYTES = 3 * _SIDE**2


@contextmanager
def open_stl10(request: ReadRequest) -> Iterator[ImageStream]:
    """Open the unlabelled images, or those for training or testing with their labels.

    Arguments:
        request: The files, and the split.

    Raises:
        InputError: The files are missing or incomplete.
    """
    path, split = request.existing_path(), request.split or "unlabeled"
    with open_file_tree(path) as tree:
        full_names = {PurePosixPath(name).name: name for name in tree.file_names()}
        if (image_file := f"{split}_X.bin") not in full_names:
            raise InputError(f"{path}: contains no {image_file}")
        try:
            labels, class_names = _read_labels(tree, full_names, split)
            num_bytes = tree.file_size(full_names[image_file])
            _check_size(f"{path}: {image_file}", num_bytes, labels)
            num_images = num_bytes // _IMAGE_BYTES
            names = [name for name in (image_file, f"{split}_y.bin") if name in full_names]
            note = STL10_FILES.describe_difference(
                path, names, lambda name: _compute_md5(tree, full_names[name])
            )
            with tree.open_file(full_names[image_file]) as file:
                yield ImageStream(
                    description=f"{path.name}, {split}",
                    num_images=num_images,
                    has_labels=labels is not None,
                    class_names=class_names,
                    images=_iterate_images(file, num_images, labels),
                    note=note,
                )
        except UnreadableError as error:
            raise InputError(f"{path}: {error}") from error


def _compute_md5(tree: FileTree, full_name: str) -> str:
    with unreadable_errors(), tree.open_file(full_name) as file:
        return stream_md5(file)


def _read_labels(
    tree: FileTree, full_names: Mapping[str, str], split: str
) -> tuple[list[int] | None, tuple[str, ...]]:
    """Read the labels, counted from 0, and their names, if these files exist."""
    if (label_file := f"{split}_y.bin") not in full_names:
        return None, ()
    labels = [label - 1 for label in tree.read_file(full_names[label_file])]
    if "class_names.txt" not in full_names:
        return labels, ()
    return labels, tuple(tree.read_file(full_names["class_names.txt"]).decode("utf-8").split())


def _check_size(location: str, num_bytes: int, labels: Sequence[int] | None) -> None:
    if labels is not None and num_bytes != len(labels) * _IMAGE_BYTES:
        raise InputError(
            f"{location}: size must be {len(labels)} images of {_IMAGE_BYTES} bytes, one per "
            f"label, got {num_bytes} bytes"
        )
    if not num_bytes or num_bytes % _IMAGE_BYTES:
        raise InputError(
            f"{location}: size must be a multiple of {_IMAGE_BYTES} bytes, got {num_bytes}"
        )


def _iterate_images(
    file: IO[bytes], num_images: int, labels: Sequence[int] | None
) -> Iterator[RawImage]:
    for i in range(num_images):
        with unreadable_errors():
            content = file.read(_IMAGE_BYTES)
        if len(content) < _IMAGE_BYTES:
            raise UnreadableError("truncated or damaged", f"image {i} is cut off")
        columns = np.frombuffer(content, np.uint8).reshape(3, _SIDE, _SIDE)  # channel, x, y
        pixels = np.ascontiguousarray(columns.transpose(2, 1, 0))
        yield RawImage(f"image {i}", pixels, None if labels is None else labels[i])
