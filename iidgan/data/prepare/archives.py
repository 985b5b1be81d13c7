"""Files by name in a folder, a ZIP or a TAR archive. Nothing is ever unpacked onto the disk."""

from __future__ import annotations

import lzma
import os
import posixpath
import re
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Generic, TypeVar

from iidgan.data.prepare.decode import is_image
from iidgan.errors import InputError
from iidgan.utils.files import explained

MOST = 1 << 27
"""Bytes that a file with one image may have."""


class UnreadableError(Exception):
    """One file of a tree cannot be read.

    Arguments:
        reason: Why, in words that it shares with others.
        detail: What else is known.
    """

    def __init__(self, reason: str, detail: object = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, str(detail)


class Tree(ABC):
    """Files by name, with `/` between folders."""

    @abstractmethod
    def names(self) -> list[str]:
        """Lists all files in an order that is always the same, and quick to read in."""

    def hidden(self) -> list[str]:
        """Lists names once for each file that a later one of the same name hides."""
        return []

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """Opens a file for reading.

        Raises:
            UnreadableError: It cannot be opened.
        """

    @abstractmethod
    def size(self, name: str) -> int:
        """Gives the bytes that a file has, or that an archive says it has."""

    @abstractmethod
    def close(self) -> None:
        """Closes what is open."""

    @abstractmethod
    def outside(self, name: str) -> str:
        """Says how somebody who has the tree on the disk names a folder of it."""

    def inside(self, name: str) -> bool:
        """Tells whether a path stays in the tree, as on a disk all do; others are not opened."""
        return True

    def read(self, name: str, most: int = MOST) -> bytes:
        """Reads a file of at most so many bytes, whatever an archive says of its size.

        Raises:
            UnreadableError: It is larger, missing or damaged.
        """
        with reading(), self.open(name) as file:
            large = self.size(name) > most
            content = b"" if large else file.read(most + 1)
        if large or len(content) > most:
            raise UnreadableError(f"larger than {most >> 20} MiB")
        return content


@contextmanager
def reading() -> Iterator[None]:
    """Turns what archives and systems raise of one file into `UnreadableError`."""
    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        raise UnreadableError("cannot be opened", error.strerror) from error
    except RuntimeError as error:  # how `zipfile` says that a file is encrypted, or packed oddly
        raise UnreadableError("encrypted or packed in an unknown way", error) from error
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, *_ARCHIVE) as error:
        raise UnreadableError("truncated or damaged", error) from error


_ARCHIVE = (zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError)


class Folder(Tree):
    """A folder on the disk; links are followed, but to what they lie in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: list[str] = []
        with explained(path):
            for folder, inside, files in os.walk(path, onerror=_raise, followlinks=True):
                inside[:] = sorted(name for name in inside if not _is_loop(folder, name))
                relative = Path(folder).relative_to(path)
                self._names += [(relative / file).as_posix() for file in sorted(files)]

    def names(self) -> list[str]:
        return self._names

    def open(self, name: str) -> IO[bytes]:
        path = self._path / name
        if not path.exists():
            raise UnreadableError("cannot be opened", "a link to nothing")
        if not path.is_file():  # a pipe would wait for ever
            raise UnreadableError("not a file")
        with reading():
            return path.open("rb")

    def size(self, name: str) -> int:
        return (self._path / name).stat().st_size

    def outside(self, name: str) -> str:
        return str(self._path / name)

    def close(self) -> None:
        """Nothing is open."""


def _raise(error: OSError) -> None:
    raise error


def _is_loop(folder: str, name: str) -> bool:
    """Tells whether a link in a folder leads to one that the folder lies in, or to itself."""
    link = os.path.join(folder, name)
    target, here = Path(os.path.realpath(link)), Path(os.path.realpath(folder))
    return os.path.islink(link) and (target == here or target in here.parents)


T = TypeVar("T")


class Archive(Tree, Generic[T]):
    """Files in an archive, of any paths: each has one name, with `/` between folders.

    Arguments:
        named: Names as they stand in the archive, and how it finds the file. Of equal ones the
            last counts, as it would if the archive were unpacked.
    """

    def __init__(self, named: Iterable[tuple[str, T]]) -> None:
        self._found: dict[str, T] = {}
        self._hidden: list[str] = []
        for stands, found in named:
            name = str(PurePosixPath(stands.replace("\\", "/")))
            if name in self._found:
                self._hidden.append(name)
            self._found[name] = found

    def hidden(self) -> list[str]:
        return self._hidden

    def outside(self, name: str) -> str:
        return f"{name} where the archive is unpacked"

    def inside(self, name: str) -> bool:
        path = PurePosixPath(name)
        return not (path.is_absolute() or ".." in path.parts or _DRIVE.match(name))

    def _check(self, name: str) -> None:
        if not self.inside(name):
            raise UnreadableError("its path leads out of the archive")


_DRIVE = re.compile(r"[A-Za-z]:(/|$)")


class Zip(Archive[zipfile.ZipInfo]):
    """A ZIP archive."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        infos = (info for info in self._archive.infolist() if not info.is_dir())
        super().__init__((info.filename, info) for info in infos)

    def names(self) -> list[str]:
        return sorted(self._found)

    def open(self, name: str) -> IO[bytes]:
        self._check(name)
        with reading():
            return self._archive.open(self._found[name])

    def size(self, name: str) -> int:
        return self._found[name].file_size

    def close(self) -> None:
        self._archive.close()


class Tar(Archive[tarfile.TarInfo]):
    """A TAR archive, packed or not; links lead to what else is in it, devices are no files."""

    def __init__(self, path: Path) -> None:
        self._archive = tarfile.open(path)  # noqa: SIM115 - `close` closes it
        try:
            super().__init__(_followed(self._archive.getmembers()))
        except Exception:
            self._archive.close()
            raise

    def names(self) -> list[str]:
        # As they lie there: to go back is to unpack anew.
        return sorted(self._found, key=lambda name: self._found[name].offset_data)

    def open(self, name: str) -> IO[bytes]:
        self._check(name)
        member = self._found[name]
        if member.islnk() or member.issym():
            raise UnreadableError("cannot be opened", "a link to nothing")
        with reading():
            file = self._archive.extractfile(member)
        if file is None:
            raise UnreadableError("not a file")
        return file

    def size(self, name: str) -> int:
        return self._found[name].size

    def close(self) -> None:
        self._archive.close()


def _followed(members: Sequence[tarfile.TarInfo]) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Pairs the name of each file or link with the member that has its content."""
    there = {posixpath.normpath(member.name): member for member in members}
    for member in members:
        found, seen = member, {member.name}
        while (name := _target(found)) in there and name not in seen:
            seen.add(name)
            found = there[name]
        if found.isfile() or name:  # a link that leads to nothing is told of
            yield member.name, found


def _target(member: tarfile.TarInfo) -> str:
    """Says where a link leads within its archive; nowhere if it is none."""
    if member.islnk():
        return posixpath.normpath(member.linkname)
    if member.issym():
        folder = posixpath.dirname(member.name)
        return posixpath.normpath(posixpath.join(folder, member.linkname))
    return ""


@contextmanager
def opened(path: Path) -> Iterator[Tree]:
    """Opens a folder or an archive, by its content.

    Raises:
        InputError: It is neither, or damaged.
    """
    if path.is_dir():
        yield Folder(path)
        return
    with explained(path), closing(_archive(path)) as tree:
        yield tree


def _archive(path: Path) -> Tree:
    if not path.is_file():
        raise InputError(f"{path}: neither a folder nor a file")
    try:
        if zipfile.is_zipfile(path):
            return Zip(path)
        return Tar(path)
    except (EOFError, ValueError, zlib.error, lzma.LZMAError, *_ARCHIVE) as error:
        raise InputError(f"{path}: {_what(path, error)}") from error


def _what(path: Path, error: Exception) -> str:
    """Says what a file is that is no archive, or no whole one."""
    with path.open("rb") as file:
        if file.read(4) == b"PK\3\4":
            return "a truncated ZIP archive"
    if is_image(path):
        return "a single image; name its folder"
    why = str(error)
    detail = "" if "\n" in why else f": {why}"  # how each way to unpack it fails tells nobody
    return f"no whole ZIP or TAR archive, and no folder{detail}"
