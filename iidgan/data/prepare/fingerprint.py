"""Whether the files that a set was made from are still those that they were."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from iidgan.data.prepare.archives import Folder


def trace(places: Iterable[Path], made: Callable[[Path], bool] = lambda path: False) -> str:
    """Digests names, sizes and times of writing of all files at some paths, but reads none.

    Arguments:
        places: Files and folders.
        made: Tells which files do not count, as they are made of the others.

    Returns:
        A digest in hexadecimal; empty where there are no files.
    """
    paths = (path for place in places for path in _files(place) if not made(path))
    found = sorted(line for path in paths for line in _lines(path))
    return hashlib.sha256("\n".join(found).encode(errors="replace")).hexdigest() if found else ""


def _files(place: Path) -> Iterable[Path]:
    if not place.is_dir():
        return [place]
    return (Path(place, name) for name in Folder(place).names())


def _lines(path: Path) -> list[str]:
    try:
        found = path.stat()
    except OSError:  # a link to nothing, or a file that was there a moment ago
        return []
    return [f"{path} {found.st_size} {found.st_mtime_ns}"]
