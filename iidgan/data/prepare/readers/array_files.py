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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from iidgan.data.array_files import ARRAY_NAME
from iidgan.data.prepare.archives import (
    FileTree,
    UnreadableError,
    open_file_tree,
    unreadable_errors,
)
from iidgan.data.prepare.reader import ImageStream, RawImage, ReadRequest, escape_unprintable
from iidgan.errors import InputError, unknown_name_error
from iidgan.utils.files import open_regular_file, oserror_as_input_error

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
    if path.suffix.lower() == ".npy":
        _check_no_split(path, request)
        with _open_npy(path) as images:
            yield _open_stream(path.name, images)
        return
    with _unreadable_as_input_error(path), open_file_tree(path) as tree:
        image_name, label_name = _choose_arrays(path, tree, request)
        labels = None if label_name is None else _read_labels(path, tree, label_name)
        with _open_member(path, tree, image_name) as images:
            yield _open_stream(f"{path.name}, {image_name.removesuffix('.npy')}", images, labels)


@contextmanager
def open_stored_array(path: Path) -> Iterator[StoredArray]:
    """Open the array of samples in a file: the one named x, or the one that `open_arrays` reads.

    Arguments:
        path: A .npy or .npz file.

    Raises:
        InputError: The file cannot be read, or has no such array of numbers in C order.
    """
    with _unreadable_as_input_error(path), oserror_as_input_error(path):
        if path.suffix.lower() == ".npy":
            with _open_npy(path) as array:
                yield array
            return
        with (
            open_file_tree(path) as tree,
            _open_member(path, tree, _choose_samples(path, tree)) as array,
        ):
            yield array


def read_array_shape(path: Path) -> tuple[int, ...]:
    """Read the shape of the array that `open_stored_array` opens, whatever its numbers are.

    Arguments:
        path: A .npy or .npz file.

    Raises:
        InputError: The file cannot be read, or has no such array.
    """
    with _unreadable_as_input_error(path), oserror_as_input_error(path):
        if path.suffix.lower() == ".npy":
            with open_regular_file(path) as file:
                return _read_header(f"{path}", file)[0]
        with open_file_tree(path) as tree:
            name = _choose_samples(path, tree)
            with tree.open_file(name) as file:
                return _read_header(_member_location(path, name), file)[0]


@contextmanager
def _unreadable_as_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except UnreadableError as error:
        raise InputError(f"{path}: {error}") from error


@contextmanager
def _open_npy(path: Path) -> Iterator[StoredArray]:
    with open_regular_file(path) as file:
        yield StoredArray.open(f"{path}", file, path.stat().st_size)


@contextmanager
def _open_member(path: Path, tree: FileTree, name: str) -> Iterator[StoredArray]:
    with tree.open_file(name) as file:
        yield StoredArray.open(_member_location(path, name), file, tree.file_size(name))


def _member_location(path: Path, name: str) -> str:
    return f"{path}: {escape_unprintable(name)}"


@dataclass(frozen=True)
class StoredArray:
    """An array in an open file, whose numbers have not been read yet.

    Arguments:
        location: Its file, and its name in an archive.
        file: The file, opened for reading.
        shape: Shape of the array.
        dtype: Type of its numbers.
        start: Position of the first number in the file.
    """

    location: str
    file: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int

    @classmethod
    def open(cls, location: str, file: IO[bytes], num_bytes: int) -> StoredArray:
        """Read the header of an array, and compare it with the size of the file.

        Arguments:
            location: Its file, and its name in an archive.
            file: The file, opened for reading.
            num_bytes: Size of the file.

        Raises:
            InputError: The header is damaged, or of other numbers than those of the file.
        """
        shape, is_fortran_order, dtype = _read_header(location, file)
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
        return cls(location, file, shape, dtype, file.tell())

    def read_items(self, indices: Iterable[int] | None = None) -> Iterator[NDArray[Any]]:
        """Read items of the first axis, one after the other.

        Arguments:
            indices: Their indices, increasing; None: all.

        Raises:
            UnreadableError: The file is truncated or damaged.
        """
        item_shape = self.shape[1:]
        item_bytes = math.prod(item_shape) * self.dtype.itemsize
        for i in range(self.shape[0]) if indices is None else indices:
            position = self.start + i * item_bytes
            with unreadable_errors():
                if self.file.tell() != position:
                    self.file.seek(position)
                content = self.file.read(item_bytes)
            if len(content) < item_bytes:
                raise UnreadableError("truncated or damaged", f"item {i} is cut off")
            yield np.frombuffer(content, self.dtype).reshape(item_shape)


def _read_header(location: str, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the shape of an array, whether it is in Fortran order, and the type of its numbers."""
    try:
        major_version, _ = npy.read_magic(file)
        if major_version == 1:
            return npy.read_array_header_1_0(file)
        return npy.read_array_header_2_0(file)
    except Exception as error:  # a damaged header raises whatever Python's tokeniser raises
        raise InputError(
            f"{location}: expected an array of NumPy, got another or a damaged file "
            f"({' '.join(str(error).split())[:200]})"
        ) from error


def _choose_samples(path: Path, tree: FileTree) -> str:
    """Choose the array that is named x, or the one of images."""
    name = f"{ARRAY_NAME}.npy"
    if name in tree.file_names():
        return name
    return _choose_arrays(path, tree, ReadRequest(path=path))[0]


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
            f"{path}: expected one array, or x, images, data or arr_0, or train_images or "
            f"x_train, got {escape_unprintable(', '.join(sorted(names)))[:200] or 'none'}"
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
    array = StoredArray.open(_member_location(path, name), content, len(content.getbuffer()))
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
    description: str, images: StoredArray, labels: Sequence[int | str | None] | None = None
) -> ImageStream:
    """Stream images of shape (N, H, W), with one or three channels after or before H and W."""
    shape = images.shape
    channel_axis = find_channel_axis(images.location, shape)
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
        images=_iterate_images(images, labels, channel_axis == 1),
    )


def find_channel_axis(location: str, shape: tuple[int, ...]) -> int | None:
    """Find the axis of the one or three channels of images; None for (N, H, W).

    Arguments:
        location: What the array is, with which the message starts.
        shape: Shape of the array.

    Raises:
        InputError: It is not that of at least one image.

    Examples:
        >>> find_channel_axis("x", (100, 28, 28, 3)), find_channel_axis("x", (100, 3, 28, 28))
        (3, 1)
    """
    axes = {3: (None,), 4: (3, 1)}.get(len(shape), ())
    for axis in axes if math.prod(shape) else ():
        if axis is None or shape[axis] in _CHANNELS:
            return axis
    raise InputError(
        f"{location}: expected images of shape (N, H, W), (N, H, W, 1 or 3) or "
        f"(N, 1 or 3, H, W), got {shape}"
    )


def _iterate_images(
    images: StoredArray, labels: Sequence[int | str | None] | None, has_first_channels: bool
) -> Iterator[RawImage]:
    for i, values in enumerate(images.read_items()):
        pixels = np.moveaxis(values, 0, -1) if has_first_channels else values
        if pixels.ndim == 3 and pixels.shape[2] == 1:
            pixels = pixels[..., 0]
        label = None if labels is None else labels[i]
        yield RawImage(f"image {i}", np.ascontiguousarray(pixels), label)
