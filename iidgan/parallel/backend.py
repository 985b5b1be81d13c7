"""Where jobs are trained: in processes of this machine, or wherever else a backend starts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from iidgan.engine.loop import StopRequest
from iidgan.parallel.jobs import BatchJob
from iidgan.parallel.pool import PoolCallbacks, train_jobs
from iidgan.utils.device import resolve_device


class Backend(Protocol):
    """Trains jobs: they go in, and an outcome of each of their runs comes out."""

    def choose_device(self, name: str) -> torch.device:
        """Return the device that jobs train on.

        Arguments:
            name: `cpu`, `cuda`, ..., or `auto`.

        Raises:
            InputError: Jobs have no such device.
        """

    def describe(self, num_jobs: int) -> str:
        """Say what jobs are trained on, such as `2 workers`.

        Arguments:
            num_jobs: Number of jobs.
        """

    def train_jobs(
        self, jobs: Sequence[BatchJob], callbacks: PoolCallbacks, stop: StopRequest
    ) -> list[str]:
        """Train all jobs. On a stop request each saves and ends.

        Arguments:
            jobs: What to train.
            callbacks: What to report.
            stop: The stop request.

        Returns:
            The outcome of each run, as of `iidgan.parallel.pool.train_jobs`.
        """


@dataclass(frozen=True)
class LocalProcesses:
    """Worker processes of this machine, which share its cores.

    Arguments:
        num_workers: Number of jobs that are trained at the same time.

    Examples:
        >>> LocalProcesses(4).describe(num_jobs=3)
        '3 workers'
    """

    num_workers: int

    def choose_device(self, name: str) -> torch.device:
        return resolve_device(name)

    def describe(self, num_jobs: int) -> str:
        num_workers = self._limit_workers(num_jobs)
        return f"{num_workers:,} worker{'s'[: num_workers != 1]}"

    def train_jobs(
        self, jobs: Sequence[BatchJob], callbacks: PoolCallbacks, stop: StopRequest
    ) -> list[str]:
        workers = self._limit_workers(len(jobs))
        return train_jobs(
            jobs,
            workers=workers,
            num_threads=max(1, torch.get_num_threads() // workers),
            callbacks=callbacks,
            stop=stop,
        )

    def _limit_workers(self, num_jobs: int) -> int:
        return max(min(self.num_workers, num_jobs), 1)
