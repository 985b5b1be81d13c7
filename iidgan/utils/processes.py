"""Number of usable cores, exit codes, signals, and starting processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import ForkServerContext, SpawnContext
from types import FrameType
from typing import Any

from iidgan.errors import InputError

STOP_SIGNALS = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals that ask a process to end: Ctrl-C, `kill`, and a terminal that is closed."""
NO_MAIN_GUARD_EXIT_CODE = 78
"""Exit code of a worker process that runs the main script again; EX_CONFIG of sysexits.h."""


def describe_exit(exit_code: int | None) -> str:
    """Describe how a process ended; a negative exit code means that a signal killed it.

    Arguments:
        exit_code: Exit code as `multiprocessing` reports it; None if it is unknown.

    Examples:
        >>> describe_exit(-9)
        'was killed by SIGKILL'
        >>> describe_exit(1)
        'ended with 1'
    """
    if exit_code is not None and -exit_code in {*signal.Signals}:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended with {exit_code}"


def drop_ignored_hangup(signals: Iterable[signal.Signals]) -> list[signal.Signals]:
    """List signals without an ignored SIGHUP: `nohup` ignores it to outlive the terminal.

    Arguments:
        signals: The signals.
    """
    return [
        number
        for number in signals
        if number.name != "SIGHUP" or signal.getsignal(number) != signal.SIG_IGN
    ]


def exit_without_main_guard() -> None:
    """End a worker process whose import of the main script would start the same work again.

    The script lacks `if __name__ == "__main__":`; the parent says so (`check_main_guard`).
    """
    # The attribute by which multiprocessing itself refuses to start processes.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(NO_MAIN_GUARD_EXIT_CODE)  # a forked worker would turn SystemExit into 1


def check_main_guard(exit_code: int | None) -> None:
    """Check that a worker process did not end by `exit_without_main_guard`.

    Arguments:
        exit_code: Exit code of the worker process; None if it is unknown.

    Raises:
        InputError: It did.
    """
    if exit_code == NO_MAIN_GUARD_EXIT_CODE:
        raise InputError(
            "workers: every worker process imports the main script, which calls iidgan again; put "
            'its code below `if __name__ == "__main__":`, or use one process'
        ) from None  # how the end of the process was noticed explains nothing


def check_main_script() -> None:
    """Check that worker processes can import the main script, if there is one.

    Raises:
        InputError: It was read from standard input.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is not None and not os.path.exists(script):
        raise InputError(
            f"workers: every worker process imports the main script, which is no file ({script}); "
            "save it as one, or use one process"
        )


def num_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def num_launched_processes() -> int:
    """Return how many processes torchrun started, with this one; 1 without torchrun."""
    return int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def is_follower() -> bool:
    """Return whether torchrun started this process, and it is not the first one."""
    return num_launched_processes() > 1 and os.environ["RANK"] != "0"


def worker_context(preload: str) -> SpawnContext | ForkServerContext:
    """Return the context that starts worker processes.

    Where it exists, a server process imports `preload` once, and is forked for each worker: a
    worker then starts in a moment instead of the seconds that importing torch takes.

    Arguments:
        preload: A module that workers need.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    return context


@contextmanager
def blocked_signals(signals: Sequence[signal.Signals]) -> Iterator[None]:
    """Block signals while processes are started.

    A signal to the process group is then delivered to the parent alone, after the context: child
    processes inherit the blocked signals and never unblock them. In the main thread this also
    holds where other threads do not block the signals and one of them receives it.

    Arguments:
        signals: The signals to block.
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
