"""Locks between processes, held on folders and files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iidgan.errors import BusyError
from iidgan.utils.files import explained


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
