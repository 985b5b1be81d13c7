"""Locks between processes, held on folders and files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iidgan.errors import FolderInUseError
from iidgan.utils.files import oserror_as_input_error


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Lock a folder against other processes until the context or this process ends.

    Raises:
        FolderInUseError: Another process holds the lock.
    """
    with oserror_as_input_error(folder):
        handle = os.open(folder, os.O_RDONLY)
    try:
        with oserror_as_input_error(folder):
            _lock_or_refuse(handle, folder)
        yield
    finally:
        os.close(handle)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Lock a file, after waiting for other processes; an empty file is left under its name."""
    with oserror_as_input_error(path):
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _lock_or_refuse(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderInUseError(
            f"out: {folder} is in use by another process; wait for it, or choose another folder"
        ) from None
