"""All files below a folder, in a fixed order and in bounded time."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from iidgan.errors import InputError

MAX_DEPTH = 100
"""Maximum number of folders within each other."""
MAX_LINKS = 40
"""Maximum number of links that lead to one another, or to one folder."""


@dataclass(frozen=True)
class _Folder:
    """A folder on the way through a file tree.

    Arguments:
        prefix: Its path in the tree, with a final `/`; empty for the root.
        real_path: Its path without links.
        visited: The real paths of the folders that lead to it, and its own.
    """

    prefix: str
    real_path: str
    visited: tuple[str, ...]

    def enter(self, entry: os.DirEntry[str]) -> _Folder | None:
        """Return a subfolder, or None if it is a link to a folder that contains this one."""
        real_path = os.path.join(self.real_path, entry.name)
        if entry.is_symlink():
            real_path = os.path.realpath(real_path)
            if os.path.join(self.real_path, "").startswith(os.path.join(real_path, "")):
                return None
        if real_path in self.visited:
            return None
        return _Folder(f"{self.prefix}{entry.name}/", real_path, (*self.visited, real_path))


def walk_files(root: Path) -> Iterator[str]:
    """Yield the paths of all files in a folder: its own files first, then those of its subfolders.

    Symbolic links are followed, except to a folder that contains them.

    Arguments:
        root: The folder.

    Raises:
        InputError: Folders are too deep, or too many links lead to the same one.
        OSError: A folder cannot be listed.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     Path(folder, "a").mkdir()
        ...     for name in ("a/2.png", "a/1.png", "readme.txt"):
        ...         Path(folder, name).touch()
        ...     list(walk_files(Path(folder)))
        ['readme.txt', 'a/1.png', 'a/2.png']
    """
    real_root = os.path.realpath(root)
    pending = [_Folder("", real_root, (real_root,))]
    num_visits: Counter[str] = Counter()
    while pending:
        folder = pending.pop()
        check_depth(root, folder.prefix)
        num_visits[folder.real_path] += 1
        if num_visits[folder.real_path] > MAX_LINKS:
            raise InputError(
                f"{folder.real_path}: more than {MAX_LINKS} paths in {root} lead to this folder; "
                "remove links"
            )
        with os.scandir(os.path.join(root, folder.prefix)) as entries:
            by_name = sorted(entries, key=lambda entry: entry.name)
        yield from (f"{folder.prefix}{entry.name}" for entry in by_name if not _is_folder(entry))
        subfolders = [folder.enter(entry) for entry in by_name if _is_folder(entry)]
        pending += [subfolder for subfolder in reversed(subfolders) if subfolder is not None]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself
        return False


def check_depth(location: Path, name: str) -> None:
    """Check the number of folders in a path, with which the time to handle it grows.

    Arguments:
        location: Folder or archive that contains the path.
        name: The path, with `/` between folders.

    Raises:
        InputError: They are too many.
    """
    depth = name.count("/")
    if depth > MAX_DEPTH:
        raise InputError(
            f"{location}: expected at most {MAX_DEPTH} folders within each other, got {depth} in "
            f"{name[:40]!r}...; move the files up"
        )
