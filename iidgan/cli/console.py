"""Consoles that are wide enough for a table."""

from __future__ import annotations

from rich.console import Console

MIN_WIDTH = 40
"""Characters of a line, also on narrower terminals, which then wrap lines."""


def create_console(*, stderr: bool = False, markup: bool = True) -> Console:
    """Create a console for standard output or standard error, at least 40 characters wide.

    Arguments:
        stderr: Whether it writes to standard error.
        markup: Whether texts in square brackets are styles.
    """
    console = Console(stderr=stderr, markup=markup)
    if console.width < MIN_WIDTH:
        console.width = MIN_WIDTH
    return console


def is_ascii(console: Console) -> bool:
    """Return whether a console shows ASCII alone."""
    return console.options.ascii_only
