"""Number of usable cores, exit codes, and starting processes while signals may arrive."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType
from typing import Any


def describe_exit(exit_code: int | None) -> str:
    """Describe how a process ended; a negative exit code means that a signal killed it."""
    if exit_code is not None and -exit_code in {*signal.Signals}:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended with {exit_code}"


def num_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def blocked_signals(signals: Sequence[signal.Signals]) -> Iterator[None]:
    """Block signals while processes are started.

    A signal to the process group is then delivered to the parent alone, after the context: child
    processes inherit the blocked signals and never unblock them. In the main thread this also
    holds where other threads do not block the signals and one of them receives it.
    """
    resource_tracker.ensure_running()  # which unblocks them when it starts
    received: list[int] = []
    handlers = _replace_handlers(signals, lambda number, frame: received.append(number))
    previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)
        for received_signal in received:
            signal.raise_signal(received_signal)


def _replace_handlers(
    signals: Sequence[signal.Signals], handler: Callable[[int, FrameType | None], object]
) -> dict[signal.Signals, Any]:
    """Install a handler, and return the previous ones; only the main thread can do this."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number in signals}
