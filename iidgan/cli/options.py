"""What commands that train many runs share: options, what they show, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console

from iidgan.cli.progress import Monitor, heard
from iidgan.engine.compile.executors import Executor
from iidgan.engine.loop import Stop
from iidgan.errors import InputError
from iidgan.parallel.job_pool import News
from iidgan.records import Row
from iidgan.report import Table, render, to_rich
from iidgan.studies.train_missing import Place, Training
from iidgan.training.plan import Auto
from iidgan.utils.processes import num_cores

MOST_SEEDS = 10_000
Format = Literal["rich", "md", "tex", "csv", "json"]


@dataclass(frozen=True, kw_only=True)
class Filling:
    """Where many runs are trained, and how."""

    train: bool = True
    """Train what is missing; without it, show what there is."""
    results: str = "results"
    """Folder of the rows."""
    runs: str = "runs/tables"
    """Folder of the trainings."""
    workers: int = num_cores()
    """Trainings at a time."""
    device: str = "auto"
    """cpu, cuda, ...; auto takes an accelerator if there is one."""
    executor: Executor | Auto = "auto"
    """How steps are carried out; auto compiles where that pays within the run, and on a CUDA
    device records and replays them (graphed)."""

    def place(self) -> Place:
        """Checks the options.

        Raises:
            InputError: There are no workers.
        """
        if self.workers < 1:
            raise InputError(f"workers: {self.workers} is too small; at least 1")
        return Place(
            results=Path(self.results),
            runs=Path(self.runs),
            workers=self.workers,
            device=self.device,
            executor=self.executor,
        )


def number_of_seeds(asked: int | None, usual: int) -> int:
    """Gives how many trainings a run is to have.

    Raises:
        InputError: None are asked for, or more than anybody can train.
    """
    if asked is not None and asked < 1:
        raise InputError(f"seeds: {asked} is too small; at least 1")
    if asked is not None and asked > MOST_SEEDS:
        raise InputError(f"seeds: {asked} is too large; at most {MOST_SEEDS}")
    return usual if asked is None else asked


def note_if_none(rows: Sequence[Row], results: str | Path) -> None:
    """Says so if a folder has no rows: it may be another than was meant."""
    if not rows:
        print(f"no rows in {results}: --results names their folder", file=sys.stderr)


def show(table: Table, format: Format) -> None:
    """Prints a table: with colours, or as text of a format."""
    if format == "rich":
        console = Console()
        console.print(to_rich(table, console.width))
    else:
        print(render(table, format), end="")


@contextmanager
def watched(trainings: Sequence[Training]) -> Iterator[tuple[News, Stop]]:
    """Shows trainings as they go on, and takes Ctrl-C as the wish to stop."""
    names, steps = [t.name for t in trainings], [t.run.steps for t in trainings]
    stop = Stop()
    with stop.listening(heard=heard), Monitor(steps, names) as monitor:
        yield monitor.tell, stop


def report_endings(endings: Sequence[tuple[str, str]], stop: Stop) -> int:
    """Says which trainings did not end well; returns the exit code, 0 if all did."""
    for name, ending in endings:
        if ending not in ("finished", "diverged"):
            print(f"{name}: {ending}", file=sys.stderr)
    if stop.signal is not None:
        print("the same command again goes on", file=sys.stderr)
        return 128 + stop.signal
    return 1 if any(ending.startswith(("failed", "busy")) for _, ending in endings) else 0
