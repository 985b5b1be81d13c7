"""Progress of a training: a live bar on a terminal, otherwise a line from time to time."""

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

from iidgan.cli.console import create_console
from iidgan.engine.loop import LogRecord

SECONDS_PER_LINE = 30.0  # between two lines, without a terminal to draw a bar on


def create_progress(console: Console) -> Progress:
    """Create the display: name, bar, steps, times, losses.

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
        TextColumn("{task.fields[losses]}"),
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
    task_id = progress.add_task(name, total=None, losses="")
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


def acknowledge_stop() -> None:
    """Confirm Ctrl-C at once, since a measurement or a compilation may have to finish first.

    Writes past Python's buffers, which the signal may have interrupted.
    """
    with suppress(OSError):
        os.write(2, b"\nstopping after saving; press Ctrl-C again to stop at once\n")


def format_losses(record: LogRecord) -> str:
    """Format one loss per player, averaged over the seeds that have not diverged.

    It is the adversarial loss, or the first one if the player has none of that name.

    Arguments:
        record: Losses of the seeds at one step, by `PLAYER/LOSS`.
    """
    shown_names: dict[str, str] = {}
    for name in record.losses:
        player_name, _, loss_name = name.partition("/")
        if loss_name == "adversarial" or player_name not in shown_names:
            shown_names[player_name] = name
    texts = []
    for player_name, name in shown_names.items():
        finite_values = [value for value in record.losses[name] if math.isfinite(value)]
        if finite_values:
            texts.append(f"{player_name} {sum(finite_values) / len(finite_values):.3f}")
    return "  ".join(texts)


def format_coverage(record: LogRecord) -> str:
    """Format the mean coverage over the seeds for which it was measured.

    Arguments:
        record: Log record of the seeds; without coverage, the text is empty.

    Examples:
        >>> record = LogRecord(100, {}, seconds=0.5, diverged={}, coverage=(0.8, 0.82, math.nan))
        >>> format_coverage(record)
        'coverage 0.81'
    """
    values = [value for value in record.coverage if math.isfinite(value)]
    return f"coverage {sum(values) / len(values):.2f}" if values else ""


class ProgressMonitor:
    """Display of one or more trainings.

    Arguments:
        total_steps: Number of steps of each training.
        labels: Label in front of each bar.
    """

    def __init__(self, total_steps: Sequence[int], labels: Sequence[str]) -> None:
        self._console = create_console(stderr=True)
        self._progress = create_progress(self._console)
        self._task_ids = [
            self._progress.add_task(label, total=total, losses="")
            for label, total in zip(labels, total_steps)
        ]
        self._total_steps, self._labels = total_steps, labels
        self._printed_tenths = [0] * len(labels)
        self._last_steps: list[dict[tuple[int, ...], int]] = [{} for _ in labels]

    def __enter__(self) -> ProgressMonitor:
        self._progress.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, run_index: int, message: str, record: LogRecord | None) -> None:
        """Show a message or a log record of one training.

        Arguments:
            run_index: Position of the training.
            message: Message for the user, or empty.
            record: Log record, or None.
        """
        if message:
            self._print_line(run_index, message)
        if record is not None:
            self._show_record(run_index, record)

    def _show_record(self, run_index: int, record: LogRecord) -> None:
        texts = format_losses(record), format_coverage(record)
        numbers_text, num_steps = "  ".join(filter(None, texts)), self._total_steps[run_index]
        last_steps = self._last_steps[run_index]
        last_steps[record.seeds] = record.step
        step = min(last_steps.values())  # of the processes that train the seeds
        self._progress.update(self._task_ids[run_index], completed=step, losses=numbers_text)
        tenths_done = 10 * step // num_steps
        if not self._console.is_terminal and tenths_done > self._printed_tenths[run_index]:
            self._printed_tenths[run_index] = tenths_done
            self._print_line(run_index, f"step {step} of {num_steps}  {numbers_text}")

    def _print_line(self, run_index: int, text: str) -> None:
        line = f"{self._labels[run_index]}: {text}"
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)
