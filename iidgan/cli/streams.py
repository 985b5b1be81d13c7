"""Standard streams whose reader may go away while a command runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress

TYPE_CHECKING = False  # as in `typing`, whose import takes as long as the rest of `iidgan --help`
if TYPE_CHECKING:
    from typing import Any, TextIO


class LossyStream:
    """A text stream that drops what it cannot write, so that a lost reader ends no command.

    Arguments:
        stream: The stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, or drop it."""
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, or drop it."""
        self._attempt(self._stream.flush)

    def _attempt(self, operation: Callable[[], object]) -> None:
        try:
            operation()
        except (BlockingIOError, ValueError):  # the reader is busy, or the stream is closed
            pass
        except OSError:  # the reader is gone
            discard_stream(self._stream)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of a stream
        return getattr(self._stream, name)


@contextmanager
def lossy_stderr() -> Iterator[None]:
    """Drop what cannot be written to standard error while the context is active."""
    with open(os.devnull, "w") as null_stream:
        stream = LossyStream(sys.stderr or null_stream)
        with redirect_stderr(stream):
            yield


def discard_stream(stream: TextIO) -> None:
    """Redirect a stream to /dev/null, so that nothing fails when its buffer is written at exit.

    Arguments:
        stream: The stream, such as standard output.
    """
    with suppress(OSError, ValueError):  # some streams have no file
        null_handle = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null_handle, stream.fileno())
        os.close(null_handle)


def reserve_standard_descriptors() -> None:
    """Open closed standard streams, so that no other file gets their numbers.

    What is written to standard error would go into that file.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
