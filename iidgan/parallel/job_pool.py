"""Training of several runs at once, on a few worker processes that take one job after another."""

from __future__ import annotations

import gc
import multiprocessing
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

import torch

from iidgan.engine.compile import Executor
from iidgan.engine.loop import LogRecord, StopRequest
from iidgan.engine.state import seed_slices
from iidgan.parallel.batched_runs import RunProgressCallback, RunSpec, train_batched
from iidgan.training.plan import Auto
from iidgan.utils.processes import (
    STOP_SIGNALS,
    blocked_signals,
    check_main_guard,
    describe_exit,
    exit_without_main_guard,
)

OutcomeCallback = Callable[[int, str], None]
"""Callback `(run_index, outcome)`."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Runs that one process trains together, with the options of `train_batched`."""

    specs: Sequence[RunSpec]
    checkpoint_every: int
    keep: int = 3
    device: str = "auto"
    executor: Executor | Auto = "auto"


def train_jobs(
    jobs: Sequence[Job],
    *,
    workers: int,
    on_progress: RunProgressCallback,
    on_outcome: OutcomeCallback,
    stop: StopRequest,
) -> list[str]:
    """Train all jobs, at most `workers` at a time. On a stop request each saves and ends.

    Arguments:
        jobs: What to train.
        workers: Number of processes; the cores are divided among them.
        on_progress: Callback `(run_index, message, record)`; runs are counted over all jobs.
        on_outcome: Callback `(run_index, outcome)`, called as soon as a run ends.
        stop: The stop request.

    Returns:
        The outcome of each run: `finished`, `stopped`, `diverged`, `not begun`, `busy: ...` where
        another process is training it, or `failed: ...`.

    Raises:
        InputError: The main script has no guard.
    """
    exit_without_main_guard()
    pool = _JobPool(jobs, max(1, torch.get_num_threads() // workers))
    outcomes = ["not begun" for job in jobs for _ in job.specs]
    try:
        while pool.busy_workers or (pool.waiting_jobs and stop.signal is None):
            while pool.waiting_jobs and len(pool.busy_workers) < workers and stop.signal is None:
                pool.start_next_job()
            if stop.signal is not None and not pool.is_stopping:
                pool.stop_workers()
            for run_index, outcome in pool.receive_outcomes(on_progress):
                outcomes[run_index] = outcome
                on_outcome(run_index, outcome)
    finally:  # also when a second signal interrupts the wait: workers save and end
        pool.stop_workers()
        pool.join_workers()
    return outcomes


@dataclass
class _JobWorker:
    """A worker process, and the pipe through which it receives jobs."""

    process: SpawnProcess
    pipe: Connection


class _JobPool:
    """Worker processes, and the jobs that wait for them.

    Arguments:
        jobs: What to train.
        num_threads: Threads of each worker.
    """

    def __init__(self, jobs: Sequence[Job], num_threads: int) -> None:
        self._spawn_context: SpawnContext = multiprocessing.get_context("spawn")
        self._inbox: multiprocessing.Queue[Any] = self._spawn_context.Queue()
        self._jobs, self._num_threads = jobs, num_threads
        self._run_slices = seed_slices([len(job.specs) for job in jobs])
        self._idle_workers: list[_JobWorker] = []
        self.is_stopping = False
        self.waiting_jobs = [*range(len(jobs))]
        self.busy_workers: dict[int, _JobWorker] = {}

    def start_next_job(self) -> None:
        """Send the next job to an idle worker, or to a new one."""
        job_index = self.waiting_jobs.pop(0)
        alive_workers = [worker for worker in self._idle_workers if worker.process.is_alive()]
        self._idle_workers = alive_workers
        worker = self._idle_workers.pop() if self._idle_workers else self._start_worker()
        self.busy_workers[job_index] = worker
        try:
            worker.pipe.send((job_index, self._jobs[job_index]))
        except OSError:  # it ended a moment ago
            self.busy_workers[job_index] = worker = self._start_worker()
            worker.pipe.send((job_index, self._jobs[job_index]))

    def _start_worker(self) -> _JobWorker:
        parent_end, worker_end = self._spawn_context.Pipe()
        process = self._spawn_context.Process(
            target=_worker_main, args=(worker_end, self._num_threads, self._inbox)
        )
        # A terminal sends signals to parent and children; the parent passes them on.
        with blocked_signals(STOP_SIGNALS):
            process.start()
        worker_end.close()  # so that a dead worker is noticed
        return _JobWorker(process, parent_end)

    def receive_outcomes(self, on_progress: RunProgressCallback) -> Iterator[tuple[int, str]]:
        """Receive one message, and yield `(run_index, outcome)` of the runs that have ended."""
        try:
            job_index, kind, content, record = self._inbox.get(timeout=0.2)
        except queue.Empty:
            yield from self._collect_dead_workers()
            return
        first_run = self._run_slices[job_index].start
        if kind == "ended":
            outcomes, takes_more_jobs = content
            worker = self.busy_workers.pop(job_index)
            if takes_more_jobs:
                self._idle_workers.append(worker)
            yield from enumerate(outcomes, first_run)
        else:
            position, message = content
            on_progress(first_run + position, message, record)

    def _collect_dead_workers(self) -> Iterator[tuple[int, str]]:
        # Look for dead workers first: their last messages are in the inbox by then.
        busy = self.busy_workers.items()
        dead_jobs = [job_index for job_index, worker in busy if not worker.process.is_alive()]
        for job_index in dead_jobs if self._inbox.empty() else ():
            process = self.busy_workers.pop(job_index).process
            process.join()
            check_main_guard(process.exitcode)
            failed_outcome = f"failed: its process {describe_exit(process.exitcode)}"
            outcome = "stopped" if self.is_stopping and not process.exitcode else failed_outcome
            run_slice = self._run_slices[job_index]
            for run_index in range(run_slice.start, run_slice.stop):
                yield run_index, outcome

    def stop_workers(self) -> None:
        """Send SIGTERM to all busy workers."""
        self.is_stopping = True
        for worker in self.busy_workers.values():
            worker.process.terminate()

    def join_workers(self) -> None:
        """Wait until all workers have ended."""
        workers = [*self.busy_workers.values(), *self._idle_workers]
        for worker in workers:
            worker.pipe.close()  # signals that no more jobs follow
        for worker in workers:
            worker.process.join(60)


def _worker_main(pipe: Connection, num_threads: int, inbox: multiprocessing.Queue[Any]) -> None:
    torch.set_num_threads(num_threads)
    stop = StopRequest()
    # A process group may get a signal that the parent also passes on: repeats are ignored.
    with stop.handle_signals([signal.SIGTERM], ignore_repeats=True), suppress(EOFError):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # blocked during start-up
        while stop.signal is None:  # a signal to this process alone ends it after its job
            job_index, job = pipe.recv()
            outcomes = _train_job(job_index, job, stop, inbox)
            inbox.put((job_index, "ended", (outcomes, stop.signal is None), None))
            gc.collect()  # captured and compiled steps hold memory in reference cycles


def _train_job(
    job_index: int, job: Job, stop: StopRequest, inbox: multiprocessing.Queue[Any]
) -> list[str]:
    parent = multiprocessing.parent_process()

    def send_progress(position: int, message: str, record: LogRecord | None) -> None:
        if parent is not None and not parent.is_alive():
            stop.signal = signal.SIGTERM  # only the parent collects the results
        inbox.put((job_index, "progress", (position, message), record))

    return train_batched(
        job.specs,
        checkpoint_every=job.checkpoint_every,
        keep=job.keep,
        device=job.device,
        executor=job.executor,
        on_progress=send_progress,
        stop=stop,
    )
