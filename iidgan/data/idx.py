"""Images in IDX files, the format of MNIST.

A file has a big-endian header and then unsigned bytes: the magic number 0x0803 with the numbers
of images, rows and columns, or 0x0801 with the number of labels. Gzipped files are recognised by
their content.

References:
    THE MNIST DATABASE of handwritten digits (LeCun, Cortes and Burges, 1998),
    http://yann.lecun.com/exdb/mnist: the format.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, ClassVar, Literal, cast

import torch
from torch import Tensor

from iidgan.core import IS_PATH, Dataset, Reference, Source, cites
from iidgan.data.idx_digests import FileIdentity, check_identities
from iidgan.errors import InputError, MissingFileError
from iidgan.utils.files import open_regular_file, oserror_as_input_error

Split = Literal["train", "test"]
Kind = Literal["images", "labels"]

SYSTEM_DATASETS = Path("/usr/share/datasets")
"""Folder in which Debian packages install data sets."""

DIGIT_AUGMENTATION = MappingProxyType({"rotation": 0.2, "scale": 0.1, "blur": 1.0, "darken": 0.6})
"""Options of the classifier of digits: trained on crisp digits only, it labels faint ones as "1"
with high confidence. Articles of clothing lose little when they are faint, and what blur removes
distinguishes them."""

_STEMS = {"train": "train", "test": "t10k"}
_DEBIAN_HINTS = {
    "fashion-mnist": " (on Debian, apt-get install dataset-fashion-mnist installs them)"
}
_RANKS = {"images": 3, "labels": 1}
_TORCHVISION_FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}
"""Folders below the root of a data set of torchvision; their subfolder `raw` has the files."""
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class _IdxImages(Source):
    """Images in IDX files; base class of the data sets below.

    Attributes:
        name: Name of the folder with the files.
        classes: Names of the labels.
    """

    has_images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 5_000  # evaluation takes up to four passes of a CNN per image
    name: ClassVar[str]
    classes: ClassVar[tuple[str, ...]]

    root: str | None = field(default=None, metadata=IS_PATH)
    """Folder of the IDX files; None: $IIDGAN_DATA, then the data sets of the system."""
    split: Split = "train"
    """Part of the data set."""

    @property
    def classifier_source(self) -> str:
        return self.name

    def load(self) -> Dataset:
        """Read the images, uint8 of shape (N, 1, 28, 28), and the labels, if they exist.

        Images of another size keep it. Files that are not the published ones are accepted with a
        warning.

        Raises:
            InputError: The files are missing, are not complete IDX files that match, or are those
                of another data set.
        """
        folder, image_path = _find_images(self.name, self.root, self.split)
        image_file = read_idx(image_path, "images")
        x = image_file.values.unsqueeze(1)
        label_path = _find_file(folder, self.split, "labels")
        if label_path is None:
            check_identities([self._identity(image_file)])
            return Dataset(x)
        label_file = read_idx(label_path, "labels")
        check_identities([self._identity(image_file), self._identity(label_file)])
        y = label_file.values.long()
        if len(y) != len(x):
            raise InputError(
                f"{label_path}: expected {len(x)} labels, one per image of {image_path.name}, "
                f"got {len(y)}"
            )
        if (largest := int(y.max())) >= len(self.classes):
            raise InputError(
                f"{label_path}: labels must be between 0 and {len(self.classes) - 1}, "
                f"got {largest}"
            )
        return Dataset(x, y, labels=self.classes)

    def _identity(self, file: IdxFile) -> FileIdentity:
        expected = f"{self.name} {self.split} {file.kind}"
        return FileIdentity(file.path, expected, file.content_sha256())


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
    """MNIST: handwritten digits, 60,000 for training and 10,000 for testing.

    Nothing is downloaded: its IDX files, gzipped or not, are read from `root`.

    References:
        Gradient-Based Learning Applied to Document Recognition (LeCun, Bottou, Bengio and Haffner,
        1998), https://doi.org/10.1109/5.726791

    Examples:
        >>> source = Mnist(split="test")
        >>> source.classes
        ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')
    """

    name: ClassVar[str] = "mnist"
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    classifier_options: ClassVar[Mapping[str, float]] = DIGIT_AUGMENTATION
    expected_accuracy: ClassVar[float] = 99.0


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
    """Fashion-MNIST: articles of clothing, 60,000 for training and 10,000 for testing.

    Nothing is downloaded: its IDX files, gzipped or not, are read from `root`.

    References:
        Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms (Xiao,
        Rasul and Vollgraf, 2017), https://arxiv.org/abs/1708.07747

    Examples:
        >>> FashionMnist().classes[:3]
        ('T-shirt/top', 'Trouser', 'Pullover')
    """

    name: ClassVar[str] = "fashion-mnist"
    expected_accuracy: ClassVar[float] = 92.0
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


def _find_images(name: str, root: str | None, split: Split) -> tuple[Path, Path]:
    """Find the first folder with a file of images, and this file."""
    folders = _search_folders(name, root)
    for folder in folders:
        if path := _find_file(folder, split, "images"):
            return folder, path
    raise MissingFileError(
        f"{name}: no {_STEMS[split]}-images-idx3-ubyte[.gz] in {', '.join(map(str, folders))}; "
        f"run `iidgan prepare {name} --from hub` to download the data set, or --from FOLDER to "
        f"prepare it from files{_DEBIAN_HINTS.get(name, '')}; other commands also search --root "
        f"and $IIDGAN_DATA"
    )


def _search_folders(name: str, root: str | None) -> list[Path]:
    raw_folder = Path(_TORCHVISION_FOLDERS[name], "raw")
    if root is not None:
        return [Path(root), Path(root, name), Path(root, raw_folder), Path(root, "raw")]
    if not (data_folder := os.environ.get("IIDGAN_DATA")):
        return [SYSTEM_DATASETS / name]
    user_folders = [Path(data_folder, name), Path(data_folder), Path(data_folder, raw_folder)]
    return [*user_folders, SYSTEM_DATASETS / name]


def _find_file(folder: Path, split: Split, kind: Kind) -> Path | None:
    """Find a file under one of the names that are in use for it."""
    file_names = (
        f"{_STEMS[split]}-{kind}{separator}idx{_RANKS[kind]}-ubyte{suffix}"
        for separator in "-."
        for suffix in ("", ".gz")
    )
    # Some archives have a folder under the name of the file, with the file inside.
    paths = (path for name in file_names for path in (folder / name, folder / name / name))
    return next(filter(_is_file, paths), None)


def _is_file(path: Path) -> bool:
    """Whether a path is a file of any kind; reading refuses those that are not regular."""
    return os.path.exists(path) and not os.path.isdir(path)


@dataclass(frozen=True)
class IdxFile:
    """An IDX file that has been read.

    Arguments:
        path: The file.
        kind: Whether it has images or labels.
        header: Its header, without the compression of the file.
        shape: Shape that the header states.
        content: The bytes after it, one for each value.
    """

    path: Path
    kind: Kind
    header: bytes
    shape: tuple[int, ...]
    content: bytearray

    @property
    def values(self) -> Tensor:
        """The bytes as a uint8 tensor, which shares their memory.

        Its shape is (N, rows, columns) for images and (N,) for labels.
        """
        return torch.frombuffer(self.content, dtype=torch.uint8).view(self.shape)

    def content_sha256(self) -> str:
        """Compute the SHA-256 digest of header and content without compression, in hexadecimal."""
        digest = hashlib.sha256(self.header)
        digest.update(self.content)
        return digest.hexdigest()


def read_idx(path: Path, kind: Kind) -> IdxFile:
    """Read an IDX file of images or labels.

    Arguments:
        path: The file, gzipped or not.
        kind: What it is expected to contain, `images` or `labels`.

    Raises:
        InputError: The file has another format, is damaged or empty, or is shorter or longer than
            its header says.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "t10k-labels-idx1-ubyte")
        ...     _ = path.write_bytes(struct.pack(">II", 0x0801, 3) + bytes([7, 2, 1]))
        ...     read_idx(path, "labels").values
        tensor([7, 2, 1], dtype=torch.uint8)
    """
    with _open_binary(path) as stream:
        header = _read_header(path, stream, kind)
        shape = struct.unpack(f">{_RANKS[kind]}I", header[4:])
        expected_bytes = math.prod(shape)
        content = _read_at_most(stream, expected_bytes + 1)
    if not expected_bytes:
        raise InputError(f"{path}: the file has no {kind}: its shape is {shape}")
    if len(content) < expected_bytes:
        raise InputError(
            f"{path}: truncated: expected {expected_bytes} bytes of {kind}, got {len(content)}"
        )
    if len(content) > expected_bytes:
        raise InputError(
            f"{path}: the file continues after the {expected_bytes} bytes that its header states"
        )
    return IdxFile(path, kind, header, shape, content)


@contextmanager
def _open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a file, decompressed if its content is gzipped."""
    with oserror_as_input_error(path), open_regular_file(path) as file:
        if file.peek(2)[:2] != _GZIP_MAGIC:
            yield file
            return
        try:
            with gzip.open(file) as decompressed:
                yield cast(BinaryIO, decompressed)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{path}: truncated or damaged: {error}") from error


def _read_at_most(stream: BinaryIO, max_bytes: int) -> bytearray:
    """Read up to `max_bytes`, allocating memory for actual content only."""
    content = bytearray()
    while chunk := stream.read(min(_CHUNK_BYTES, max_bytes - len(content))):
        content += chunk
    return content


def _read_header(path: Path, stream: BinaryIO, kind: Kind) -> bytes:
    rank = _RANKS[kind]
    magic = stream.read(4)
    if magic != bytes((0, 0, 8, rank)):
        raise InputError(f"{path}: expected an IDX file of {kind}, got {_describe_magic(magic)}")
    sizes = stream.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise InputError(
            f"{path}: truncated: expected a header of {4 + 4 * rank} bytes, got {4 + len(sizes)}"
        )
    return magic + sizes


_FORMATS_BY_MAGIC = {
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


def _describe_magic(magic: bytes) -> str:
    """Describe the format of a file that starts with these four bytes."""
    if len(magic) < 4:
        return f"a file of {len(magic)} bytes"
    matches = (name for prefix, name in _FORMATS_BY_MAGIC.items() if magic.startswith(prefix))
    return f"{next(matches, 'something else')} (it starts with 0x{magic.hex()})"
