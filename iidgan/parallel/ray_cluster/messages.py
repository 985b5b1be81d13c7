"""What driver and tasks tell each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:  # messages are read without torch
    from iidgan.parallel.jobs import BatchJob

NEEDS_FILES: Final = "needs files"
"""Answer of a task that does not see the folder of the runs."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An attempt to train a job, which is sent to a task.

    Arguments:
        id: Number of the attempt, among those of all jobs.
        job: The job, with the folders of the driver.
        resources: What a job gets.
        marker: A file that a machine sees if it sees the folder of the runs.
        files: The files of each run folder so far, to train in a temporary folder; None to train
            in the folder itself.
        version: Version of this package that the driver runs.
    """

    id: int
    job: BatchJob
    resources: JobResources
    marker: Path
    files: Sequence[FileReferences] | None
    version: str


@dataclass(frozen=True)
class JobResources:
    """What a job gets.

    Arguments:
        cpus: Number of cores, of which the whole ones are threads.
        gpus: Number of GPUs, such as 0.2 for a fifth of one.
    """

    cpus: float
    gpus: float = 0.0

    def __str__(self) -> str:
        gpu_text = f",gpu={self.gpus:g}" if self.gpus else ""
        return f"cpus={self.cpus:g}{gpu_text}"


@dataclass(frozen=True)
class FileReferences:
    """A file whose content the driver holds for tasks.

    Arguments:
        folder: Position of the run.
        name: Path of the file inside the run folder.
        pieces: References to parts of its content, in order.
    """

    folder: int
    name: str
    pieces: Sequence[Any]


@dataclass(frozen=True)
class FilePiece:
    """A part of a file that a task has written.

    Arguments:
        folder: Position of the run.
        name: Path of the file inside the run folder.
        content: What follows the parts before.
    """

    folder: int
    name: str
    content: bytes


@dataclass(frozen=True)
class FolderState:
    """The pieces sent before are complete, and all files of the run folders are these.

    Arguments:
        names: Position of the run and path inside its folder, of each file.
    """

    names: frozenset[tuple[int, str]]


@dataclass(frozen=True)
class Started:
    """A task has begun.

    Arguments:
        host: Name of its machine.
        pid: Its process.
        time: When, in seconds since 1970.
    """

    host: str
    pid: int
    time: float


@dataclass(frozen=True)
class Progress:
    """Progress of a run.

    Arguments:
        position: Position of the run in the job.
        message: A message for the user.
        record: A log record.
    """

    position: int
    message: str
    record: Any


Message = Started | Progress | FilePiece | FolderState
Answer = list[str] | Literal["needs files"]
"""Outcomes of the runs of a job, or `NEEDS_FILES`."""
