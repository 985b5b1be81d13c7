"""Errors that say that memory is exhausted."""

from __future__ import annotations

import re

_OUT_OF_MEMORY = re.compile(
    "allocate memory|not enough memory|out of memory|size calculation overflowed", re.I
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of Python, NumPy or torch means that memory is exhausted.

    Arguments:
        error: The error.

    Examples:
        >>> is_out_of_memory(MemoryError()), is_out_of_memory(ValueError("shapes differ"))
        (True, False)
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and bool(_OUT_OF_MEMORY.search(str(error)))
