"""How many processes make sense here, and starting them while signals may come."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker


def how_it_ended(exitcode: int | None) -> str:
    """Says how a process ended, from its exit code: less than 0 where a signal killed it."""
    if exitcode is not None and -exitcode in {*signal.Signals}:
        return f"was killed by {signal.Signals(-exitcode).name}"
    return f"ended with {exitcode}"


def num_cores() -> int:
    """Counts the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
