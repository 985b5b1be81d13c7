"""CIFAR-10 and CIFAR-100: the Python and the binary archives, extracted or not.

References:
    Learning Multiple Layers of Features from Tiny Images (Krizhevsky, 2009),
    https://www.cs.toronto.edu/~kriz/cifar.html: the data and both formats.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from iidgan.data.prepare.archives import FileTree, UnreadableError, open_file_tree
from iidgan.data.prepare.reader import (
    ImageStream,
    Pixels,
    RawImage,
    Reader,
    ReadRequest,
    escape_unprintable,
)
from iidgan.data.prepare.readers.published_files import (
    CIFAR10_FILES,
    CIFAR100_FILES,
    PublishedFiles,
    stream_md5,
)
from iidgan.data.prepare.readers.unpickle import load_restricted_pickle
from iidgan.errors import InputError

_SIDE = 32
_PIXELS = 3 * _SIDE**2
_LABEL_BOUND = 1 << 31
_MAX_BATCH_BYTES = 1 << 28  # the largest batch has 50,000 images


@dataclass(frozen=True, kw_only=True)
class CifarLayout:
    """Names of the files of CIFAR-10 or CIFAR-100, and their format.

    Arguments:
        pickled_batches: Files with pickled batches, by split.
        binary_batches: Files with binary batches, by split.
        class_pickle: Pickle file with the names of the labels, and their key.
        class_text: Text file with the names of the labels.
        label_key: Key of the labels in a pickled batch.
        label_bytes: Bytes before the pixels of an image in a binary batch; the last is its label.
        published: Digests of the published files.
    """

    pickled_batches: dict[str, tuple[str, ...]]
    binary_batches: dict[str, tuple[str, ...]]
    class_pickle: tuple[str, bytes]
    class_text: str
    label_key: bytes
    label_bytes: int
    published: PublishedFiles


CIFAR10 = CifarLayout(
    pickled_batches={
        "train": tuple(f"data_batch_{i}" for i in range(1, 6)),
        "test": ("test_batch",),
    },
    binary_batches={
        "train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        "test": ("test_batch.bin",),
    },
    class_pickle=("batches.meta", b"label_names"),
    class_text="batches.meta.txt",
    label_key=b"labels",
    label_bytes=1,
    published=CIFAR10_FILES,
)
CIFAR100 = CifarLayout(
    pickled_batches={"train": ("train",), "test": ("test",)},
    binary_batches={"train": ("train.bin",), "test": ("test.bin",)},
    class_pickle=("meta", b"fine_label_names"),
    class_text="fine_label_names.txt",
    label_key=b"fine_labels",
    label_bytes=2,
    published=CIFAR100_FILES,
)


def cifar_reader(layout: CifarLayout) -> Reader:
    """Create the reader of CIFAR-10 or CIFAR-100.

    Arguments:
        layout: `CIFAR10` or `CIFAR100`.
    """

    @contextmanager
    def open_cifar(request: ReadRequest) -> Iterator[ImageStream]:
        path, split = request.existing_path(), request.split or "train"
        with open_file_tree(path) as tree:
            files = _FilesByName(tree, path)
            names, parse_batch = _choose_batches(files, layout, split)
            batches = [
                parse_batch(files.read_file(name), files.describe_file(name), layout)
                for name in names
            ]
            yield ImageStream(
                description=f"{path.name}, {split}",
                num_images=sum(len(labels) for _, labels in batches),
                has_labels=True,
                class_names=_read_class_names(files, layout),
                images=_iterate_images(batches),
                note=layout.published.describe_difference(path, names, files.compute_md5),
            )

    return open_cifar


Batch = tuple[Pixels, Sequence[int]]


def _iterate_images(batches: Sequence[Batch]) -> Iterator[RawImage]:
    images = (pair for pixels, labels in batches for pair in zip(pixels, labels))
    for i, (pixels, label) in enumerate(images):
        yield RawImage(f"image {i}", np.ascontiguousarray(pixels.transpose(1, 2, 0)), int(label))


class _FilesByName:
    """Files of a file tree by their last names, in any folder."""

    def __init__(self, tree: FileTree, path: Path) -> None:
        self._tree, self._path = tree, path
        self._full_names = {PurePosixPath(name).name: name for name in tree.file_names()}

    def has_files(self, names: Sequence[str]) -> bool:
        return all(name in self._full_names for name in names)

    def read_file(self, name: str) -> bytes:
        try:
            return self._tree.read_file(self._full_names[name], _MAX_BATCH_BYTES)
        except UnreadableError as error:
            raise InputError(f"{self.describe_file(name)}: {error}") from error

    def compute_md5(self, name: str) -> str:
        return stream_md5(io.BytesIO(self.read_file(name)))

    def describe_file(self, name: str) -> str:
        return f"{self._path}: {escape_unprintable(self._full_names[name])}"

    @property
    def path(self) -> Path:
        return self._path


BatchParser = Callable[[bytes, str, CifarLayout], Batch]


def _choose_batches(
    files: _FilesByName, layout: CifarLayout, split: str
) -> tuple[tuple[str, ...], BatchParser]:
    """Choose the files of a split, and the parser of their format."""
    pickled_names, binary_names = layout.pickled_batches[split], layout.binary_batches[split]
    if files.has_files(pickled_names):
        return pickled_names, _parse_pickled_batch
    if files.has_files(binary_names):
        return binary_names, _parse_binary_batch
    raise InputError(
        f"{files.path}: contains neither {', '.join(pickled_names)} nor {', '.join(binary_names)}"
    )


def _parse_pickled_batch(content: bytes, location: str, layout: CifarLayout) -> Batch:
    unpickled = load_restricted_pickle(content, location)
    entries: dict[Any, Any] = unpickled if isinstance(unpickled, dict) else {}
    data, labels = _get_entry(entries, b"data"), _get_entry(entries, layout.label_key)
    if isinstance(labels, np.ndarray):  # of batches that were pickled again; published are lists
        labels = labels.tolist()
    is_array = isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.ndim == 2
    if not is_array or not isinstance(labels, list) or data.shape != (len(labels), _PIXELS):
        raise InputError(
            f"{location}: expected a batch with {layout.label_key.decode()!r} and uint8 'data' of "
            f"shape (N, {_PIXELS}), got {', '.join(map(_describe_key, entries)) or 'nothing'}"
        )
    if not all(type(label) is int and abs(label) < _LABEL_BOUND for label in labels):
        raise InputError(f"{location}: {layout.label_key.decode()!r} must be small integers")
    return data.reshape(-1, 3, _SIDE, _SIDE), labels


def _get_entry(entries: dict[Any, Any], key: bytes) -> Any:  # noqa: ANN401
    """Look up a key that was written by Python 2 or Python 3."""
    return entries.get(key, entries.get(key.decode()))


def _describe_key(key: object) -> str:
    return repr(key.decode("latin-1") if isinstance(key, bytes) else key)


def _parse_binary_batch(content: bytes, location: str, layout: CifarLayout) -> Batch:
    record_bytes = layout.label_bytes + _PIXELS
    if not content or len(content) % record_bytes:
        raise InputError(
            f"{location}: size must be a multiple of {record_bytes} bytes, got {len(content)}"
        )
    records: NDArray[np.uint8] = np.frombuffer(content, np.uint8).reshape(-1, record_bytes)
    labels = records[:, layout.label_bytes - 1].tolist()
    return records[:, layout.label_bytes :].reshape(-1, 3, _SIDE, _SIDE), labels


def _read_class_names(files: _FilesByName, layout: CifarLayout) -> tuple[str, ...]:
    file_name, key = layout.class_pickle
    if files.has_files([file_name]):
        content = files.read_file(file_name)
        unpickled = load_restricted_pickle(content, files.describe_file(file_name))
        names = _get_entry(unpickled, key) if isinstance(unpickled, dict) else None
        return tuple(map(_to_text, names)) if _are_names(names) else ()
    if files.has_files([layout.class_text]):
        return tuple(files.read_file(layout.class_text).decode("utf-8", "replace").split())
    return ()


def _are_names(names: object) -> TypeGuard[list[str | bytes]]:
    return isinstance(names, list) and all(isinstance(name, str | bytes) for name in names)


def _to_text(name: str | bytes) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name
