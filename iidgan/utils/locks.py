"""Locks between processes, held on files.

The operating system releases a lock when its process ends, however that happens: a file that is
left behind locks nothing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from iidgan.errors import FolderInUseError, InputError
from iidgan.utils.files import oserror_as_input_error

POLL_SECONDS = 0.01
"""Seconds between two attempts to get a lock."""


@contextmanager
def exclusive_lock(lock_file: Path, *, refusal: str, timeout: float = 0) -> Iterator[None]:
    """Hold a lock until the context or this process ends; its folder is created if it is missing.

    Arguments:
        lock_file: The file, which is removed at the end.
        refusal: Error message if another process holds the lock.
        timeout: Seconds to wait for the lock.

    Raises:
        FolderInUseError: Another process holds the lock.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     lock_file = Path(folder, "run.lock")
        ...     with exclusive_lock(lock_file, refusal="out: another process trains this run"):
        ...         print(lock_file.exists())
        ...     print(lock_file.exists())
        True
        False
    """
    lock = FileLock(lock_file, poll_interval=POLL_SECONDS)
    with oserror_as_input_error(lock_file):
        _create_folder(lock_file.parent)
        try:
            lock.acquire(timeout)
        except Timeout:
            raise FolderInUseError(refusal) from None
    try:
        yield
    finally:
        # While the lock is held: whoever opened the file before sees that it is gone, and retries.
        with suppress(OSError):  # Windows removes no open file; there, the release removes it
            lock_file.unlink()
        lock.release()


@contextmanager
def file_lock(lock_file: Path, *, timeout: float = -1) -> Iterator[None]:
    """Hold a lock after waiting for other processes; its file stays.

    Arguments:
        lock_file: The file; its folder is created if it is missing.
        timeout: Seconds to wait at most; -1: no limit.

    Raises:
        InputError: Another process still holds the lock.
    """
    lock = FileLock(lock_file, poll_interval=POLL_SECONDS)
    with oserror_as_input_error(lock_file):
        _create_folder(lock_file.parent)
        try:
            lock.acquire(timeout)
        except Timeout:
            raise InputError(
                f"{lock_file}: locked by another process for {timeout:g} s; end that process, or "
                "remove the file if there is none"
            ) from None
    try:
        yield
    finally:
        lock.release()


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # which says less than that it is a file
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
