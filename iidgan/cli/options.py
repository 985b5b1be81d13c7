"""Options, displays and exit codes that commands share."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from iidgan.cli.console import create_console, is_ascii
from iidgan.cli.signals import interrupt_on_signals
from iidgan.cli.training_monitor import TrainingMonitor
from iidgan.data.prepare.resize import TargetSize, format_size, parse_size
from iidgan.engine.compile import Executor
from iidgan.engine.loop import StopRequest
from iidgan.errors import InputError
from iidgan.parallel.backend import Backend, LocalProcesses
from iidgan.parallel.batched_runs import RunProgressCallback
from iidgan.parallel.ray_cluster.backend import RayBackend, parse_resources
from iidgan.records import MetricRecord
from iidgan.report import (
    Table,
    format_mean_std,
    format_mean_std_ascii,
    render_table,
    to_rich,
)
from iidgan.studies.train_missing import TrainingJob, Workspace
from iidgan.train import MAX_SEEDS
from iidgan.training.plan import Auto
from iidgan.utils.processes import num_cores

SIZE = PrimitiveConstructorSpec[TargetSize | None](
    nargs=1,
    metavar="SIDE|HEIGHTxWIDTH",
    instance_from_str=lambda words: parse_size(words[0]),
    is_instance=lambda value: value is None or isinstance(value, int | tuple),
    str_from_instance=lambda value: ["None" if value is None else format_size(value)],
)
"""Flag of a size of images."""
TableFormat = Literal["rich", "md", "tex", "csv", "json"]


def parse_factors(words: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Convert words such as `D=4` to names and numbers.

    Arguments:
        words: The words.

    Raises:
        ValueError: A word is not a name, `=` and a number.

    Examples:
        >>> parse_factors(["D=4", "G=0.5"])
        (('D', 4.0), ('G', 0.5))
    """
    return tuple(map(_parse_factor, words))


def _parse_factor(word: str) -> tuple[str, float]:
    name, _, number = word.partition("=")
    try:
        return name, float(number)
    except ValueError as error:
        raise ValueError(f"must be PLAYER=FACTOR, such as D=4, got {word!r}") from error


LrFactors = Annotated[
    tuple[tuple[str, float], ...],
    tyro.conf.arg(help_behavior_hint="(default: those of the preset, or 1)"),
    PrimitiveConstructorSpec[tuple[tuple[str, float], ...]](
        nargs="*",
        metavar="PLAYER=FACTOR ...",
        instance_from_str=parse_factors,
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: [f"{name}={factor}" for name, factor in value],
    ),
]
"""Flag of factors of the learning rate by player."""


@dataclass(frozen=True, kw_only=True)
class TimeOptions:
    """How long to train."""

    max_time: Annotated[str | None, tyro.conf.arg(metavar="TIME")] = None
    """Save and end after this time, such as 2h, 90m or 1h30m; rerunning the command resumes."""

    def create_stop_request(self) -> StopRequest:
        """Create a request to stop after the time.

        Raises:
            InputError: It is not a time.
        """
        if self.max_time is None:
            return StopRequest()
        return StopRequest(max_seconds=parse_duration("max-time", self.max_time))


def parse_duration(name: str, text: str) -> float:
    """Convert a duration such as 2h, 1h30m or 90s to seconds.

    Arguments:
        name: Name of the option in the error.
        text: The duration.

    Raises:
        InputError: It is not a duration above 0.

    Examples:
        >>> parse_duration("max-time", "1h30m")
        5400.0
    """
    match = re.fullmatch(r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?", text)
    numbers = match.groups(default="0") if match else ()
    total_seconds = sum(int(number) * unit for number, unit in zip(numbers, (3600, 60, 1)))
    if not total_seconds:
        raise InputError(f"{name}: must be a time such as 2h, 90m or 1h30m, got {text!r}")
    return float(total_seconds)


TIME_IS_UP_EXIT_CODE = 124
"""Exit code of a command that ended after `--max-time`, as that of timeout(1)."""


def stopped_exit_code(stop: StopRequest) -> int:
    """Return the exit code of a command that was stopped; 1 if a process was, but not by it.

    Arguments:
        stop: The stop request of the command.
    """
    if stop.signal is not None:
        return 128 + stop.signal
    return TIME_IS_UP_EXIT_CODE if stop.requested else 1


DEFAULT_RESOURCES = "cpus=1"


@dataclass(frozen=True, kw_only=True)
class TrainMissingOptions(TimeOptions):
    """Where and how to train the runs of a table, a figure or a sweep."""

    train: bool = True
    """Train what is missing; --no-train shows only what is already there."""
    detach: bool = False
    """Train in the background, and return at once; the same command without it waits for that."""
    results: str = "results"
    """Folder of the metric records."""
    runs: str = "runs/tables"
    """Folder of the run directories."""
    workers: int = num_cores()
    """Number of trainings at a time."""
    on: Annotated[str | None, tyro.conf.arg(metavar="ray|ray://HOST:PORT")] = None
    """Train on a Ray cluster: that of RAY_ADDRESS, or else one that is started on this machine, or
    the one at an address; by default in processes of this machine."""
    per_job: Annotated[str, tyro.conf.arg(metavar="cpus=N[,gpu=SHARE]")] = DEFAULT_RESOURCES
    """With --on: cores, and the share of a GPU, that each training gets."""
    device: str = "auto"
    """cpu, cuda, ...; auto uses an accelerator if there is one."""
    executor: Executor | Auto = "auto"
    """How steps are executed; auto chooses by device, kind of data and remaining steps."""

    def create_workspace(self) -> Workspace:
        """Check the options and create the workspace.

        Raises:
            InputError: The number of workers is less than 1, or they are not to be had.
        """
        check_positive("workers", self.workers)
        return Workspace(
            results_dir=Path(self.results),
            runs_dir=Path(self.runs),
            backend=self._create_backend(),
            device=self.device,
            executor=self.executor,
        )

    def _create_backend(self) -> Backend:
        resources = parse_resources(self.per_job)
        if self.on is None:
            if resources != parse_resources(DEFAULT_RESOURCES):
                raise InputError("per-job: applies to --on ray only; add it, or leave this out")
            return LocalProcesses(self.workers)
        if self.on != "ray" and not self.on.startswith("ray://"):
            raise InputError(f"on: must be ray or ray://HOST:PORT, got {self.on!r}")
        if self.workers != num_cores():
            raise InputError("workers: not with --on, where --per-job decides; leave it out")
        address = None if self.on == "ray" else self.on
        return RayBackend(runs_dir=Path(self.runs), address=address, resources=resources)


@dataclass(frozen=True, kw_only=True)
class PluginOptions:
    """Which code that is not part of the package a run may use."""

    plugin: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="MODULE:NAME")
    ] = ()
    """A class of your own that the run uses, as package.module:Name. Files import no code by
    themselves: name only what you trust."""


@dataclass(frozen=True, kw_only=True)
class ExtractionOptions:
    """How images are read, and by which network their features are computed."""

    features: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Extractor: efficientnet-lite0 (the default), inception, dinov2, random, pixels,
    NAME-classifier, or package.module:Net of your own. Points need none."""
    size: Annotated[TargetSize | None, SIZE] = None
    """Side in pixels, or HEIGHTxWIDTH, to which all images are cropped and resized first; by
    default none is."""
    root: str | None = None
    """Folder of the files of a data set that is given by its name."""
    device: str = "auto"
    """cpu, cuda, ...; auto uses an accelerator if there is one."""


def check_positive(name: str, number: int) -> None:
    """Check that a number is at least 1.

    Arguments:
        name: Name of the option in the error.
        number: Its value.

    Raises:
        InputError: The number is below 1.
    """
    if number < 1:
        raise InputError(f"{name}: must be >= 1, got {number}")


def get_field_values(options: object, options_type: type) -> dict[str, Any]:
    """Return the values of the fields that `options_type` declares, as keyword arguments.

    Arguments:
        options: Options of that type, or of one that extends it.
        options_type: A dataclass.
    """
    return {field.name: getattr(options, field.name) for field in fields(options_type)}


def resolve_seed_count(requested: int | None, default: int) -> int:
    """Return the requested number of seeds or the default.

    Arguments:
        requested: The requested number; None for the default.
        default: The default.

    Raises:
        InputError: The number is out of range.
    """
    if requested is not None and not 1 <= requested <= MAX_SEEDS:
        raise InputError(f"seeds: must be between 1 and {MAX_SEEDS:,}, got {requested}")
    return default if requested is None else requested


def warn_if_empty(records: Sequence[MetricRecord], results_dir: str | Path) -> None:
    """Print a note if there are no records: the folder may not be the intended one.

    Arguments:
        records: All records of the folder.
        results_dir: The folder.
    """
    if not records:
        print(f"no records in {results_dir}: --results names their folder", file=sys.stderr)


def print_table(table: Table, format: TableFormat) -> None:
    """Print a table with colours, or as text in a format.

    Arguments:
        table: The table.
        format: `rich` for colours, or a format of `render_table`.
    """
    if format == "rich":
        console = create_console()
        format_numbers = format_mean_std_ascii if is_ascii(console) else format_mean_std
        console.print(to_rich(table, console.width, format_numbers))
    else:
        print(render_table(table, format), end="")


@contextmanager
def monitor_jobs(
    jobs: Sequence[TrainingJob], options: TimeOptions
) -> Iterator[tuple[RunProgressCallback, StopRequest]]:
    """Show the progress of training jobs, and turn Ctrl-C into a stop request.

    It yields the callback that shows progress, and the stop request.

    Arguments:
        jobs: The jobs.
        options: The time after which all stop.
    """
    labels, total_steps = [job.name for job in jobs], [job.run.steps for job in jobs]
    stop = options.create_stop_request()
    with monitor_training(total_steps, labels, stop) as monitor:
        yield monitor.show, stop


@contextmanager
def monitor_training(
    total_steps: Sequence[int], labels: Sequence[str], stop: StopRequest
) -> Iterator[TrainingMonitor]:
    """Show the progress of trainings, and turn the first signal into a stop request.

    A second one ends the command, after the terminal is as it was before.

    Arguments:
        total_steps: Number of steps of each training.
        labels: Name of each training.
        stop: The stop request.
    """
    monitor = TrainingMonitor(total_steps, labels)
    with (
        interrupt_on_signals(),
        stop.handle_signals(on_first=monitor.acknowledge_stop),
        monitor,
    ):
        yield monitor


def report_outcomes(outcomes: Sequence[tuple[str, str]], stop: StopRequest) -> int:
    """Print which jobs did not finish, and return the exit code, 0 if all did.

    Arguments:
        outcomes: Name and outcome of each job.
        stop: The stop request of the jobs.
    """
    unfinished = [item for item in outcomes if item[1] not in ("finished", "diverged")]
    for label, outcome in unfinished:
        print(f"{label}: {outcome}", file=sys.stderr)
    if stop.signal is not None or (unfinished and stop.requested):
        print("stopped; run the same command again to resume", file=sys.stderr)
        return stopped_exit_code(stop)
    return 1 if unfinished else 0
