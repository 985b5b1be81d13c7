"""Progress of a count: a live bar on a terminal, otherwise a line from time to time."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SECONDS_PER_LINE = 10.0
"""Seconds between two lines, at least, without a terminal to draw on."""


def create_progress(console: Console) -> Progress:
    """Create the display: name, bar, count and times.

    Arguments:
        console: Where it is shown; without a terminal there, nothing is.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def count_progress(progress: Progress, name: str, unit: str) -> Callable[[int, int | None], None]:
    """Create a callback `(done, total)` that shows a count.

    It moves a bar, or prints a line from time to time without a terminal.

    Arguments:
        progress: The display of `create_progress`.
        name: Label shown in front.
        unit: Plural noun of what is counted.
    """
    task_id = progress.add_task(name, total=None)
    last_printed = time.monotonic()

    def show_count(done: int, total: int | None) -> None:
        nonlocal last_printed
        progress.update(task_id, completed=done, total=total)
        if not progress.console.is_terminal and time.monotonic() > last_printed + SECONDS_PER_LINE:
            last_printed = time.monotonic()
            out_of = "" if total is None else f" of {total:,}"
            line = f"{name}: {done:,}{out_of} {unit}"
            progress.console.print(line, highlight=False, markup=False)

    return show_count
