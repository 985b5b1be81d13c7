"""Files by name in a folder, a ZIP or a TAR archive, without extracting them to the disk."""

from __future__ import annotations

import lzma
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

from iidgan.data.prepare.archive_checks import (
    BoundedTarInfo,
    check_zip_directory,
    list_tar_members,
)
from iidgan.data.prepare.decode import is_image_file
from iidgan.data.prepare.folder_walk import MAX_LINKS, check_depth, walk_files
from iidgan.data.prepare.reader import escape_unprintable
from iidgan.errors import InputError
from iidgan.utils.files import open_regular_file, oserror_as_input_error

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

        Arguments:
            name: One of `file_names`.

        Raises:
            UnreadableError: It cannot be opened.
        """

    @abstractmethod
    def file_size(self, name: str) -> int:
        """Return the size of a file in bytes, as the file system or the archive states it."""

    @abstractmethod
    def close(self) -> None:
        """Close all open files."""

    @abstractmethod
    def describe_location(self, name: str) -> str:
        """Describe where a user finds a file or folder of the tree on the disk."""

    def is_inside(self, name: str) -> bool:
        """Return whether a path stays inside the tree; files outside are never opened."""
        return True

    def read_file(self, name: str, max_bytes: int = MAX_IMAGE_BYTES) -> bytes:
        """Read a file of at most `max_bytes`, whatever size an archive states.

        Arguments:
            name: One of `file_names`.
            max_bytes: Largest size; the default is that of one image, 128 MiB.

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
    """A folder on the disk; symbolic links are followed, except to a folder that contains them.

    Raises:
        InputError: It cannot be listed, or its folders are too deep.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with oserror_as_input_error(path):
            self._names = list(walk_files(path))

    def file_names(self) -> list[str]:
        return self._names

    def open_file(self, name: str) -> IO[bytes]:
        path = self._path / name
        if not path.exists():
            raise UnreadableError("cannot be opened", "a link to nothing")
        if not path.is_file():
            raise UnreadableError("not a file")
        with unreadable_errors():
            return open_regular_file(path)

    def file_size(self, name: str) -> int:
        return (self._path / name).stat().st_size

    def describe_location(self, name: str) -> str:
        return str(self._path / name)

    def close(self) -> None:
        """Do nothing: no file stays open."""


T = TypeVar("T")


class ArchiveTree(FileTree, Generic[T]):
    """Files in an archive, whose paths may be arbitrary.

    Arguments:
        path: The archive.
        entries: Pairs of a path as the archive states it, and the member with the content. Of
            members with the same normalised path the last one counts, as after extraction.

    Raises:
        InputError: A path has too many folders.
    """

    def __init__(self, path: Path, entries: Iterable[tuple[str, T]]) -> None:
        self._members: dict[str, T] = {}
        self._shadowed: list[str] = []
        for stated_path, member in entries:
            check_depth(path, stated_path)
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
    """A ZIP archive.

    Raises:
        zipfile.BadZipFile: Its directory is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        try:
            check_zip_directory(path, self._archive)
            members = (member for member in self._archive.infolist() if not member.is_dir())
            super().__init__(path, ((member.filename, member) for member in members))
        except Exception:
            self._archive.close()
            raise

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
    """A TAR archive, compressed or not; links lead to other members, devices are not files.

    Raises:
        tarfile.TarError: It is another file, truncated or damaged.
    """

    def __init__(self, path: Path) -> None:
        # `close` closes it.
        self._archive = tarfile.open(path, tarinfo=BoundedTarInfo)  # noqa: SIM115
        try:
            super().__init__(path, _resolve_links(list_tar_members(self._archive)))
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
        target, path = member, _link_target(member)
        for _ in range(MAX_LINKS):
            if path not in members_by_path:
                break
            target = members_by_path[path]
            path = _link_target(target)
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

    Arguments:
        path: A folder, or a ZIP or TAR file, the latter compressed or not.

    Raises:
        InputError: It is neither, or damaged.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "images.zip")
        ...     with zipfile.ZipFile(path, "w") as archive:
        ...         archive.writestr("cats/1.png", b"first")
        ...         archive.writestr("dogs/1.png", b"second")
        ...     with open_file_tree(path) as tree:
        ...         print(tree.file_names(), tree.read_file("dogs/1.png"))
        ['cats/1.png', 'dogs/1.png'] b'second'
    """
    if path.is_dir():
        yield FolderTree(path)
        return
    with oserror_as_input_error(path), closing(_open_archive(path)) as tree:
        yield tree


def _open_archive(path: Path) -> FileTree:
    with open_regular_file(path) as file:
        start = file.read(8)
    try:
        return ZipTree(path) if start.startswith(_ZIP_START) else TarTree(path)
    except InputError:
        raise
    except Exception as error:  # damaged archives raise exceptions of any type
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the operating system
        raise InputError(
            f"{path}: expected a folder, or a complete ZIP or TAR archive, "
            f"got {_describe_file(path, start, error)}"
        ) from error


_ZIP_START = b"PK"
_PACKED_STARTS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")  # gzip, bzip2, xz


def _describe_file(path: Path, start: bytes, error: Exception) -> str:
    """Describe a file that could not be opened as an archive."""
    reason = escape_unprintable(str(error))
    if start.startswith(_ZIP_START):
        return f"a truncated or damaged ZIP archive ({reason})"
    if "\n" not in str(error):  # of `tarfile`, one line for each compression that it has tried
        return f"a truncated or damaged archive ({reason})"
    if start.startswith(_PACKED_STARTS):
        return "a packed file that is damaged, or no TAR archive"
    return "a single image; name its folder" if is_image_file(path) else "another file"
