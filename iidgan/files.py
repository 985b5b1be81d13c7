"""Files that exist whole or not at all, and files that grow by whole lines."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from iidgan.errors import BusyError, InputError

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


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other processes that ask for the same folder away until it is left or this one ends.

    Raises:
        BusyError: Another process has it.
    """
    with explained(folder):
        handle = os.open(folder, os.O_RDONLY)
    try:
        with explained(folder):
            _lock(handle, folder)
        yield
    finally:
        os.close(handle)


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Waits while another process is here for the same file, which stays behind, empty."""
    with explained(path):
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(
            f"out: {folder} is in use by another process; wait for it, or choose another folder"
        ) from None


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


def append_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Appends one JSON line a record; cuts off a line that a crash left half-written before."""
    text = "".join(json.dumps(record) + "\n" for record in records)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            _cut_torn_line(file)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def _cut_torn_line(file: Any) -> None:  # noqa: ANN401 - a binary file
    end = file.seek(0, os.SEEK_END)
    if not end:
        return
    file.seek(end - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Reads JSON lines; a last line without its end does not count. No file: no lines."""
    with explained(path):
        content = path.read_bytes() if path.exists() else b""
    whole, _, _ = content.rpartition(b"\n")
    return [_object(line, f"{path}: line {i}") for i, line in enumerate(whole.splitlines(), 1)]


def _object(line: bytes, place: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise InputError(f"{place} is no JSON object")
    return found


def keep_lines(path: Path, keep: Callable[[dict[str, Any]], bool]) -> None:
    """Rewrites a file of JSON lines without those that are not to be kept."""
    records = read_lines(path)
    kept = [record for record in records if keep(record)]
    if len(kept) < len(records):
        write_text(path, "".join(json.dumps(record) + "\n" for record in kept))
