"""What a user sees of a training: a live bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

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


def losses(tick: Tick) -> str:
    """Shows the adversarial losses, averaged over the seeds that have not diverged."""
    shown = []
    for name, values in tick.losses.items():
        finite = values[values.isfinite()]
        if name.endswith("/adversarial") and len(finite):
            shown.append(f"{name.partition('/')[0]} {finite.mean():.3f}")
    return "  ".join(shown)


class Monitor:
    """Listens to one training.

    Arguments:
        steps: Length of the run.
        name: What is shown in front of the bar.
    """

    def __init__(self, steps: int, name: str) -> None:
        self._console = Console(stderr=True)
        self._progress = bars(self._console)
        self._task = self._progress.add_task(name, total=steps, losses="")
        self._steps, self._name, self._told = steps, name, 0

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

    def __call__(self, news: str, tick: Tick | None) -> None:
        if news:
            self._console.print(f"{self._name}: {news}", highlight=False, markup=False)
        if tick is not None:
            self._progress.update(self._task, completed=tick.step, losses=losses(tick))
            self._line(tick)

    def _line(self, tick: Tick) -> None:
        tenth = 10 * tick.step // self._steps
        if not self._console.is_terminal and tenth > self._told:
            self._told = tenth
            text = f"{self._name}: step {tick.step} of {self._steps}  {losses(tick)}"
            self._console.print(text, highlight=False, markup=False)
