"""Trains what tables and figures lack, in resumable pieces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from iidgan.bench.folder import RunFolder
from iidgan.bench.judge import ensure_classifier
from iidgan.bench.plan import Auto
from iidgan.bench.rows import Row, append, collect, failure, read_all
from iidgan.bench.run import Run
from iidgan.bench.workers import Job, News, train_all
from iidgan.engine.executors import Executor
from iidgan.engine.loop import Stop

Named = Mapping[str, tuple[str, Run]]
"""Runs by their id, each with a name to show."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where results are kept, and how they are trained.

    Arguments:
        results: Folder of the rows of all studies, which share runs.
        runs: Folder of the trainings.
        workers: Trainings at a time.
        device: `cpu`, `cuda`, ..., or `auto`.
        executor: How steps are carried out.
    """

    results: Path
    runs: Path
    workers: int
    device: str = "auto"
    executor: Executor | Auto = "auto"

    def file(self, study: str) -> Path:
        """The rows that a study adds to those of the others."""
        return self.results / f"{study}.jsonl"

    def rows(self) -> list[Row]:
        """Reads the rows of all studies."""
        return read_all(self.results)

    def folder(self, run: Run, seeds: int | Sequence[int]) -> RunFolder:
        """The folder of a run with these seeds, or with 0, 1, ... as many as that."""
        chosen = f"{seeds}-seeds" if isinstance(seeds, int) else f"seeds-{_joined(seeds)}"
        return RunFolder(self.runs / f"{run.id}-{chosen}")


def _joined(seeds: Sequence[int]) -> str:
    return "-".join(map(str, seeds))


def lacking(named: Named, seeds: Sequence[int], rows: list[Row]) -> Named:
    """Finds the runs of which a seed has no final row."""
    there = {
        (row.run, row.seed)
        for row in rows
        if row.run in named and row.is_final(named[row.run][1].steps)
    }
    return {
        run_id: name_and_run
        for run_id, name_and_run in named.items()
        if any((run_id, seed) not in there for seed in seeds)
    }


def fill(
    name: str,
    missing: Named,
    seeds: int | Sequence[int],
    place: Place,
    *,
    news: News,
    stop: Stop,
    checkpoints: int = 12,
) -> list[tuple[str, str]]:
    """Trains `missing`, and keeps the rows of each run among those of study `name` when it ends.

    Returns:
        The name of each run and how it ended, as `train_all` says it.

    Raises:
        InputError: As `train_runs`.
    """

    def ended(run: Run, ending: str) -> None:
        if ending in ("finished", "diverged"):
            collect(place.file(name), run.id, run.steps, place.folder(run, seeds).metrics)
        elif ending.startswith("failed"):
            chosen = range(seeds) if isinstance(seeds, int) else seeds
            append(place.file(name), [failure(run.id, seed, ending) for seed in chosen])

    return train_runs(
        missing, seeds, place, news=news, ended=ended, stop=stop, checkpoints=checkpoints
    )


def train_runs(
    named: Named,
    seeds: int | Sequence[int],
    place: Place,
    *,
    news: News,
    stop: Stop,
    ended: Callable[[Run, str], None] = lambda run, ending: None,
    keep: int = 3,
    checkpoints: int = 12,
) -> list[tuple[str, str]]:
    """Trains runs side by side; returns the name of each and how it ended.

    Each is saved and measured `checkpoints` times, at its end for the last time.

    Raises:
        InputError: The classifier that measures a run's images has not been prepared.
    """
    runs = [run for _, run in named.values()]
    for run in runs:
        ensure_classifier(run.source)
    jobs = [
        Job(
            run=run,
            out=place.folder(run, seeds).path,
            seeds=seeds,
            checkpoint_every=-(-run.steps // checkpoints),
            keep=keep,
            device=place.device,
            executor=place.executor,
        )
        for run in runs
    ]
    endings = train_all(
        jobs,
        workers=max(min(place.workers, len(jobs)), 1),
        news=news,
        ended=lambda index, ending: ended(runs[index], ending),
        stop=stop,
    )
    return [(name, ending) for (name, _), ending in zip(named.values(), endings)]
