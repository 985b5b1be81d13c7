"""Images in NumPy's files: .npy, and .npz in the layouts of MedMNIST and Keras.

Images are streamed: a header that promises more than the file has allocates nothing.

References:
    MedMNIST v2: A large-scale lightweight benchmark for 2D and 3D biomedical image classification
    (Yang et al., 2023), https://medmnist.com: `train_images`, `train_labels`, `val_images`, ...

    Keras, https://keras.io/api/datasets: `x_train`, `y_train`, `x_test`, `y_test`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from iidgan.data.prepare.archives import (
    FileTree,
    UnreadableError,
    open_file_tree,
    unreadable_errors,
)
from iidgan.data.prepare.reader import ImageStream, RawImage, ReadRequest, escape_unprintable
from iidgan.errors import InputError, unknown_name_error
from iidgan.utils.files import open_regular_file

_SPLIT_WORDS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_IMAGE_WORDS, _LABEL_WORDS = ("images", "x", "data"), ("labels", "y", "targets")
_POSITIONAL_NAMES = ("arr_0", "arr_1")  # of `numpy.savez(file, images, labels)`
_CHANNELS = (1, 3)
_MAX_LABEL_BYTES = 1 << 28


def is_array_file(path: Path) -> bool:
    """Return whether a path is named like one of NumPy's files.

    Arguments:
        path: The path, which may be a folder.
    """
    return path.suffix.lower() in (".npy", ".npz") and not path.is_dir()


@contextmanager
def open_arrays(request: ReadRequest) -> Iterator[ImageStream]:
    """Open the images of one split, with their labels if there are any.

    Arguments:
        request: The file and the split.

    Raises:
        InputError: The file has no such arrays, or they are not images with one label each.
    """
    path = request.existing_path()
    if not path.is_file():
        raise InputError(f"{path}: not a file")
    try:
        if path.suffix.lower() == ".npy":
            _check_no_split(path, request)
            with open_regular_file(path) as file:
                yield _open_stream(path.name, _Array.open(f"{path}", file, path.stat().st_size))
            return
        with open_file_tree(path) as tree:
            image_name, label_name = _choose_arrays(path, tree, request)
            labels = None if label_name is None else _read_labels(path, tree, label_name)
            with tree.open_file(image_name) as file:
                images = _Array.open(f"{path}: {image_name}", file, tree.file_size(image_name))
                yield _open_stream(
                    f"{path.name}, {image_name.removesuffix('.npy')}", images, labels
                )
    except UnreadableError as error:
        raise InputError(f"{path}: {error}") from error


@dataclass(frozen=True)
class _Array:
    """An array whose numbers have not been read yet."""

    location: str
    file: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def open(cls, location: str, file: IO[bytes], num_bytes: int) -> _Array:
        """Read the header of an array, and compare it with the size of the file."""
        try:
            shape, is_fortran_order, dtype = _read_header(file)
        except Exception as error:  # a damaged header raises whatever Python's tokeniser raises
            raise InputError(
                f"{location}: expected an array of NumPy, got another or a damaged file "
                f"({' '.join(str(error).split())[:200]})"
            ) from error
        if dtype.hasobject or is_fortran_order:
            kind = "Python objects" if dtype.hasobject else "numbers in Fortran order"
            raise InputError(
                f"{location}: expected numbers in C order, got {kind}; save it again with "
                "numpy.ascontiguousarray"
            )
        expected_bytes = math.prod(shape) * dtype.itemsize
        actual_bytes = num_bytes - file.tell()
        if actual_bytes != expected_bytes or min(shape, default=0) < 0:
            raise InputError(
                f"{location}: truncated or damaged: expected {expected_bytes} bytes of numbers, "
                f"got {actual_bytes}"
            )
        return cls(location, file, shape, dtype)

    def read_items(self) -> Iterator[NDArray[Any]]:
        """Read the items of the first axis, one after the other."""
        item_shape = self.shape[1:]
        item_bytes = math.prod(item_shape) * self.dtype.itemsize
        for i in range(self.shape[0]):
            with unreadable_errors():
                content = self.file.read(item_bytes)
            if len(content) < item_bytes:
                raise UnreadableError("truncated or damaged", f"item {i} is cut off")
            yield np.frombuffer(content, self.dtype).reshape(item_shape)


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    major_version, _ = npy.read_magic(file)
    if major_version == 1:
        return npy.read_array_header_1_0(file)
    return npy.read_array_header_2_0(file)


def _choose_arrays(path: Path, tree: FileTree, request: ReadRequest) -> tuple[str, str | None]:
    """Choose the arrays of images and labels of the requested split, or the only ones."""
    names = {name.removesuffix(".npy").lower(): name for name in tree.file_names()}
    split = request.split or "train"
    splits = {
        key: words for key, words in _SPLIT_WORDS.items() if _find(names, words, _IMAGE_WORDS)
    }
    if splits:
        words = next((words for words in splits.values() if split in words), None)
        if words is None:
            raise unknown_name_error("split", split, splits)
        image_name, label_name = (
            _find(names, words, kinds) for kinds in (_IMAGE_WORDS, _LABEL_WORDS)
        )
    else:
        _check_no_split(path, request)
        image_name, label_name = _find_unsplit(names)
    if image_name is None:
        raise InputError(
            f"{path}: expected the arrays train_images and train_labels, or x_train and y_train, "
            f"got {escape_unprintable(', '.join(sorted(names)))[:200] or 'none'}"
        )
    return image_name, None if request.labels == "none" else label_name


def _check_no_split(path: Path, request: ReadRequest) -> None:
    if request.split is not None:
        raise InputError(f"split: {path} has no splits, got {request.split!r}; leave it out")


def _find(
    names: Mapping[str, str], split_words: Sequence[str], kinds: Sequence[str]
) -> str | None:
    """Find the array of a split: train_images, x_train, ..."""
    candidates = (
        name
        for word in split_words
        for kind in kinds
        for name in (f"{word}_{kind}", f"{kind}_{word}")
    )
    return next((names[name] for name in candidates if name in names), None)


def _find_unsplit(names: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Find the only array, or those of common names."""
    if len(names) == 1:
        return next(iter(names.values())), None
    first_name, second_name = _POSITIONAL_NAMES
    image_name, label_name = (
        next((names[kind] for kind in kinds if kind in names), None)
        for kinds in ((*_IMAGE_WORDS, first_name), (*_LABEL_WORDS, second_name))
    )
    return image_name, label_name


def _read_labels(path: Path, tree: FileTree, name: str) -> list[int | str | None]:
    """Read one label per image; an empty word is a missing label."""
    content = io.BytesIO(tree.read_file(name, _MAX_LABEL_BYTES))
    array = _Array.open(f"{path}: {name}", content, len(content.getbuffer()))
    is_per_image = len(array.shape) == 1 or (len(array.shape) == 2 and array.shape[1] == 1)
    num_bytes = math.prod(array.shape) * array.dtype.itemsize
    if not is_per_image or array.dtype.kind not in "iubU" or not num_bytes:
        raise InputError(
            f"labels: {path}: {name}: expected one integer or word per image, got {array.dtype} "
            f"of shape {array.shape}; use --labels none"
        )
    values = np.frombuffer(content.read(), array.dtype)
    labels = values.astype(np.int64) if array.dtype.kind == "b" else values
    return [None if label == "" else label for label in labels.tolist()]


def _open_stream(
    description: str, images: _Array, labels: Sequence[int | str | None] | None = None
) -> ImageStream:
    """Stream images of shape (N, H, W), with one or three channels after or before H and W."""
    shape = images.shape
    is_grey = len(shape) == 3
    has_last_channels = len(shape) == 4 and shape[3] in _CHANNELS
    has_first_channels = len(shape) == 4 and shape[1] in _CHANNELS and not has_last_channels
    if not (is_grey or has_last_channels or has_first_channels) or not math.prod(shape):
        raise InputError(
            f"{images.location}: expected images of shape (N, H, W), (N, H, W, 1 or 3) or "
            f"(N, 1 or 3, H, W), got {shape}"
        )
    if images.dtype.kind not in "biuf":
        raise InputError(f"{images.location}: expected numbers, got {images.dtype}")
    if labels is not None and len(labels) != shape[0]:
        raise InputError(
            f"{images.location}: expected one label for each of {shape[0]} images, got "
            f"{len(labels)}; use --labels none"
        )
    return ImageStream(
        description=description,
        num_images=shape[0],
        has_labels=labels is not None,
        images=_iterate_images(images, labels, has_first_channels),
    )


def _iterate_images(
    images: _Array, labels: Sequence[int | str | None] | None, has_first_channels: bool
) -> Iterator[RawImage]:
    for i, values in enumerate(images.read_items()):
        pixels = np.moveaxis(values, 0, -1) if has_first_channels else values
        if pixels.ndim == 3 and pixels.shape[2] == 1:
            pixels = pixels[..., 0]
        label = None if labels is None else labels[i]
        yield RawImage(f"image {i}", np.ascontiguousarray(pixels), label)
