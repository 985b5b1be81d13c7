"""What a user sees of a training: a live bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from iidgan.engine.loop import Tick

PATIENCE = 30.0  # seconds between lines, where there is no terminal to draw a bar on


def bars(console: Console) -> Progress:
    """Creates the display: name, bar, steps, times, losses."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def teller(progress: Progress, name: str, what: str) -> Callable[[int, int | None], None]:
    """Makes what shows how many are done: a bar, or a line now and then without a terminal.

    Arguments:
        progress: The display of `bars`.
        name: What is shown in front.
        what: What is counted.
    """
    task, told = progress.add_task(name, total=None, losses=""), time.monotonic()

    def tell(done: int, total: int | None) -> None:
        nonlocal told
        progress.update(task, completed=done, total=total)
        if not progress.console.is_terminal and time.monotonic() > told + PATIENCE:
            told = time.monotonic()
            of = "" if total is None else f" of {total:,}"
            progress.console.print(f"{name}: {done:,}{of} {what}", highlight=False, markup=False)

    return tell


def heard() -> None:
    """Answers Ctrl-C at once, since a measurement or a compilation may have to end first.

    Writes past Python's buffers, which the signal may have found in use.
    """
    with suppress(OSError):
        os.write(2, b"\nstopping as soon as all is saved; once more to stop at once\n")


def losses(tick: Tick) -> str:
    """Shows the adversarial losses, averaged over the seeds that have not diverged."""
    shown = []
    for name, values in tick.losses.items():
        finite = [value for value in values if math.isfinite(value)]
        if name.endswith("/adversarial") and finite:
            shown.append(f"{name.partition('/')[0]} {sum(finite) / len(finite):.3f}")
    return "  ".join(shown)


class Monitor:
    """Listens to trainings.

    Arguments:
        steps: Length of each training.
        names: What is shown in front of each bar.
    """

    def __init__(self, steps: Sequence[int], names: Sequence[str]) -> None:
        self._console = Console(stderr=True)
        self._progress = bars(self._console)
        self._tasks = [
            self._progress.add_task(name, total=total, losses="")
            for name, total in zip(names, steps)
        ]
        self._steps, self._names, self._told = steps, names, [0] * len(names)

    def __enter__(self) -> Monitor:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def tell(self, index: int, news: str, tick: Tick | None) -> None:
        """Shows a line of news, or a tick, of one training."""
        if news:
            self._print(index, news)
        if tick is not None:
            shown = losses(tick)
            self._progress.update(self._tasks[index], completed=tick.step, losses=shown)
            tenth = 10 * tick.step // self._steps[index]
            if not self._console.is_terminal and tenth > self._told[index]:
                self._told[index] = tenth
                self._print(index, f"step {tick.step} of {self._steps[index]}  {shown}")

    def _print(self, index: int, text: str) -> None:
        line = f"{self._names[index]}: {text}"
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)
