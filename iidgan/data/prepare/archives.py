"""Files by name in a folder, a ZIP or a TAR archive, without extracting them to the disk."""

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

from iidgan.data.prepare.decode import is_image_file
from iidgan.errors import InputError
from iidgan.utils.files import oserror_as_input_error

MAX_IMAGE_BYTES = 1 << 27
"""Maximum size of a file with one image."""


class UnreadableError(Exception):
    """One file of a file tree cannot be read.

    Arguments:
        reason: Why, in words that it shares with other files.
        detail: More about this file.
    """

    def __init__(self, reason: str, detail: object = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, str(detail)


class FileTree(ABC):
    """Files by name, with `/` between folders."""

    @abstractmethod
    def file_names(self) -> list[str]:
        """List all files in a reproducible order that is fast to read in."""

    def shadowed_names(self) -> list[str]:
        """List a name once for each file that a later file of the same name replaces."""
        return []

    @abstractmethod
    def open_file(self, name: str) -> IO[bytes]:
        """Open a file for reading.

        Raises:
            UnreadableError: It cannot be opened.
        """

    @abstractmethod
    def file_size(self, name: str) -> int:
        """Size of a file in bytes, as the file system or the archive states it."""

    @abstractmethod
    def close(self) -> None:
        """Close all open files."""

    @abstractmethod
    def describe_location(self, name: str) -> str:
        """Describe where a user finds a file or folder of the tree on the disk."""

    def is_inside(self, name: str) -> bool:
        """Whether a path stays inside the tree; files outside are never opened."""
        return True

    def read_file(self, name: str, max_bytes: int = MAX_IMAGE_BYTES) -> bytes:
        """Read a file of at most `max_bytes`, whatever size an archive states.

        Raises:
            UnreadableError: It is larger, missing or damaged.
        """
        with unreadable_errors(), self.open_file(name) as file:
            is_too_large = self.file_size(name) > max_bytes
            content = b"" if is_too_large else file.read(max_bytes + 1)
        if is_too_large or len(content) > max_bytes:
            raise UnreadableError(f"larger than {max_bytes >> 20} MiB")
        return content


@contextmanager
def unreadable_errors() -> Iterator[None]:
    """Turn exceptions of archives and of the operating system into `UnreadableError`."""
    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        raise UnreadableError("cannot be opened", error.strerror) from error
    except RuntimeError as error:  # `zipfile`: encrypted, or compressed by an unknown method
        raise UnreadableError("encrypted or packed in an unknown way", error) from error
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, *_ARCHIVE_ERRORS) as error:
        raise UnreadableError("truncated or damaged", error) from error


_ARCHIVE_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError)


class FolderTree(FileTree):
    """A folder on the disk; symbolic links are followed, except to a folder that contains them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: list[str] = []
        with oserror_as_input_error(path):
            walk = os.walk(path, onerror=_raise_error, followlinks=True)
            for folder, subfolders, files in walk:
                subfolders[:] = sorted(name for name in subfolders if not _is_loop(folder, name))
                relative_folder = Path(folder).relative_to(path)
                self._names += [(relative_folder / file).as_posix() for file in sorted(files)]

    def file_names(self) -> list[str]:
        return self._names

    def open_file(self, name: str) -> IO[bytes]:
        path = self._path / name
        if not path.exists():
            raise UnreadableError("cannot be opened", "a link to nothing")
        if not path.is_file():  # reading a named pipe would block forever
            raise UnreadableError("not a file")
        with unreadable_errors():
            return path.open("rb")

    def file_size(self, name: str) -> int:
        return (self._path / name).stat().st_size

    def describe_location(self, name: str) -> str:
        return str(self._path / name)

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _raise_error(error: OSError) -> None:
    raise error


def _is_loop(folder: str, name: str) -> bool:
    """Whether a symbolic link leads to the folder that contains it, or to one of its parents."""
    link = os.path.join(folder, name)
    target, real_folder = Path(os.path.realpath(link)), Path(os.path.realpath(folder))
    return os.path.islink(link) and (target == real_folder or target in real_folder.parents)


T = TypeVar("T")


class ArchiveTree(FileTree, Generic[T]):
    """Files in an archive, whose paths may be arbitrary.

    Arguments:
        entries: Pairs of a path as the archive states it, and the member with the content. Of
            members with the same normalised path the last one counts, as after extraction.
    """

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._members: dict[str, T] = {}
        self._shadowed: list[str] = []
        for stated_path, member in entries:
            name = str(PurePosixPath(stated_path.replace("\\", "/")))
            if name in self._members:
                self._shadowed.append(name)
            self._members[name] = member

    def shadowed_names(self) -> list[str]:
        return self._shadowed

    def describe_location(self, name: str) -> str:
        return f"{name} in the extracted archive"

    def is_inside(self, name: str) -> bool:
        path = PurePosixPath(name)
        return not (path.is_absolute() or ".." in path.parts or _WINDOWS_DRIVE.match(name))

    def _check_inside(self, name: str) -> None:
        if not self.is_inside(name):
            raise UnreadableError("its path leads out of the archive")


_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:(/|$)")


class ZipTree(ArchiveTree[zipfile.ZipInfo]):
    """A ZIP archive."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        members = (member for member in self._archive.infolist() if not member.is_dir())
        super().__init__((member.filename, member) for member in members)

    def file_names(self) -> list[str]:
        return sorted(self._members)

    def open_file(self, name: str) -> IO[bytes]:
        self._check_inside(name)
        with unreadable_errors():
            return self._archive.open(self._members[name])

    def file_size(self, name: str) -> int:
        return self._members[name].file_size

    def close(self) -> None:
        self._archive.close()


class TarTree(ArchiveTree[tarfile.TarInfo]):
    """A TAR archive, compressed or not; links lead to other members, devices are not files."""

    def __init__(self, path: Path) -> None:
        self._archive = tarfile.open(path)  # noqa: SIM115 - `close` closes it
        try:
            super().__init__(_resolve_links(self._archive.getmembers()))
        except Exception:
            self._archive.close()
            raise

    def file_names(self) -> list[str]:
        # In the order of the archive: seeking backwards means to decompress from the start.
        return sorted(self._members, key=lambda name: self._members[name].offset_data)

    def open_file(self, name: str) -> IO[bytes]:
        self._check_inside(name)
        member = self._members[name]
        if member.islnk() or member.issym():
            raise UnreadableError("cannot be opened", "a link to nothing")
        with unreadable_errors():
            file = self._archive.extractfile(member)
        if file is None:
            raise UnreadableError("not a file")
        return file

    def file_size(self, name: str) -> int:
        return self._members[name].size

    def close(self) -> None:
        self._archive.close()


def _resolve_links(members: Sequence[tarfile.TarInfo]) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Pair the path of each file or link with the member that has its content."""
    members_by_path = {posixpath.normpath(member.name): member for member in members}
    for member in members:
        target, visited_paths = member, {member.name}
        while (path := _link_target(target)) in members_by_path and path not in visited_paths:
            visited_paths.add(path)
            target = members_by_path[path]
        if target.isfile() or path:  # broken links are kept, to be reported
            yield member.name, target


def _link_target(member: tarfile.TarInfo) -> str:
    """Path in the archive that a link leads to; empty if the member is not a link."""
    if member.islnk():
        return posixpath.normpath(member.linkname)
    if member.issym():
        folder = posixpath.dirname(member.name)
        return posixpath.normpath(posixpath.join(folder, member.linkname))
    return ""


@contextmanager
def open_file_tree(path: Path) -> Iterator[FileTree]:
    """Open a folder or an archive, whose format is recognised by its content.

    Raises:
        InputError: It is neither, or damaged.
    """
    if path.is_dir():
        yield FolderTree(path)
        return
    with oserror_as_input_error(path), closing(_open_archive(path)) as tree:
        yield tree


def _open_archive(path: Path) -> FileTree:
    if not path.is_file():
        raise InputError(f"{path}: neither a folder nor a file")
    try:
        if zipfile.is_zipfile(path):
            return ZipTree(path)
        return TarTree(path)
    except (EOFError, ValueError, zlib.error, lzma.LZMAError, *_ARCHIVE_ERRORS) as error:
        raise InputError(
            f"{path}: expected a folder, or a complete ZIP or TAR archive, "
            f"got {_describe_file(path, error)}"
        ) from error


def _describe_file(path: Path, error: Exception) -> str:
    """Describe a file that could not be opened as an archive."""
    with path.open("rb") as file:
        if file.read(4) == b"PK\3\4":
            return "a truncated ZIP archive"
    if is_image_file(path):
        return "a single image; name its folder"
    reason = str(error)  # of `tarfile`, several lines: one for each compression it has tried
    return "another file" if "\n" in reason else f"another file ({reason})"
