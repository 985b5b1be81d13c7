"""Files and folders that are written as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from iidgan.errors import InputError

PARTIAL = ".partial-"
"""What the names of files and folders begin with that are being written or removed."""
MANIFEST = "MANIFEST.json"


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns an operating system's refusal (disk full, no permission, ...) into one clear line."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise InputError(f"{where}: {error.strerror or error}") from error


def cache() -> Path:
    """The user's folder for what can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "iidgan").expanduser()


def write(path: Path, fill: Callable[[Path], object]) -> None:
    """Writes a file through `fill(temporary path)`: flushed, then renamed into place."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f"{PARTIAL}{path.stem}-", suffix=path.suffix
        )
        os.close(handle)
        temporary = Path(name)
        try:
            fill(temporary)
            temporary.chmod(0o644)
            sync(temporary)
            temporary.replace(path)
            sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    write(path, lambda temporary: temporary.write_text(text))


def write_folder(path: Path, fill: Callable[[Path], object]) -> None:
    """Writes a folder through `fill(temporary folder)`, with a manifest of its files' digests."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f"{PARTIAL}{path.name}-"))
        try:
            fill(temporary)
            digests = {file.name: digest(file) for file in sorted(temporary.iterdir())}
            (temporary / MANIFEST).write_text(json.dumps(digests, indent=1))
            temporary.chmod(0o755)
            for place in (*temporary.iterdir(), temporary):
                sync(place)
            if path.exists():
                remove_folder(path)
            temporary.replace(path)
            sync(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Removes a folder so that a crash leaves no half of it under its name."""
    with explained(path):
        doomed = Path(tempfile.mkdtemp(dir=path.parent, prefix=PARTIAL))
        try:
            path.replace(doomed)
        finally:
            shutil.rmtree(doomed, ignore_errors=True)


def set_aside(path: Path) -> Path:
    """Renames a folder to `damaged-...`, in the place of an earlier one of that name."""
    aside = path.with_name(f"damaged-{path.name}")
    with explained(path):
        if aside.exists():
            remove_folder(aside)
        return path.replace(aside)


def sweep(folder: Path) -> None:
    """Removes what a crash left half-written or half-removed."""
    with explained(folder):
        for path in folder.glob(f"{PARTIAL}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def damage(folder: Path) -> str | None:
    """Says what is wrong with a folder that `write_folder` wrote, or None."""
    try:
        digests = json.loads((folder / MANIFEST).read_text())
        for name, expected in digests.items():
            if digest(folder / name) != expected:
                return f"{name} does not match its digest"
    except (OSError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Asks the operating system to put a file or folder on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
