"""Worker processes of one machine that train one job after another, and their supervision."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal

import torch

from iidgan.engine.loop import LogRecord, StopRequest
from iidgan.engine.state import seed_slices
from iidgan.errors import InputError
from iidgan.parallel.batched_runs import RunProgressCallback
from iidgan.parallel.jobs import Job
from iidgan.utils.files import describe_error
from iidgan.utils.processes import (
    STOP_SIGNALS,
    blocked_signals,
    check_main_guard,
    check_main_script,
    describe_exit,
    exit_without_main_guard,
    worker_context,
)

OutcomeCallback = Callable[[int, str], None]
"""Callback `(run_index, outcome)`."""

MAX_RESTARTS = 1
"""Times that a job whose process ended unexpectedly is started again."""
PROCESS_ENDED = "its process"
"""How the reason of a failure begins if a process ended unexpectedly."""
MAX_EXIT_SECONDS = 60.0
"""Seconds to wait for a process that was asked to save and end."""


@dataclass(frozen=True, kw_only=True)
class PoolCallbacks:
    """What a pool reports. Runs are counted over all jobs.

    Arguments:
        on_progress: Callback `(run_index, message, record)`.
        on_outcome: Callback `(run_index, outcome)`, called as soon as a run ends. If it raises,
            the other jobs save and end.
        on_restart: Callback `(run_index, message)`: a process ended unexpectedly, and its job is
            started again.
    """

    on_progress: RunProgressCallback
    on_outcome: OutcomeCallback = lambda run_index, outcome: None
    on_restart: Callable[[int, str], None] = lambda run_index, message: None


def train_jobs(
    jobs: Sequence[Job],
    *,
    workers: int,
    num_threads: int,
    callbacks: PoolCallbacks,
    stop: StopRequest,
) -> list[str]:
    """Train all jobs, at most `workers` at a time. On a stop request each saves and ends.

    Arguments:
        jobs: What to train.
        workers: Number of processes.
        num_threads: Threads of each process.
        callbacks: What to report.
        stop: The stop request.

    Returns:
        The outcome of each run: `finished`, `stopped`, `diverged`, `not begun`, `busy: ...` where
        another process is training it, or `failed: ...`.

    Raises:
        InputError: The main script has no guard.
    """
    exit_without_main_guard()
    check_main_script()
    pool = _WorkerPool(jobs, workers, num_threads, callbacks)
    try:
        pool.run(stop)
    except Exception:
        pool.stop()
        raise
    except BaseException:  # a second signal: to save would take time
        pool.kill()
        raise
    finally:
        pool.join()
    return pool.outcomes


@dataclass
class _Worker:
    """A worker process, the pipe to it, and the index of the job that it trains."""

    process: BaseProcess
    pipe: Connection
    job_index: int = -1


@dataclass
class _WorkerPool:
    """Worker processes, and the jobs that wait for them.

    Arguments:
        jobs: What to train.
        num_workers: Number of processes.
        num_threads: Threads of each process.
        callbacks: What to report.

    Attributes:
        outcomes: The outcome of each run so far.
    """

    jobs: Sequence[Job]
    num_workers: int
    num_threads: int
    callbacks: PoolCallbacks
    outcomes: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._context = worker_context("iidgan.parallel.jobs")
        self._run_slices = seed_slices([job.num_runs for job in self.jobs])
        self.outcomes = ["not begun" for job in self.jobs for _ in range(job.num_runs)]
        self._waiting_jobs = [*range(len(self.jobs))]
        self._num_restarts: Counter[int] = Counter()
        self._busy_workers: list[_Worker] = []
        self._idle_workers: list[_Worker] = []
        self._ending_workers: list[_Worker] = []
        self._is_stopping = False

    def run(self, stop: StopRequest) -> None:
        """Train until no job is left, or all have ended after a stop request."""
        while self._busy_workers or (self._waiting_jobs and not stop.requested):
            if not stop.requested:
                self._start_jobs()
            elif not self._is_stopping:
                self.stop()
            self._receive_messages()

    def _start_jobs(self) -> None:
        """Start waiting jobs on idle workers, or on new ones."""
        while self._waiting_jobs and len(self._busy_workers) < self.num_workers:
            worker = self._idle_workers.pop() if self._idle_workers else self._start_worker()
            worker.job_index = self._waiting_jobs.pop(0)
            self._busy_workers.append(worker)
            with suppress(OSError):  # a worker that has ended is detected in `_receive_messages`
                worker.pipe.send(self.jobs[worker.job_index])

    def _start_worker(self) -> _Worker:
        parent_end, worker_end = self._context.Pipe()
        # The server that is forked has the environment of the time at which it was started.
        arguments = (worker_end, self.num_threads, dict(os.environ))
        process = self._context.Process(target=_worker_main, args=arguments)
        # A terminal sends signals to parent and children; the parent passes them on.
        with blocked_signals(STOP_SIGNALS), _server_errors():
            process.start()
        worker_end.close()  # so that reading from a dead worker raises EOFError
        return _Worker(process, parent_end)

    def _receive_messages(self) -> None:
        wait([worker.pipe for worker in self._busy_workers], timeout=0.2)
        for worker in [*self._busy_workers]:
            try:
                while worker in self._busy_workers and worker.pipe.poll():
                    self._handle_message(worker, *worker.pipe.recv())
            except (EOFError, OSError):
                self._handle_exit(worker)

    def _handle_message(
        self,
        worker: _Worker,
        kind: Literal["progress", "ended"],
        content: Any,  # noqa: ANN401 - its type depends on the kind
    ) -> None:
        if kind == "ended":
            job_outcomes, takes_more_jobs = content
            self._busy_workers.remove(worker)
            (self._idle_workers if takes_more_jobs else self._ending_workers).append(worker)
            self._set_outcomes(worker.job_index, job_outcomes)
        else:
            position, message, record = content
            first_run = self._run_slices[worker.job_index].start
            self.callbacks.on_progress(first_run + position, message, record)

    def _set_outcomes(self, job_index: int, job_outcomes: Sequence[str]) -> None:
        for run_index, outcome in enumerate(job_outcomes, self._run_slices[job_index].start):
            self.outcomes[run_index] = outcome
            self.callbacks.on_outcome(run_index, outcome)

    def _handle_exit(self, worker: _Worker) -> None:
        """Start the job of a worker that ended unexpectedly again, or give it up."""
        worker.process.join()
        exit_code, job_index = worker.process.exitcode, worker.job_index
        check_main_guard(exit_code)
        self._busy_workers.remove(worker)
        if self._is_stopping and exit_code == 0:
            self._set_outcomes(job_index, ["stopped"] * self.jobs[job_index].num_runs)
            return
        failure = f"{PROCESS_ENDED} {describe_exit(exit_code)}"
        if self._is_stopping or self._num_restarts[job_index] == MAX_RESTARTS:
            again = ", again" if self._num_restarts[job_index] else ""
            job_outcomes = [f"failed: {failure}{again}"] * self.jobs[job_index].num_runs
            self._set_outcomes(job_index, job_outcomes)
            return
        self._num_restarts[job_index] += 1
        self._waiting_jobs.insert(0, job_index)
        message = f"{failure}; restarting it from the last checkpoint"
        self.callbacks.on_restart(self._run_slices[job_index].start, message)

    def stop(self) -> None:
        """Ask all busy workers to save and end."""
        self._is_stopping = True
        for worker in self._busy_workers:
            worker.process.terminate()

    def kill(self) -> None:
        """End all workers at once."""
        for worker in self._workers:
            worker.process.kill()

    def join(self) -> None:
        """Wait until all workers have ended."""
        for worker in self._workers:
            worker.pipe.close()  # signals that no more jobs follow
        for worker in self._workers:
            worker.process.join(MAX_EXIT_SECONDS)

    @property
    def _workers(self) -> list[_Worker]:
        return [*self._busy_workers, *self._idle_workers, *self._ending_workers]


@contextmanager
def _server_errors() -> Iterator[None]:
    """Turn the end of the server that is forked, as without memory, into one clear line."""
    try:
        yield
    except (EOFError, ConnectionError) as error:
        raise InputError(
            "workers: the process that starts the others ended unexpectedly; rerun the same "
            "command to resume, or add --workers 1"
        ) from error


def _worker_main(pipe: Connection, num_threads: int, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(num_threads)
    stop = StopRequest()
    threading.Thread(target=_stop_without_parent, args=(stop,), daemon=True).start()
    # A process group may get a signal that the parent also passes on: repeats are ignored.
    with stop.handle_signals([signal.SIGTERM], ignore_repeats=True), suppress(EOFError, OSError):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # blocked during start-up
        while not stop.requested:  # a signal to this process alone ends it after its job
            outcomes = _train_job(pipe.recv(), pipe, stop)
            pipe.send(("ended", (outcomes, not stop.requested)))
            gc.collect()  # captured and compiled steps hold memory in reference cycles


def _stop_without_parent(stop: StopRequest) -> None:
    """Wait until the parent process has ended: nobody would collect more results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        stop.signal = signal.SIGTERM


def _train_job(job: Job, pipe: Connection, stop: StopRequest) -> list[str]:
    def send_progress(position: int, message: str, record: LogRecord | None) -> None:
        with suppress(OSError):  # the parent has ended: save first
            pipe.send(("progress", (position, message, record)))

    try:
        return job.train(send_progress, stop)
    except Exception as error:
        traceback.print_exc()
        return [f"failed: {describe_error(error)}"] * job.num_runs
