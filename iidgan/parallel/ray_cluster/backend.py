"""Ray as a backend: the jobs of a table on the machines of a cluster."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from iidgan.engine.loop import StopRequest
from iidgan.errors import InputError
from iidgan.parallel.jobs import BatchJob
from iidgan.parallel.pool import PoolCallbacks
from iidgan.parallel.ray_cluster.messages import JobResources
from iidgan.utils.extras import require_extra
from iidgan.utils.files import PARTIAL_PREFIX, oserror_as_input_error

LOG_FILE = "jobs.jsonl"


def parse_resources(text: str) -> JobResources:
    """Convert a text such as `cpus=1,gpu=0.2`.

    Arguments:
        text: The text.

    Raises:
        InputError: It is not such a text.

    Examples:
        >>> parse_resources("cpus=2,gpu=0.5")
        JobResources(cpus=2.0, gpus=0.5)
    """
    number = r"(\d+(?:\.\d+)?)"
    match = re.fullmatch(rf"cpus={number}(?:,gpu={number})?", text)
    resources = JobResources(float(match[1]), float(match[2] or 0)) if match else None
    if resources is None or not resources.cpus:
        raise InputError(f"per-job: must be such as cpus=1 or cpus=1,gpu=0.2, got {text!r}")
    return resources


@dataclass(frozen=True, kw_only=True)
class RayBackend:
    """Tasks of a Ray cluster.

    Arguments:
        runs_dir: Folder of the run folders, which machines of the cluster may see or not.
        address: Address of the cluster, as of `ray_connection`.
        resources: What each job gets.
    """

    runs_dir: Path
    address: str | None = None
    resources: JobResources

    def __post_init__(self) -> None:
        require_extra("ray", field="on")

    def choose_device(self, name: str) -> torch.device:
        device_type = "cuda" if self.resources.gpus else "cpu"
        if name not in ("auto", device_type):
            advice = f"use --per-job {JobResources(self.resources.cpus, 1.0)} for a GPU"
            if self.resources.gpus:
                advice = "leave it out"
            raise InputError(
                f"device: jobs with --per-job {self.resources} train on {device_type}, not on "
                f"{name}; {advice}"
            )
        return torch.device(device_type)

    def describe(self, num_jobs: int) -> str:
        return f"Ray with {self.resources} for each run"

    def train_jobs(
        self, jobs: Sequence[BatchJob], callbacks: PoolCallbacks, stop: StopRequest
    ) -> list[str]:
        from iidgan.parallel.ray_cluster.connection import ray_connection
        from iidgan.parallel.ray_cluster.scheduler import Scheduler
        from iidgan.parallel.ray_cluster.task import run_attempt

        with self._marker() as marker, ray_connection(self.address):
            scheduler = Scheduler(
                jobs=jobs,
                resources=self.resources,
                run_attempt=run_attempt,
                marker=marker,
                log_file=self.runs_dir / LOG_FILE,
                callbacks=callbacks,
            )
            try:
                scheduler.run(stop)
            except Exception:  # as in a callback: save what is trained
                scheduler.finish_all()
                raise
            finally:
                scheduler.close()
            return scheduler.outcomes

    @contextmanager
    def _marker(self) -> Iterator[Path]:
        """Create a file by which a machine finds out whether it sees the folder of the runs."""
        marker = self.runs_dir.absolute() / f"{PARTIAL_PREFIX}{secrets.token_hex(8)}"
        with oserror_as_input_error(marker):
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()
        try:
            yield marker
        finally:
            marker.unlink(missing_ok=True)
