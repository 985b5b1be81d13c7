"""Trains what tables and figures lack, in resumable pieces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from iidgan.config.run import Run
from iidgan.engine.compile.executors import Executor
from iidgan.engine.loop import Stop
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import classifier_of, ensure_classifier
from iidgan.parallel.batched_runs import Part, alike
from iidgan.parallel.job_pool import Job, News, train_all
from iidgan.records import Row, append, collect, failure, read_all
from iidgan.training.plan import Auto
from iidgan.training.run_dir import RunFolder
from iidgan.utils.device import device_from

Named = Mapping[str, tuple[str, Run]]
"""Runs by their id, each with a name to show."""


@dataclass(frozen=True)
class Training:
    """What is to be trained.

    Arguments:
        name: What is shown of it.
        run: The run.
        seeds: The seeds that it still needs.
    """

    name: str
    run: Run
    seeds: tuple[int, ...]


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

    def folder(self, run: Run, seeds: Sequence[int]) -> RunFolder:
        """The folder of a run with these seeds."""
        first = list(seeds) == list(range(len(seeds)))
        chosen = f"{len(seeds)}-seeds" if first else f"seeds-{'-'.join(map(str, seeds))}"
        return RunFolder(self.runs / f"{run.id}-{chosen}")


class Asking(Protocol):
    """What asks for numbers of runs: a table, or a tuning."""

    @property
    def runs(self) -> Named:
        """The runs."""

    @property
    def asked(self) -> Mapping[str, Collection[str]]:
        """Names of the numbers that each of them is asked for, by its id."""


def lacking(wanted: Asking, seeds: Sequence[int], rows: Sequence[Row]) -> list[Training]:
    """Finds the runs of which seeds lack a final number that is asked for, and these seeds."""
    runs, asked = wanted.runs, wanted.asked
    there = {
        (row.run, row.seed, row.metric)
        for row in rows
        if row.run in runs and row.is_final(runs[row.run][1].steps)
    }

    def is_whole(run_id: str, seed: int) -> bool:
        return all((run_id, seed, metric) in there for metric in asked[run_id])

    trainings = (
        Training(name, run, tuple(seed for seed in seeds if not is_whole(run_id, seed)))
        for run_id, (name, run) in runs.items()
    )
    return [training for training in trainings if training.seeds]


def ensure_same_classifiers(
    named: Named, rows: Sequence[Row], trainings: Sequence[Training]
) -> None:
    """Sees that trainings will be measured as the rows of their table were.

    Raises:
        InputError: Rows were measured by a classifier of other weights than the one here.
    """
    found = [classifier_of(training.run.source) for training in trainings]
    here = {each.title: each.weights for each in found if each}
    for row in rows:
        title, weights = str(row.protocol.get("extractor")), row.protocol.get("weights")
        final = row.run in named and row.is_final(named[row.run][1].steps)
        if final and here.get(title, weights) != weights:
            raise InputError(
                f"results: {row.metric} of run {row.run} was measured by a {title} of the weights "
                f"{weights}, and the one here has {here[title]}: what is trained now would not "
                "compare; name another folder with --results, where the table starts anew"
            )


def fill(
    study: str,
    trainings: Sequence[Training],
    place: Place,
    *,
    news: News,
    stop: Stop,
    checkpoints: int = 12,
) -> list[tuple[str, str]]:
    """Trains, and keeps the rows of each run among those of a study when it ends.

    Returns:
        The name of each training and how it ended, as `train_all` says it.

    Raises:
        InputError: As `train_runs`, or there is no place for the rows.
    """

    def ended(training: Training, ending: str) -> None:
        run, seeds = training.run, training.seeds
        if ending in ("finished", "diverged"):
            collect(place.file(study), run.id, run.steps, place.folder(run, seeds).metrics)
        elif ending.startswith("failed"):
            append(place.file(study), [failure(run.id, seed, ending) for seed in seeds])

    if trainings:  # hours before the first row
        _ensure_folder("results", place.results)
    return train_runs(trainings, place, news=news, ended=ended, stop=stop, checkpoints=checkpoints)


def train_runs(
    trainings: Sequence[Training],
    place: Place,
    *,
    news: News,
    stop: Stop,
    ended: Callable[[Training, str], None] = lambda training, ending: None,
    keep: int = 3,
    checkpoints: int = 12,
) -> list[tuple[str, str]]:
    """Trains side by side; returns the name of each training and how it ended.

    Each is saved and measured `checkpoints` times, at its end for the last time.

    Raises:
        InputError: The classifier that measures a run's images has not been prepared, or there is
            no place for the trainings.
    """
    for training in trainings:
        ensure_classifier(training.run.source)
    if trainings:
        _ensure_folder("runs", place.runs)
    stacks = stacked(trainings, device_from(place.device))
    jobs = [_job([trainings[i] for i in stack], place, keep, checkpoints) for stack in stacks]
    at = [i for stack in stacks for i in stack]
    endings = train_all(
        jobs,
        workers=max(min(place.workers, len(jobs)), 1),
        news=lambda position, text, tick: news(at[position], text, tick),
        ended=lambda position, ending: ended(trainings[at[position]], ending),
        stop=stop,
    )
    return [(trainings[i].name, ending) for i, ending in sorted(zip(at, endings))]


def _ensure_folder(field: str, folder: Path) -> None:
    """Sees that a folder can be made; it is made for good by what is first written to it."""
    there = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not there:
            with suppress(OSError):  # another process has written to it
                folder.rmdir()
    except OSError as error:
        raise InputError(
            f"{field}: {folder} cannot be made ({error.strerror}); name another folder with "
            f"--{field}"
        ) from None


def stacked(trainings: Sequence[Training], device: torch.device) -> list[list[int]]:
    """Puts together, by position, what is trained as one: on a CPU nothing is gained by it."""
    if device.type == "cpu":
        return [[i] for i in range(len(trainings))]
    found: dict[str, list[int]] = {}
    for i, training in enumerate(trainings):
        found.setdefault(alike(training.run), []).append(i)
    return [*found.values()]


def _job(trainings: Sequence[Training], place: Place, keep: int, checkpoints: int) -> Job:
    return Job(
        parts=[
            Part(run=each.run, out=place.folder(each.run, each.seeds).path, seeds=each.seeds)
            for each in trainings
        ],
        checkpoint_every=-(-trainings[0].run.steps // checkpoints),
        keep=keep,
        device=place.device,
        executor=place.executor,
    )
