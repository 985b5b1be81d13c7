"""CIFAR-10 and CIFAR-100: the python and the binary archives, packed or not.

References:
    Learning Multiple Layers of Features from Tiny Images (Krizhevsky, 2009),
    https://www.cs.toronto.edu/~kriz/cifar.html: the data and both formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iidgan.data.prepare.archives import Tree, UnreadableError, opened
from iidgan.data.prepare.reader import Item, Pixels, Reader, Reading, Wanted
from iidgan.data.prepare.readers.unpickle import unpickle
from iidgan.errors import InputError

_SIDE = 32
_PIXELS = 3 * _SIDE**2
_MOST = 1 << 28  # bytes of a batch; the largest has 50,000 images


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the files of one of the two are called.

    Arguments:
        python: Pickled batches, of each split.
        binary: Batches of bytes, of each split.
        meta: Pickle with the names of the labels, and their key in it.
        names: Text with the names of the labels.
        key: Of the labels in a pickled batch.
        before: Bytes before the pixels of an image; the last one is its label.
    """

    python: dict[str, tuple[str, ...]]
    binary: dict[str, tuple[str, ...]]
    meta: tuple[str, bytes]
    names: str
    key: bytes
    before: int


CIFAR10 = Layout(
    python={"train": tuple(f"data_batch_{i}" for i in range(1, 6)), "test": ("test_batch",)},
    binary={
        "train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        "test": ("test_batch.bin",),
    },
    meta=("batches.meta", b"label_names"),
    names="batches.meta.txt",
    key=b"labels",
    before=1,
)
CIFAR100 = Layout(
    python={"train": ("train",), "test": ("test",)},
    binary={"train": ("train.bin",), "test": ("test.bin",)},
    meta=("meta", b"fine_label_names"),
    names="fine_label_names.txt",
    key=b"fine_labels",
    before=2,
)


def cifar(layout: Layout) -> Reader:
    """Makes the reader of one of the two."""

    @contextmanager
    def read(wanted: Wanted) -> Iterator[Reading]:
        path, split = wanted.place(), wanted.split or "train"
        with opened(path) as tree:
            files = _Files(tree, path)
            batches = list(_batches(files, layout, split))
            yield Reading(
                source=f"{path.name}, {split}",
                total=sum(len(labels) for _, labels in batches),
                labelled=True,
                classes=_classes(files, layout),
                items=_items(batches),
            )

    return read


Batch = tuple[Pixels, Sequence[int]]


def _items(batches: Sequence[Batch]) -> Iterator[Item]:
    images = (pair for pixels, labels in batches for pair in zip(pixels, labels))
    for i, (pixels, label) in enumerate(images):
        yield Item(f"image {i}", np.ascontiguousarray(pixels.transpose(1, 2, 0)), int(label))


class _Files:
    """Files of a tree by their last names, whatever folder they lie in."""

    def __init__(self, tree: Tree, path: Path) -> None:
        self._tree, self._path = tree, path
        self._names = {PurePosixPath(name).name: name for name in tree.names()}

    def have(self, names: Sequence[str]) -> bool:
        return all(name in self._names for name in names)

    def read(self, name: str) -> bytes:
        try:
            return self._tree.read(self._names[name], _MOST)
        except UnreadableError as error:
            raise InputError(f"{self.place(name)}: {error}") from error

    def place(self, name: str) -> str:
        return f"{self._path}: {self._names[name]}"

    @property
    def path(self) -> Path:
        return self._path


def _batches(files: _Files, layout: Layout, split: str) -> Iterator[Batch]:
    for names, parse in ((layout.python[split], _pickled), (layout.binary[split], _binary)):
        if files.have(names):
            for name in names:
                yield parse(files.read(name), files.place(name), layout)
            return
    python, binary = (", ".join(names[split]) for names in (layout.python, layout.binary))
    raise InputError(f"{files.path}: has neither {python} nor {binary}")


def _pickled(content: bytes, place: str, layout: Layout) -> Batch:
    found = unpickle(content, place)
    facts: dict[Any, Any] = found if isinstance(found, dict) else {}
    data, labels = _entry(facts, b"data"), _entry(facts, layout.key)
    whole = isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.ndim == 2
    if not whole or not isinstance(labels, list) or data.shape != (len(labels), _PIXELS):
        raise InputError(
            f"{place}: no batch: {layout.key.decode()!r} and 'data' of shape (N, {_PIXELS}) and "
            f"type uint8 are needed, it has {', '.join(map(_text, facts)) or 'nothing'}"
        )
    if not all(type(label) is int for label in labels):
        raise InputError(f"{place}: {layout.key.decode()!r} holds more than whole numbers")
    return data.reshape(-1, 3, _SIDE, _SIDE), labels


def _entry(facts: dict[Any, Any], key: bytes) -> Any:  # noqa: ANN401
    """Looks a key up as Python 2 and as Python 3 write it."""
    return facts.get(key, facts.get(key.decode()))


def _text(key: object) -> str:
    return repr(key.decode("latin-1") if isinstance(key, bytes) else key)


def _binary(content: bytes, place: str, layout: Layout) -> Batch:
    size = layout.before + _PIXELS
    if not content or len(content) % size:
        raise InputError(
            f"{place}: {len(content)} bytes are not a number of records of {size} bytes"
        )
    records: NDArray[np.uint8] = np.frombuffer(content, np.uint8).reshape(-1, size)
    labels = records[:, layout.before - 1].tolist()
    return records[:, layout.before :].reshape(-1, 3, _SIDE, _SIDE), labels


def _classes(files: _Files, layout: Layout) -> tuple[str, ...]:
    name, key = layout.meta
    if files.have([name]):
        found = unpickle(files.read(name), files.place(name))
        names = _entry(found, key) if isinstance(found, dict) else None
        return tuple(_word(word) for word in names) if isinstance(names, list) else ()
    if files.have([layout.names]):
        return tuple(files.read(layout.names).decode("utf-8", "replace").split())
    return ()


def _word(word: object) -> str:
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)
