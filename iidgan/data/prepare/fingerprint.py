"""Fingerprint of the files that a data set was prepared from, to notice changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from iidgan.data.prepare.archives import FolderTree


def compute_fingerprint(
    paths: Iterable[Path], is_ignored: Callable[[Path], bool] = lambda path: False
) -> str:
    """Hash names, sizes and modification times of all files at some paths, without reading them.

    Arguments:
        paths: Files and folders.
        is_ignored: Predicate of files that do not count, because they are made from the others.

    Returns:
        A digest in hexadecimal; empty if there are no files.
    """
    files = (file for path in paths for file in _list_files(path) if not is_ignored(file))
    lines = sorted(line for file in files for line in _describe_file(file))
    return hashlib.sha256("\n".join(lines).encode(errors="replace")).hexdigest() if lines else ""


def _list_files(path: Path) -> Iterable[Path]:
    if not path.is_dir():
        return [path]
    return (Path(path, name) for name in FolderTree(path).file_names())


def _describe_file(path: Path) -> list[str]:
    try:
        status = path.stat()
    except OSError:  # a broken link, or a file that was removed a moment ago
        return []
    return [f"{path} {status.st_size} {status.st_mtime_ns}"]
