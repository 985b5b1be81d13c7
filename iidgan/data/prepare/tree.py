"""Files by name in a folder, a ZIP or a TAR archive. Nothing is ever unpacked onto the disk."""

from __future__ import annotations

import lzma
import os
import re
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from iidgan.data.prepare.decode import is_image
from iidgan.errors import InputError
from iidgan.files import explained

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

    def close(self) -> None:
        """Nothing is open."""


def _raise(error: OSError) -> None:
    raise error


def _is_loop(folder: str, name: str) -> bool:
    """Tells whether a link in a folder leads to one that the folder lies in, or to itself."""
    link = os.path.join(folder, name)
    target, here = Path(os.path.realpath(link)), Path(os.path.realpath(folder))
    return os.path.islink(link) and (target == here or target in here.parents)


class Archive(Tree):
    """Files in an archive, of any paths: each has one name, with `/` between folders."""

    def inside(self, name: str) -> bool:
        path = PurePosixPath(name)
        return not (path.is_absolute() or ".." in path.parts or _DRIVE.match(name))

    def _check(self, name: str) -> None:
        if not self.inside(name):
            raise UnreadableError("its path leads out of the archive")


_DRIVE = re.compile(r"[A-Za-z]:(/|$)")


def _tidy(name: str) -> str:
    return str(PurePosixPath(name.replace("\\", "/")))


class Zip(Archive):
    """A ZIP archive."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        infos = (info for info in self._archive.infolist() if not info.is_dir())
        self._infos = {_tidy(info.filename): info for info in infos}

    def names(self) -> list[str]:
        return sorted(self._infos)

    def open(self, name: str) -> IO[bytes]:
        self._check(name)
        with reading():
            return self._archive.open(self._infos[name])

    def size(self, name: str) -> int:
        return self._infos[name].file_size

    def close(self) -> None:
        self._archive.close()


class Tar(Archive):
    """A TAR archive, packed or not; links and devices in it do not count as files."""

    def __init__(self, path: Path) -> None:
        self._archive = tarfile.open(path)  # noqa: SIM115 - `close` closes it
        try:
            files = [m for m in self._archive.getmembers() if m.isfile()]
            self._members = {_tidy(member.name): member for member in files}
        except Exception:
            self._archive.close()
            raise

    def names(self) -> list[str]:
        return list(self._members)  # as they lie there: to go back is to unpack anew

    def open(self, name: str) -> IO[bytes]:
        self._check(name)
        with reading():
            file = self._archive.extractfile(self._members[name])
        if file is None:
            raise UnreadableError("not a file")
        return file

    def size(self, name: str) -> int:
        return self._members[name].size

    def close(self) -> None:
        self._archive.close()


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
