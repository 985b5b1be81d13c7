"""Images in IDX files, the format of MNIST.

A file is a big-endian header and then unsigned bytes: the magic number 0x0803 with counts of
images, rows and columns, or 0x0801 with a count of labels. It may be gzipped; its content tells.

References:
    THE MNIST DATABASE of handwritten digits (LeCun, Cortes and Burges, 1998),
    http://yann.lecun.com/exdb/mnist: the format.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, ClassVar, Literal, cast

import torch
from torch import Tensor

from iidgan.core import IS_PATH, Dataset, Reference, Source, cites
from iidgan.errors import AbsentError, InputError, unknown

Split = Literal["train", "test"]

SYSTEM = Path("/usr/share/datasets")
"""Where Debian's packages of data sets put them."""

_STEMS = {"train": "train", "test": "t10k"}
_OF_DEBIAN = {"fashion-mnist": " (on Debian, apt-get install dataset-fashion-mnist brings them)"}
_RANKS = {"images": 3, "labels": 1}
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class _IdxImages(Source):
    """Images in IDX files; the data sets below say which.

    Attributes:
        name: Name of the folder that holds the files.
        classes: Names of the labels.
    """

    images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 5_000  # each takes a pass through a convolutional net, or four
    name: ClassVar[str]
    classes: ClassVar[tuple[str, ...]]

    root: str | None = field(default=None, metadata=IS_PATH)
    """Folder of the IDX files; else $IIDGAN_DATA and the system's data sets are searched."""
    split: Split = "train"
    """Which part to load."""

    def __post_init__(self) -> None:
        if self.split not in _STEMS:
            raise unknown("split", self.split, _STEMS)

    @property
    def classifier(self) -> str:
        return self.name

    def load(self) -> Dataset:
        """Reads the images, uint8 with shape (N, 1, 28, 28), and the labels where there are any.

        Images of another size keep it.

        Raises:
            InputError: The files are not found, or are no whole and matching IDX files.
        """
        images = _find(self.name, self.root, self.split)
        x = read_idx(images, "images").unsqueeze(1)
        path = _variant(images.parent, self.split, "labels")
        if path is None:
            return Dataset(x)
        y = read_idx(path, "labels").long()
        if len(y) != len(x):
            raise InputError(f"{path}: {len(y)} labels for the {len(x)} images of {images.name}")
        if (largest := int(y.max())) >= len(self.classes):
            known = len(self.classes) - 1
            raise InputError(f"{path}: holds the label {largest}; known: 0 to {known}")
        return Dataset(x, y, labels=self.classes)


@cites(
    Reference(
        title="Gradient-Based Learning Applied to Document Recognition",
        authors="Yann LeCun, Léon Bottou, Yoshua Bengio and Patrick Haffner",
        year=1998,
        url="https://doi.org/10.1109/5.726791",
    )
)
@dataclass(frozen=True, kw_only=True)
class Mnist(_IdxImages):
    """MNIST: handwritten digits, 60,000 for training and 10,000 for testing."""

    name: ClassVar[str] = "mnist"
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")


@cites(
    Reference(
        title="Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
        authors="Han Xiao, Kashif Rasul and Roland Vollgraf",
        year=2017,
        url="https://arxiv.org/abs/1708.07747",
    )
)
@dataclass(frozen=True, kw_only=True)
class FashionMnist(_IdxImages):
    """Fashion-MNIST: articles of clothing, 60,000 for training and 10,000 for testing."""

    name: ClassVar[str] = "fashion-mnist"
    classes: ClassVar[tuple[str, ...]] = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )


def _find(name: str, root: str | None, split: Split) -> Path:
    """Finds the images in the first folder that has them."""
    folders = _folders(name, root)
    for folder in folders:
        if path := _variant(folder, split, "images"):
            return path
    raise AbsentError(
        f"{name}: no {_STEMS[split]}-images-idx3-ubyte[.gz] in {', '.join(map(str, folders))}; "
        f"`iidgan prepare {name} --from hub` fetches it, and --from FOLDER takes it from files"
        f"{_OF_DEBIAN.get(name, '')}; other commands look in --root and $IIDGAN_DATA, too"
    )


def _folders(name: str, root: str | None) -> list[Path]:
    if root is not None:
        return [Path(root), Path(root, name)]
    data = os.environ.get("IIDGAN_DATA")
    return [*([Path(data, name), Path(data)] if data else []), SYSTEM / name]


def _variant(folder: Path, split: Split, kind: str) -> Path | None:
    """Finds a file under one of the names that are in use for it."""
    names = (
        f"{_STEMS[split]}-{kind}{mark}idx{_RANKS[kind]}-ubyte{suffix}"
        for mark in "-."
        for suffix in ("", ".gz")
    )
    return next((folder / name for name in names if os.path.exists(folder / name)), None)


def read_idx(path: Path, kind: Literal["images", "labels"]) -> Tensor:
    """Reads an IDX file: uint8 of shape (N, rows, columns) for images, (N,) for labels.

    Raises:
        InputError: The file is foreign, damaged, empty, shorter or longer than its header says.
    """
    with _opened(path) as stream:
        shape = _read_shape(path, stream, kind)
        promised = math.prod(shape)
        content = _read(stream, promised + 1)
    if not promised:
        raise InputError(f"{path}: holds no {kind}: its shape is {shape}")
    if len(content) < promised:
        raise InputError(
            f"{path}: truncated: {promised} bytes of {kind} expected, {len(content)} found"
        )
    if len(content) > promised:
        raise InputError(f"{path}: goes on after the {promised} bytes that its header promises")
    return torch.frombuffer(content, dtype=torch.uint8).view(shape)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if not os.path.isfile(path):
        raise InputError(f"{path}: not a file")
    try:
        with open(path, "rb") as file:
            if file.peek(2)[:2] != _GZIP:
                yield file
                return
            with gzip.open(file) as unzipped:
                yield cast(BinaryIO, unzipped)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: truncated or damaged: {error}") from error


def _read(stream: BinaryIO, most: int) -> bytearray:
    """Reads up to `most` bytes; takes memory for what is there, not for what is promised."""
    content = bytearray()
    while chunk := stream.read(min(_CHUNK, most - len(content))):
        content += chunk
    return content


def _read_shape(path: Path, stream: BinaryIO, kind: str) -> tuple[int, ...]:
    rank = _RANKS[kind]
    magic = stream.read(4)
    if magic != bytes((0, 0, 8, rank)):
        raise InputError(f"{path}: not an IDX file of {kind} but {_describe(magic)}")
    sizes = stream.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise InputError(
            f"{path}: truncated: a header of {4 + 4 * rank} bytes expected, {4 + len(sizes)} found"
        )
    return struct.unpack(f">{rank}I", sizes)


_FOREIGN = {
    b"\x00\x00\x08\x01": "an IDX file of labels",
    b"\x00\x00\x08\x03": "an IDX file of images",
    b"\x93NUM": "a NumPy array",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"PK\x03\x04": "a ZIP archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zX": "an xz file",
    b"\x89HDF": "an HDF5 file",
    b"<": "a web page",
    b"\x1f\x8b": "a file gzipped twice",
    b"\x00\x00": "an IDX file of another type or rank",
}


def _describe(magic: bytes) -> str:
    """Says what a file is that begins with these four bytes."""
    if len(magic) < 4:
        return f"a file of {len(magic)} bytes"
    known = (what for start, what in _FOREIGN.items() if magic.startswith(start))
    return f"{next(known, 'something else')} (it begins with 0x{magic.hex()})"
