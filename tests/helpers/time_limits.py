"""An end to what would wait forever."""

import contextlib
import signal


class HangError(BaseException):
    """Something took too long; no handler of the package catches this."""


@contextlib.contextmanager
def time_limit(seconds):
    def give_up(number, frame):
        raise HangError(f"took more than {seconds} s")

    previous_handler = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous_handler)
