"""An end to what would wait forever."""

import contextlib
import signal


class HangError(BaseException):
    """Something took too long; no handler of the package catches this."""


@contextlib.contextmanager
def time_limit(seconds, clock="wall"):
    """Ends the block after some seconds of a clock: `wall`, or `cpu`, which load does not slow."""
    timer, number = {
        "wall": (signal.ITIMER_REAL, signal.SIGALRM),
        "cpu": (signal.ITIMER_PROF, signal.SIGPROF),
    }[clock]

    def give_up(number, frame):
        raise HangError(f"took more than {seconds} s ({clock} time)")

    previous_handler = signal.signal(number, give_up)
    signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, previous_handler)
