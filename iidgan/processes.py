"""Processes that start while signals may come."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def deaf(numbers: Sequence[signal.Signals]) -> Iterator[None]:
    """Keeps signals from a process that starts here: a group gets what is meant for the parent.

    They wait for the parent; the process inherits that they wait, and never asks for them.
    """
    resource_tracker.ensure_running()  # which lets them through when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
