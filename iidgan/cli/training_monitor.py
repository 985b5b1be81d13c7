"""Progress of trainings: a live panel on a terminal, otherwise a line from time to time."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import Progress
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from iidgan.cli import progress
from iidgan.cli.console import create_console
from iidgan.engine.loop import LogRecord

MAX_RUNS_SHOWN = 8
"""Runs of a table that have lines of their own in the panel."""
MAX_SEEDS_NAMED = 6
REFRESHES_PER_SECOND = 4
STOPPING = "stopping after saving; press Ctrl-C again to stop at once"


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


def format_duration(seconds: float) -> str:
    """Format a time in one unit, or two.

    Arguments:
        seconds: The time in seconds.

    Examples:
        >>> format_duration(8.4), format_duration(90), format_duration(7_500)
        ('8 s', '1 min 30 s', '2 h 5 min')
    """
    minutes, remaining_seconds = divmod(round(seconds), 60)
    hours, remaining_minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {remaining_minutes} min"
    return f"{minutes} min {remaining_seconds} s" if minutes else f"{remaining_seconds} s"


def format_speed(steps_per_second: float) -> str:
    """Format a number of steps per second, or of seconds per step if they are slow.

    Arguments:
        steps_per_second: The number.

    Examples:
        >>> format_speed(412.3), format_speed(2.34), format_speed(0.25)
        ('412 steps/s', '2.3 steps/s', '4.0 s per step')
    """
    if steps_per_second < 1:
        return f"{1 / steps_per_second:.1f} s per step"
    return f"{steps_per_second:,.{0 if steps_per_second >= 10 else 1}f} steps/s"


@dataclass
class _RunState:
    """What is known of one training.

    Arguments:
        label: Its name.
        num_steps: Its number of steps.
        last_steps: Last step of the seeds of each process.
        losses: The last losses.
        coverage: The last coverage.
        diverged: Seeds that have diverged.
    """

    label: str
    num_steps: int
    last_steps: dict[tuple[int, ...], int] = field(default_factory=dict)
    losses: str = ""
    coverage: str = ""
    diverged: set[int] = field(default_factory=set)

    @property
    def step(self) -> int:
        """Step of the slowest process."""
        return min(self.last_steps.values(), default=0)

    @property
    def is_done(self) -> bool:
        return self.step >= self.num_steps

    def update(self, record: LogRecord) -> None:
        """Take over a record; what the thread that draws may be reading is never changed."""
        self.last_steps = {**self.last_steps, record.seeds: record.step}
        self.losses = format_losses(record)
        self.coverage = format_coverage(record) or self.coverage
        self.diverged = {*self.diverged, *_iterate_diverged(record)}

    def describe_divergence(self) -> str:
        """Name the seeds that have diverged, or say how many have."""
        if not self.diverged:
            return ""
        if len(self.diverged) > MAX_SEEDS_NAMED:
            return f"{len(self.diverged)} seeds diverged"
        noun = "seed" if len(self.diverged) == 1 else "seeds"
        return f"diverged: {noun} {', '.join(map(str, sorted(self.diverged)))}"

    def describe_numbers(self) -> str:
        """Return everything that was measured, in one line."""
        return "  ".join(filter(None, (self.losses, self.coverage, self.describe_divergence())))


def _iterate_diverged(record: LogRecord) -> Iterator[int]:
    """Yield the seeds that diverged, now or, before the training was resumed, earlier."""
    for position, seed in enumerate(record.seeds):
        values = [losses[position] for losses in record.losses.values()]
        if position in record.diverged or (values and not any(map(math.isfinite, values))):
            yield seed


class TrainingMonitor:
    """Display of one or more trainings, as a context.

    Arguments:
        total_steps: Number of steps of each training.
        labels: Name of each training.
        console: Where it is shown; by default standard error.
        get_time: Clock, in seconds.
    """

    def __init__(
        self,
        total_steps: Sequence[int],
        labels: Sequence[str],
        *,
        console: Console | None = None,
        get_time: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or create_console(stderr=True)
        self._runs = [_RunState(*item) for item in zip(labels, total_steps)]
        # Only the clockwork of rich's display: speed, and time left.
        self._clockwork = Progress(console=self._console, auto_refresh=False, get_time=get_time)
        task_id = self._clockwork.add_task("", total=sum(total_steps))
        (self._task,) = (task for task in self._clockwork.tasks if task.id == task_id)
        self._get_time, self._last_printed = get_time, get_time()
        self._is_stopping = False
        self._live = Live(
            console=self._console,
            get_renderable=self.render,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
        )

    @property
    def _has_panel(self) -> bool:
        return self._console.is_terminal and not self._console.is_dumb_terminal

    def __enter__(self) -> TrainingMonitor:
        if self._has_panel:
            self._live.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, run_index: int, message: str, record: LogRecord | None) -> None:
        """Show a message or a log record of one training.

        Arguments:
            run_index: Position of the training.
            message: Message for the user, or empty.
            record: Log record, or None.
        """
        run = self._runs[run_index]
        if message:
            self._print_line(f"{run.label}: {message}")
        if record is not None:
            run.update(record)
            self._clockwork.update(self._task.id, completed=sum(run.step for run in self._runs))
            if not self._has_panel:
                self._print_record(run)

    def _print_record(self, run: _RunState) -> None:
        """Print a line on one training, unless the last one was printed just before.

        A single training always ends with a line, which has its last losses.
        """
        is_end = run.is_done and len(self._runs) == 1
        if self._get_time() < self._last_printed + progress.SECONDS_PER_LINE and not is_end:
            return
        self._last_printed = self._get_time()
        done = f"{self._describe_done()}; " * (len(self._runs) > 1)
        position = f"{done}{run.label}: step {run.step} of {run.num_steps}"
        texts = (position, *self._describe_pace(), run.describe_numbers())
        self._print_line("  ".join(filter(None, texts)))

    def _print_line(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _describe_done(self) -> str:
        return f"{sum(run.is_done for run in self._runs)} of {len(self._runs)} runs trained"

    def _describe_pace(self) -> tuple[str, ...]:
        """Describe speed and time left, as far as they are known."""
        speed, seconds_left = self._task.speed, self._task.time_remaining
        if not speed or seconds_left is None or self._task.finished:
            return ()
        return format_speed(speed), f"{format_duration(seconds_left)} left"

    def acknowledge_stop(self) -> None:
        """Confirm Ctrl-C at once: a measurement or a compilation may have to finish first.

        It is called inside a signal handler, which may have interrupted Python's buffers or the
        panel: without a panel it writes past them, and a panel shows it at its next refresh.
        """
        self._is_stopping = True
        if not self._live.is_started:
            with suppress(OSError):
                os.write(2, f"\n{STOPPING}\n".encode())

    def render(self) -> Panel:
        """Return the panel: steps, speed, time left, losses, coverage and diverged seeds."""
        completed, total = int(self._task.completed), int(self._task.total or 0)
        has_one_run = len(self._runs) == 1
        steps = (
            f"step {completed:,} of {total:,}"
            if has_one_run
            else f"{completed:,} of {total:,} steps"
        )
        lines: list[RenderableType] = [
            _make_bar(total, completed),
            Text("  ".join((steps, *self._describe_pace()))),
        ]
        if has_one_run:
            (run,) = self._runs
            texts = (run.losses, run.coverage)
            lines += [Text(text) for text in texts if text]
            lines += [Text(text, "red") for text in (run.describe_divergence(),) if text]
        else:
            lines += self._render_runs()
        if self._is_stopping:
            lines.append(Text(STOPPING, "yellow"))
        title = self._runs[0].label if has_one_run else self._describe_done()
        return Panel(Group(*lines), title=Text(title, overflow="ellipsis"), title_align="left")

    def _render_runs(self) -> list[RenderableType]:
        """Return a table of the runs that are being trained, as far as there is space."""
        running = [run for run in self._runs if run.last_steps and not run.is_done]
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=2)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=3)
        for run in running[:MAX_RUNS_SHOWN]:
            percentage = f"{100 * run.step // run.num_steps} %"
            numbers = Text(run.describe_numbers(), "red" if run.diverged else "")
            table.add_row(Text(run.label), percentage, numbers)
        num_hidden = len(running) - MAX_RUNS_SHOWN
        return [table] if num_hidden <= 0 else [table, Text(f"and {num_hidden} more")]


def _make_bar(total: int, completed: int) -> Table:
    """Return a bar as a line of its own: alone, rich's bar does not end its line."""
    line = Table.grid(expand=True)
    line.add_row(ProgressBar(total=max(total, 1), completed=completed))
    return line
