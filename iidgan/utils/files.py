"""Files and folders that are written completely or not at all."""

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

PARTIAL_PREFIX = ".partial-"
"""Prefix of the names of files and folders that are being written or removed."""
DIGESTS_FILE = "MANIFEST.json"
"""File in a folder of `write_folder` with the SHA-256 digests of all other files."""


@contextmanager
def oserror_as_input_error(path: Path) -> Iterator[None]:
    """Turn errors of the operating system (disk full, no permission, ...) into one clear line."""
    try:
        yield
    except OSError as error:
        failed_path = error.filename or path
        raise InputError(f"{failed_path}: {error.strerror or error}") from error


def user_cache_dir() -> Path:
    """The user's folder for files that can be created again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "iidgan").expanduser()


def write_file(path: Path, write_content: Callable[[Path], object]) -> None:
    """Write a file through `write_content(temporary_path)`, flush it and rename it into place."""
    with oserror_as_input_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary_name = tempfile.mkstemp(
            dir=path.parent, prefix=f"{PARTIAL_PREFIX}{path.stem}-", suffix=path.suffix
        )
        os.close(handle)
        temporary_path = Path(temporary_name)
        try:
            write_content(temporary_path)
            temporary_path.chmod(0o644)
            fsync_path(temporary_path)
            temporary_path.replace(path)
            fsync_path(path.parent)
        finally:
            temporary_path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_file(path, lambda temporary_path: temporary_path.write_text(text))


def write_folder(path: Path, write_content: Callable[[Path], object]) -> None:
    """Write a folder through `write_content(temporary_folder)`, with the digests of its files."""
    with oserror_as_input_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary_folder = Path(
            tempfile.mkdtemp(dir=path.parent, prefix=f"{PARTIAL_PREFIX}{path.name}-")
        )
        try:
            write_content(temporary_folder)
            digests = {file.name: file_sha256(file) for file in sorted(temporary_folder.iterdir())}
            (temporary_folder / DIGESTS_FILE).write_text(json.dumps(digests, indent=1))
            temporary_folder.chmod(0o755)
            for written_path in (*temporary_folder.iterdir(), temporary_folder):
                fsync_path(written_path)
            if path.exists():
                remove_folder(path)
            temporary_folder.replace(path)
            fsync_path(path.parent)
        finally:
            shutil.rmtree(temporary_folder, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Remove a folder; after a crash it is complete under its name, or no longer there."""
    with oserror_as_input_error(path):
        trash_folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=PARTIAL_PREFIX))
        try:
            path.replace(trash_folder)
        finally:
            shutil.rmtree(trash_folder, ignore_errors=True)


def quarantine(path: Path) -> Path:
    """Rename a damaged folder to `damaged-...`, replacing an earlier folder of that name."""
    damaged_path = path.with_name(f"damaged-{path.name}")
    with oserror_as_input_error(path):
        if damaged_path.exists():
            remove_folder(damaged_path)
        return path.replace(damaged_path)


def remove_partials(folder: Path) -> None:
    """Remove files and folders that a crash left partly written or partly removed."""
    with oserror_as_input_error(folder):
        for path in folder.glob(f"{PARTIAL_PREFIX}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def integrity_error(folder: Path) -> str | None:
    """Check a folder of `write_folder` against its digests: the first error, or None."""
    try:
        digests = json.loads((folder / DIGESTS_FILE).read_text())
        for file_name, expected_digest in digests.items():
            if file_sha256(folder / file_name) != expected_digest:
                return f"{file_name} does not match its digest"
    except (OSError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def file_sha256(path: Path) -> str:
    """SHA-256 digest of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync_path(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
