"""Signals that end a command as Ctrl-C does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from iidgan.cli import Terminated
from iidgan.utils.processes import STOP_SIGNALS, drop_ignored_hangup


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """Raise `Terminated` on SIGTERM and SIGHUP, so that the command cleans up."""
    previous_handlers = {
        number: signal.getsignal(number)
        for number in drop_ignored_hangup(STOP_SIGNALS)
        if number != signal.SIGINT
    }

    def interrupt(number: int, frame: FrameType | None) -> None:
        for handled in previous_handlers:
            signal.signal(handled, signal.SIG_IGN)  # a second one would interrupt the cleanup
        raise Terminated(number)

    for number in previous_handlers:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
