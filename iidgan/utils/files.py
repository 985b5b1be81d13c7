"""Files and folders that are written completely or not at all, and safe reading of files."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from pathlib import Path, PureWindowsPath

from filelock import lock_descriptor

from iidgan.errors import InputError
from iidgan.utils.memory import is_out_of_memory

PARTIAL_PREFIX = ".partial-"
"""Prefix of the names of files and folders that are being written or removed."""
MAX_PARTIAL_SECONDS = 86_400
"""Age from which something partial is taken for a crash's where it cannot be locked."""
DIGESTS_FILE = "MANIFEST.json"
"""File in a folder of `write_folder` with the SHA-256 digests of all other files."""


@contextmanager
def oserror_as_input_error(path: Path) -> Iterator[None]:
    """Turn errors of the operating system (disk full, no permission, ...) into one clear line.

    Arguments:
        path: Path that the line names if the error does not.

    Raises:
        InputError: The operating system raised an error.

    Examples:
        >>> with oserror_as_input_error(Path("points.csv")):
        ...     raise FileNotFoundError(2, "No such file or directory", "points.csv")
        Traceback (most recent call last):
        iidgan.errors.InputError: points.csv: No such file or directory
    """
    try:
        yield
    except OSError as error:
        failed_path = error.filename or path
        raise InputError(f"{failed_path}: {error.strerror or error}") from error


_FILE_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def require_regular_file(path: str | Path) -> None:
    """Check that a path is a regular file, or a link to one.

    To read a named pipe or a socket may block forever, and to read a device may never end.

    Arguments:
        path: The path.

    Raises:
        OSError: It is something else, or does not exist.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        kind = _FILE_KINDS.get(stat.S_IFMT(mode), "something else")
        reason = f"expected a regular file, got {kind}"
        raise OSError(errno.EINVAL, reason, os.fspath(path))


def open_regular_file(path: str | Path) -> BufferedReader:
    """Open a regular file for reading its bytes.

    Arguments:
        path: The file, or a link to it.

    Raises:
        OSError: It is not a regular file, or cannot be opened.
    """
    require_regular_file(path)
    return open(path, "rb")


def read_regular_file(path: str | Path) -> bytes:
    """Read the content of a regular file.

    Raises:
        OSError: It is not a regular file, or cannot be read.
    """
    with open_regular_file(path) as file:
        return file.read()


def is_plain_name(name: str) -> bool:
    """Return whether a name is that of a file in the same folder, on any operating system.

    Arguments:
        name: The name, which may come from an untrusted file.

    Examples:
        >>> [is_plain_name(name) for name in ("model.safetensors", "../model", "C:model", "..")]
        [True, False, False, False]
    """
    return name not in ("", ".", "..") and PureWindowsPath(name).name == name


@contextmanager
def damage_as_input_error(path: Path, advice: str = "") -> Iterator[None]:
    """Turn whatever reading the content of a file raises into one clear line.

    Wrong keys, types, shapes or nesting raise errors of any kind. Errors of the operating system
    keep their reason, and a lack of memory is no damage.

    Arguments:
        path: The file.
        advice: What to do, added to the line.

    Raises:
        InputError: The content is damaged, or of another version; or the file cannot be read.
    """
    try:
        with oserror_as_input_error(path):
            try:
                yield
            except OSError as error:
                is_of_content = error.errno == errno.EINVAL and error.filename is None
                if error.errno is not None and not is_of_content:  # of a seek to a wrong position
                    raise
                raise ValueError(error) from error
    except Exception as error:
        if is_out_of_memory(error) or str(error).startswith(f"{path}: "):
            raise
        raise InputError(
            f"{path}: damaged, or of another version ({describe_error(error)})"
            + (f"; {advice}" if advice else "")
        ) from error


MAX_REASON_LENGTH = 300


def describe_error(error: Exception) -> str:
    """Describe an error in one line; those of this package need no type.

    Arguments:
        error: The error; texts of more than 300 characters are cut.

    Examples:
        >>> describe_error(KeyError("weights"))
        "KeyError: 'weights'"
        >>> describe_error(InputError("seeds: must be at least 1"))
        'seeds: must be at least 1'
    """
    text = " ".join(str(error).split())
    if len(text) > MAX_REASON_LENGTH:
        text = text[:MAX_REASON_LENGTH] + "..."
    type_name = type(error).__name__
    return text if isinstance(error, InputError) else f"{type_name}: {text}".removesuffix(": ")


def user_cache_dir() -> Path:
    """Return the user's folder for files that can be created again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "iidgan").expanduser()


def check_free_space(folder: Path, num_bytes: int, *, field: str) -> None:
    """Check that a folder, which need not exist yet, has space for a number of bytes.

    Arguments:
        folder: The folder.
        num_bytes: The bytes that will be written into it.
        field: The option that decides on their number or place, for the message.

    Raises:
        InputError: It has not.
    """
    path = folder.absolute()
    free_bytes = shutil.disk_usage(next(p for p in (path, *path.parents) if p.exists())).free
    if num_bytes > free_bytes:
        raise InputError(
            f"{field}: {num_bytes / 2**30:,.1f} GiB are needed in {folder}, "
            f"{free_bytes / 2**30:,.1f} GiB are free"
        )


def write_file(path: Path, write_content: Callable[[Path], object]) -> None:
    """Write a file atomically: it is complete under its name, or unchanged.

    The content is written to a temporary file beside it, flushed to the disk, and renamed. Missing
    folders are created.

    Arguments:
        path: The file; an existing one is replaced.
        write_content: Writes the content to the path that it gets.

    Raises:
        InputError: The operating system refuses to write.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "notes.txt")
        ...     write_file(path, lambda temporary_path: temporary_path.write_text("8 of 8 modes"))
        ...     path.read_text()
        '8 of 8 modes'
    """
    partial_file = _create_partial(path, path.stem, path.suffix, _create_file)
    with oserror_as_input_error(path), partial_file as temporary_path:
        write_content(temporary_path)
        temporary_path.chmod(0o644)
        fsync_path(temporary_path)
        temporary_path.replace(path)
        fsync_path(path.parent)


def check_writable_file(path: Path, *, field: str) -> None:
    """Check that a file can probably be written, before work that takes long.

    Arguments:
        path: The file, which may exist.
        field: Name of the option in the error.

    Raises:
        InputError: It exists and is no regular file, or its folder cannot be written to.

    Examples:
        >>> check_writable_file(Path("/"), field="out")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        iidgan.errors.InputError: out: /: expected a regular file, got a folder; choose ...
    """
    if path.exists():
        try:
            require_regular_file(path)
        except OSError as error:
            raise InputError(f"{field}: {path}: {error.strerror}; choose another name") from error
    parent = next(parent for parent in path.absolute().parents if parent.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"{field}: {parent} is no folder that can be written to; choose another")


def _create_file(folder: Path, prefix: str, suffix: str) -> Path:
    handle, name = tempfile.mkstemp(suffix, prefix, folder)
    os.close(handle)
    return Path(name)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, as `write_file` does.

    Arguments:
        path: The file; an existing one is replaced.
        text: Its content.
    """
    write_file(path, lambda temporary_path: temporary_path.write_text(text))


def write_folder(path: Path, write_content: Callable[[Path], object]) -> None:
    """Write a folder atomically, with the SHA-256 digests of its files in `MANIFEST.json`.

    Arguments:
        path: The folder; an existing one is replaced.
        write_content: Writes the files into the folder that it gets.

    Raises:
        InputError: The operating system refuses to write.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as parent:
        ...     path = Path(parent, "checkpoint")
        ...     write_folder(path, lambda folder: (folder / "step.txt").write_text("2000"))
        ...     print(integrity_error(path))
        ...     _ = (path / "step.txt").write_text("3000")
        ...     print(integrity_error(path))
        None
        step.txt does not match its digest
    """
    partial_folder = _create_partial(path, path.name, "", _create_folder)
    with oserror_as_input_error(path), partial_folder as temporary_folder:
        write_content(temporary_folder)
        _write_digests(temporary_folder)
        temporary_folder.chmod(0o755)
        for written_path in (*temporary_folder.iterdir(), temporary_folder):
            fsync_path(written_path)
        if path.exists():
            remove_folder(path)
        temporary_folder.replace(path)
        fsync_path(path.parent)


def _create_folder(folder: Path, prefix: str, suffix: str) -> Path:
    return Path(tempfile.mkdtemp(suffix, prefix, folder))


def _write_digests(folder: Path) -> None:
    digests = {file.name: file_sha256(file) for file in sorted(folder.iterdir())}
    (folder / DIGESTS_FILE).write_text(json.dumps(digests, indent=1))


def add_to_folder(folder: Path, name: str, content: bytes) -> None:
    """Add a file to a folder of `write_folder`, which is created if it does not exist.

    After a crash the file is part of the folder, or not listed in it. The caller keeps other
    writers out.

    Arguments:
        folder: The folder.
        name: Name of the new file.
        content: Its content.
    """
    if not folder.exists():
        write_folder(folder, lambda partial_folder: (partial_folder / name).write_bytes(content))
        return
    write_file(folder / name, lambda partial_file: partial_file.write_bytes(content))
    digests = read_digests(folder) | {name: file_sha256(folder / name)}
    write_text(folder / DIGESTS_FILE, json.dumps(digests, indent=1))


def read_digests(folder: Path) -> dict[str, str]:
    """Read the SHA-256 digests of the files that belong to a folder of `write_folder`.

    Arguments:
        folder: The folder.

    Returns:
        Digests in hexadecimal, by file name.

    Raises:
        InputError: The file of digests is damaged or missing.
    """
    digests_file = folder / DIGESTS_FILE
    with damage_as_input_error(digests_file):
        digests = json.loads(read_regular_file(digests_file))
        return {str(name): str(digest) for name, digest in digests.items()}


@contextmanager
def _create_partial(
    path: Path, stem: str, suffix: str, create: Callable[[Path, str, str], Path]
) -> Iterator[Path]:
    """Create a partial file or folder for `path`, locked against `remove_partials`.

    What is left of it is removed at the end, and what crashes have left for `path` at the start.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_partials(path.parent, f"{glob.escape(stem)}-{'?' * 8}{glob.escape(suffix)}")
    with ExitStack() as locks:
        while True:
            partial_path = create(path.parent, f"{PARTIAL_PREFIX}{stem}-", suffix)
            if _lock_partial(partial_path, locks) is not False:
                break  # otherwise it was removed before it was locked
        try:
            yield partial_path
        finally:
            if partial_path.is_dir():
                shutil.rmtree(partial_path, ignore_errors=True)
            elif partial_path.exists():
                partial_path.unlink()


def _lock_partial(path: Path, locks: ExitStack) -> bool | None:
    """Lock something partial until `locks` is closed, or this process ends in any way.

    Returns:
        Whether it is locked now, or None if this system cannot lock it.
    """
    if os.name != "posix":  # Windows cannot lock a folder, nor rename a file while it is open
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        locks.callback(os.close, handle)
        return lock_descriptor(handle, blocking=False) and path.exists()
    except FileNotFoundError:
        return False
    except OSError:  # as on NFS, which locks only what is open for writing
        return None


def remove_folder(path: Path) -> None:
    """Remove a folder; after a crash it is complete under its name, or no longer there."""
    with oserror_as_input_error(path):
        trash_folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=PARTIAL_PREFIX))
        try:
            path.replace(trash_folder)
        finally:
            shutil.rmtree(trash_folder, ignore_errors=True)


def quarantine(path: Path) -> Path:
    """Rename a damaged folder to `damaged-...`, replacing an earlier folder of that name.

    Arguments:
        path: The folder.

    Returns:
        Its new path.
    """
    damaged_path = damaged_name(path)
    with oserror_as_input_error(path):
        if damaged_path.exists():
            remove_folder(damaged_path)
        return path.replace(damaged_path)


def damaged_name(path: Path) -> Path:
    """Return the path under which a damaged file or folder is kept.

    Arguments:
        path: The file or folder.

    Examples:
        >>> damaged_name(Path("runs/ring/metrics.jsonl")).as_posix()
        'runs/ring/damaged-metrics.jsonl'
    """
    return path.with_name(f"damaged-{path.name}")


def remove_partials(folder: Path, name_pattern: str = "*") -> None:
    """Remove files and folders that a crash left partly written or partly removed.

    What a running process is writing stays.

    Arguments:
        folder: Folder of the partial files and folders.
        name_pattern: Glob pattern of their names, without `PARTIAL_PREFIX`.
    """
    with oserror_as_input_error(folder):
        for path in folder.glob(f"{PARTIAL_PREFIX}{name_pattern}"):
            with ExitStack() as locks, suppress(FileNotFoundError):  # another process was faster
                is_locked = _lock_partial(path, locks)
                if is_locked or (is_locked is None and _is_old(path)):
                    is_folder = path.is_dir() and not path.is_symlink()
                    shutil.rmtree(path) if is_folder else path.unlink()


def _is_old(path: Path) -> bool:
    return time.time() - path.lstat().st_mtime >= MAX_PARTIAL_SECONDS


def integrity_error(
    folder: Path, file_names: Collection[str] | re.Pattern[str] | None = None
) -> str | None:
    """Check a folder of `write_folder` against its digests: the first error, or None.

    Arguments:
        folder: The folder.
        file_names: Names of the files that it must list, and no others; or a pattern of the
            names that it may list; None: any.

    Raises:
        InputError: A file may not be read, which says nothing about its content.
    """
    try:
        digests = json.loads(read_regular_file(folder / DIGESTS_FILE))
        if reason := _names_error(digests.keys(), file_names):
            return reason
        for file_name, expected_digest in digests.items():
            if file_sha256(folder / file_name) != expected_digest:
                return f"{file_name} does not match its digest"
    except PermissionError as error:
        raise InputError(f"{error.filename or folder}: {error.strerror or error}") from error
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        return describe_error(error)
    return None


def _names_error(
    names: Collection[str], expected_names: Collection[str] | re.Pattern[str] | None
) -> str | None:
    """Check the names in a file of digests, before any of these files is opened."""
    for name in names:
        if not is_plain_name(name):
            return f"{DIGESTS_FILE}: {name!r} is not the name of a file in this folder"
    if isinstance(expected_names, re.Pattern):
        unexpected_names = [name for name in names if not expected_names.fullmatch(name)]
        return f"{DIGESTS_FILE}: unexpected {unexpected_names[0]!r}" if unexpected_names else None
    if expected_names is not None and {*names} != {*expected_names}:
        listed = ", ".join(sorted(names)) or "nothing"
        return f"{DIGESTS_FILE}: expected {', '.join(sorted(expected_names))}, got {listed}"
    return None


def file_sha256(path: Path) -> str:
    """Compute the SHA-256 digest of a regular file's content, in hexadecimal.

    Arguments:
        path: The file.

    Raises:
        OSError: It is not a regular file, or cannot be read.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "empty.txt")
        ...     path.touch()
        ...     file_sha256(path)[:16]
        'e3b0c44298fc1c14'
    """
    with open_regular_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync_path(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
