"""Jobs as tasks: how many are handed out, what is done when one is lost, and what is recorded."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import (
    NodeDiedError,
    OutOfMemoryError,
    RayError,
    RayTaskError,
    TaskCancelledError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from iidgan._version import __version__
from iidgan.engine.loop import StopRequest
from iidgan.engine.state import seed_slices
from iidgan.errors import FolderInUseError, InputError
from iidgan.parallel.jobs import BatchJob
from iidgan.parallel.pool import MAX_EXIT_SECONDS, MAX_RESTARTS, PROCESS_ENDED, PoolCallbacks
from iidgan.parallel.ray_cluster.mailbox import Mailbox
from iidgan.parallel.ray_cluster.messages import (
    NEEDS_FILES,
    Answer,
    Attempt,
    FilePiece,
    FolderState,
    JobResources,
    Message,
    Progress,
    Started,
)
from iidgan.parallel.ray_cluster.run_files import FolderReceiver, refer_to_files
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import describe_error
from iidgan.utils.jsonl import append_lines

POLL_SECONDS = 0.5
"""Seconds between two looks at the tasks."""
MIN_TASKS = 64
"""Tasks that are handed out at a time at least; twice as many as can run, if that is more."""
MAX_NODE_LOSSES = 10
"""Times that a job whose node was lost is started again, besides restarts of its process."""

AttemptFunction = Callable[[Attempt, Any], Answer]
"""Function `(attempt, mailbox)` that a task runs, such as `run_attempt`."""


@dataclass
class _Task:
    """An attempt that was handed out, and where it runs."""

    attempt: Attempt
    job_index: int
    reference: Any
    started: Started | None = None


@dataclass
class Scheduler:
    """Hands out jobs, and takes what they return.

    Arguments:
        jobs: What to train.
        resources: What each job gets.
        run_attempt: What a task runs.
        marker: A file beside the run folders; a machine that sees it trains in them.
        log_file: Where each attempt is recorded: its runs, host, process, times and outcome.
        callbacks: What to report.

    Attributes:
        outcomes: The outcome of each run so far.
    """

    jobs: Sequence[BatchJob]
    resources: JobResources
    run_attempt: AttemptFunction
    marker: Path
    log_file: Path
    callbacks: PoolCallbacks
    outcomes: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._run_slices = seed_slices([job.num_runs for job in self.jobs])
        self.outcomes = ["not begun" for job in self.jobs for _ in range(job.num_runs)]
        self._waiting_jobs = [*range(len(self.jobs))]
        self._num_attempts: Counter[int] = Counter()
        self._num_crashes: Counter[int] = Counter()
        self._num_node_losses: Counter[int] = Counter()
        self._tasks: dict[int, _Task] = {}
        self._receivers: dict[int, FolderReceiver] = {}
        self._folder_locks: dict[int, ExitStack] = {}
        self._next_id = 0
        self._is_stopping = False
        self._max_tasks = max(MIN_TASKS, 2 * self._count_slots())
        self._remote_function = ray.remote(
            num_cpus=self.resources.cpus, num_gpus=self.resources.gpus, max_retries=0
        )(self.run_attempt)
        # The mailbox is lost with the driver's node alone.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._mailbox: Any = (
            ray.remote(Mailbox)
            .options(num_cpus=0, max_concurrency=10_000, scheduling_strategy=here)
            .remote()
        )

    def _count_slots(self) -> int:
        """Return how many jobs run at a time.

        Raises:
            InputError: No node has what one of them needs.
        """
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        needs = {"CPU": self.resources.cpus, "GPU": self.resources.gpus}
        num_slots = sum(
            min(int(node.get(name, 0) / number) for name, number in needs.items() if number)
            for node in nodes
        )
        if not num_slots:
            sizes = ", ".join(
                str(JobResources(node.get("CPU", 0), node.get("GPU", 0))) for node in nodes
            )
            raise InputError(
                f"per-job: no node of the cluster has {self.resources}; its nodes have {sizes}"
            )
        return num_slots

    def run(self, stop: StopRequest) -> None:
        """Train until no job is left, or all have ended after a stop request.

        Arguments:
            stop: The stop request.
        """
        while self._tasks or (self._waiting_jobs and not stop.requested):
            if not stop.requested:
                self._start_tasks()
            elif not self._is_stopping:
                self.stop()
            self._handle_messages()

    def _start_tasks(self) -> None:
        while self._waiting_jobs and len(self._tasks) < self._max_tasks:
            self._start_task(self._waiting_jobs.pop(0))

    def _start_task(self, job_index: int) -> None:
        job = self.jobs[job_index]
        is_received = job_index in self._receivers
        attempt = Attempt(
            id=self._next_id,
            job=job.move_to(job.folders),
            resources=self.resources,
            marker=self.marker,
            files=refer_to_files(job.folders, ray.put) if is_received else None,
            version=__version__,
        )
        self._next_id += 1
        reference = self._remote_function.remote(attempt, self._mailbox)
        self._tasks[attempt.id] = _Task(attempt, job_index, reference)

    def _handle_messages(self) -> None:
        """Handle what tasks have sent, and then those that have ended."""
        tasks_by_reference = {task.reference: task for task in self._tasks.values()}
        references = [*tasks_by_reference]
        ended, _ = ray.wait(references, num_returns=len(references), timeout=POLL_SECONDS)
        for attempt_id, message in ray.get(self._mailbox.take.remote()):
            if task := self._tasks.get(attempt_id):  # others are of a node that was cut off
                self._handle_message(task, pickle.loads(message))
        for reference in ended:
            self._handle_end(tasks_by_reference[reference])

    def _handle_message(self, task: _Task, message: Message) -> None:
        match message:
            case Started():
                task.started = message
            case Progress(position, text, record):
                first_run = self._run_slices[task.job_index].start
                self.callbacks.on_progress(first_run + position, text, record)
            case FilePiece() | FolderState():
                self._receivers[task.job_index].receive(message)

    def _handle_end(self, task: _Task) -> None:
        del self._tasks[task.attempt.id]
        try:
            answer = ray.get(task.reference)
        except TaskCancelledError:
            self._finish(task, ["not begun"] * task.attempt.job.num_runs)
        except RayTaskError as error:  # it could not even load the job
            reason = describe_error(error.cause or error).splitlines()[-1]
            self._finish(task, [f"failed: {reason}"] * task.attempt.job.num_runs)
        except RayError as error:
            self._handle_loss(task, error)
        else:
            if answer == NEEDS_FILES:
                self._lock_folders(task)
            else:
                self._finish(task, answer)

    def _lock_folders(self, task: _Task) -> None:
        """Start a job again with the files of its folders, which the driver locks."""
        self._record(task, NEEDS_FILES)
        folders = task.attempt.job.folders
        with ExitStack() as locks:
            try:
                for folder in folders:
                    locks.enter_context(RunDir(folder).lock())
            except InputError as error:
                kind = "busy" if isinstance(error, FolderInUseError) else "failed"
                self._set_outcomes(task.job_index, [f"{kind}: {error}"] * len(folders))
                return
            self._folder_locks[task.job_index] = locks.pop_all()
        self._receivers[task.job_index] = FolderReceiver(folders)
        self._waiting_jobs.insert(0, task.job_index)

    def _handle_loss(self, task: _Task, error: RayError) -> None:
        """Start a job whose process or node was lost again, or give it up."""
        job_index = task.job_index
        if receiver := self._receivers.get(job_index):
            receiver.discard()
        if self._is_stopping:  # what it had saved is there
            self._finish(task, ["stopped"] * task.attempt.job.num_runs)
            return
        is_node_loss = isinstance(error, NodeDiedError)
        losses = self._num_node_losses if is_node_loss else self._num_crashes
        limit = MAX_NODE_LOSSES if is_node_loss else MAX_RESTARTS
        failure = _describe_loss(error, task)
        if losses[job_index] == limit:
            outcomes = [f"failed: {failure}, again"] * task.attempt.job.num_runs
            self._finish(task, outcomes)
            return
        losses[job_index] += 1
        self._record(task, f"lost: {failure}")
        self._waiting_jobs.insert(0, job_index)
        message = f"{failure}; restarting it from the last checkpoint"
        self.callbacks.on_restart(self._run_slices[job_index].start, message)

    def _finish(self, task: _Task, outcomes: Sequence[str]) -> None:
        self._record(task, ", ".join(dict.fromkeys(outcomes)))
        self._set_outcomes(task.job_index, outcomes)

    def _set_outcomes(self, job_index: int, outcomes: Sequence[str]) -> None:
        self._receivers.pop(job_index, None)
        self._folder_locks.pop(job_index, ExitStack()).close()
        for run_index, outcome in enumerate(outcomes, self._run_slices[job_index].start):
            self.outcomes[run_index] = outcome
            self.callbacks.on_outcome(run_index, outcome)

    def _record(self, task: _Task, outcome: str) -> None:
        """Record an attempt; one that never began has neither host nor start."""
        started = task.started
        self._num_attempts[task.job_index] += 1
        record = {
            "runs": [folder.name for folder in task.attempt.job.folders],
            "attempt": self._num_attempts[task.job_index],
            "host": started.host if started else None,
            "pid": started.pid if started else None,
            "start": _format_time(datetime.fromtimestamp(started.time, UTC)) if started else None,
            "end": _format_time(datetime.now(UTC)),
            "outcome": outcome,
        }
        append_lines(self.log_file, [record])

    def stop(self) -> None:
        """Ask all tasks to save and end; those that have not begun are taken back."""
        self._is_stopping = True
        for task in self._tasks.values():
            if task.started is None:
                ray.cancel(task.reference)
        ray.get(self._mailbox.request_stop.remote())

    def finish_all(self) -> None:
        """Ask all tasks to save and end, and wait for it."""
        self.stop()
        references = [task.reference for task in self._tasks.values()]
        ray.wait(references, num_returns=len(references), timeout=MAX_EXIT_SECONDS)

    def close(self) -> None:
        """End tasks that still run and the mailbox, and unlock folders."""
        for task in self._tasks.values():
            ray.cancel(task.reference, force=True)
        ray.kill(self._mailbox)
        for locks in self._folder_locks.values():
            locks.close()


def _describe_loss(error: RayError, task: _Task) -> str:
    host_text = f" on {task.started.host}" if task.started else ""
    if isinstance(error, NodeDiedError):
        return f"its node was lost{host_text}"
    if isinstance(error, OutOfMemoryError):
        return f"{PROCESS_ENDED}{host_text} was ended for lack of memory"
    return f"{PROCESS_ENDED}{host_text} ended unexpectedly"


def _format_time(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")
