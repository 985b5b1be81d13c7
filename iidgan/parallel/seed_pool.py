"""Supervision of one run whose seeds are split across processes, one core each.

Every worker trains its seeds independently, and sends a record at each log interval and its state
at each checkpoint. The supervisor joins them into the records, the state and the files that a
single process would have written, up to rounding. A run may therefore be resumed with any number
of workers; results are bit-identical only for the same number.
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Literal

from safetensors.torch import load

from iidgan.engine.compile import Executor
from iidgan.engine.loop import LogRecord, Outcome, StopRequest
from iidgan.engine.state import (
    State,
    concat_seeds,
    named_tensors,
    restore_state,
    seed_slices,
    select_seeds,
)
from iidgan.errors import InputError
from iidgan.parallel.seed_worker import (
    CoordinatedStop,
    SeedWorkerTask,
    SharedProgress,
    WorkerStart,
    pack_tensors,
    worker_main,
)
from iidgan.utils.processes import (
    STOP_SIGNALS,
    blocked_signals,
    check_main_guard,
    describe_exit,
)

MAX_RESTARTS = 1
"""Times that a worker which ended unexpectedly is started again."""


def partition_seeds(seeds: Sequence[int], workers: int) -> list[tuple[int, ...]]:
    """Split seeds in order into at most `workers` shares, whose sizes differ by at most one."""
    workers = min(workers, len(seeds))
    share_bounds = [len(seeds) * i // workers for i in range(workers + 1)]
    return [tuple(seeds[start:end]) for start, end in itertools.pairwise(share_bounds)]


@dataclass
class _SeedWorker:
    """A worker process, and what it has sent that other workers have not sent yet."""

    process: SpawnProcess
    pipe: Connection
    records: dict[int, LogRecord] = field(default_factory=dict)
    states: dict[int, bytes] = field(default_factory=dict)
    outcome: Outcome | None = None
    num_restarts: int = 0


class SeedPool:
    """The worker processes of one run.

    Arguments:
        state: State of all seeds, from which the workers start and which is updated at
            checkpoints.
        tasks: One task per worker.
        on_worker_failure: Callback `(message)`: a worker ended unexpectedly.
        on_message: Callback `(message)`: other messages for the user, each once.
        on_executor: Callback `(executor)`: how a worker executes its steps.
    """

    def __init__(
        self,
        state: State,
        tasks: Sequence[SeedWorkerTask],
        *,
        on_worker_failure: Callable[[str], None],
        on_message: Callable[[str], None],
        on_executor: Callable[[Executor], None],
    ) -> None:
        self._state, self._tasks = state, tasks
        self._on_worker_failure = on_worker_failure
        self._on_message, self._on_executor = on_message, on_executor
        self._sent_messages: set[str] = set()
        self._spawn_context = multiprocessing.get_context("spawn")
        self._progress = SharedProgress(self._spawn_context, len(tasks))
        self._seed_slices = seed_slices([len(task.seeds) for task in tasks])
        self._logged_step = state.step
        self._workers: list[_SeedWorker] = []

    def fit(
        self,
        *,
        on_log: Callable[[LogRecord], None],
        on_checkpoint: Callable[[], None],
        stop: StopRequest,
    ) -> Outcome:
        """Train like `engine.loop.run_training_loop`.

        Raises:
            InputError: The input of a worker is invalid, a worker ended unexpectedly twice, or the
                main script has no guard.
            RuntimeError: A worker failed.
        """
        try:
            self._workers = [self._start_worker(index) for index in range(len(self._tasks))]
            for index in range(len(self._tasks)):  # by now all of them are importing
                self._send_start(index)
            while any(worker.outcome is None for worker in self._workers):
                self._coordinate_stop(stop)
                self._receive_messages()
                for record in self._join_records():
                    on_log(record)
                for _ in self._restore_states():
                    on_checkpoint()
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.join()
        if stop.all_diverged(self._state.diverged):
            return "diverged"
        is_stopped = any(worker.outcome == "stopped" for worker in self._workers)
        return "stopped" if is_stopped else "finished"

    def _start_worker(self, index: int) -> _SeedWorker:
        parent_end, worker_end = self._spawn_context.Pipe()
        self._progress.reset_worker(index, self._state.step)
        stop = CoordinatedStop(self._progress, index)
        process = self._spawn_context.Process(
            target=worker_main, args=(self._tasks[index], worker_end, stop)
        )
        with blocked_signals(STOP_SIGNALS):
            process.start()
        worker_end.close()  # so that reading from a dead worker raises EOFError
        return _SeedWorker(process, parent_end)

    def _send_start(self, index: int) -> None:
        """Send a worker its initial state. A dead worker is detected in `_receive_messages`."""
        state, seed_slice = self._state, self._seed_slices[index]
        packed_tensors = pack_tensors(select_seeds(named_tensors(state), seed_slice))
        start = WorkerStart(state.step, state.diverged[seed_slice].tolist(), packed_tensors)
        with suppress(OSError):
            self._workers[index].pipe.send(start)

    def _coordinate_stop(self, stop: StopRequest) -> None:
        progress = self._progress
        if stop.should_stop(self._state.step) or stop.all_diverged(self._state.diverged):
            progress.request_stop()
        all_paused = all(
            paused or worker.outcome is not None
            for paused, worker in zip(progress.is_paused, self._workers)
        )
        if progress.stop_requested.value and all_paused and progress.final_step.value < 0:
            progress.set_final_step()

    def _receive_messages(self) -> None:
        running_pipes = [worker.pipe for worker in self._workers if worker.outcome is None]
        wait(running_pipes, timeout=0.2)
        for index, worker in enumerate(self._workers):
            try:
                while worker.outcome is None and worker.pipe.poll():
                    self._handle_message(worker, *worker.pipe.recv())
            except (EOFError, OSError):
                self._restart_worker(index)

    def _handle_message(
        self,
        worker: _SeedWorker,
        kind: Literal["record", "state", "message", "executor", "ended", "failed"],
        content: Any,  # noqa: ANN401 - its type depends on the kind
    ) -> None:
        if kind == "record" and content.step > self._logged_step:
            worker.records[content.step] = content
        elif kind == "state" and content[0] > self._state.step:
            worker.states[content[0]] = content[1]
        elif kind == "message" and content not in self._sent_messages:
            self._sent_messages.add(content)
            self._on_message(content)
        elif kind == "executor":
            self._on_executor(content)
        elif kind == "ended":
            worker.outcome = content
        elif kind == "failed":
            raise content

    def _restart_worker(self, index: int) -> None:
        worker = self._workers[index]
        worker.process.join()
        check_main_guard(worker.process.exitcode)
        failure = (
            f"the process of seeds {', '.join(map(str, self._tasks[index].seeds))} "
            f"{describe_exit(worker.process.exitcode)} "
            f"at about step {self._progress.worker_steps[index]}"
        )
        if worker.num_restarts == MAX_RESTARTS:
            self._on_worker_failure(f"{failure}, again")
            raise InputError(
                f"workers: {failure}, again; rerun the same command to resume from step "
                f"{self._state.step}, or add --workers 1 to train in one process"
            )
        self._on_worker_failure(f"{failure}; restarting it from step {self._state.step}")
        self._workers[index] = self._start_worker(index)
        self._workers[index].num_restarts = worker.num_restarts + 1
        self._send_start(index)

    def _join_records(self) -> Iterator[LogRecord]:
        """Join the log records of each step that all workers have sent."""
        for step in _common_steps([worker.records for worker in self._workers]):
            record = self._join_seeds([worker.records.pop(step) for worker in self._workers])
            self._logged_step = step
            self._sent_messages.clear()  # a message repeated at a later step is shown again
            for position, diverged_step in record.diverged.items():
                self._state.diverged[position] = diverged_step
            yield record

    def _join_seeds(self, records: Sequence[LogRecord]) -> LogRecord:
        diverged = {
            seed_slice.start + position: step
            for seed_slice, record in zip(self._seed_slices, records)
            for position, step in record.diverged.items()
        }
        losses = {
            name: [value for record in records for value in record.losses[name]]
            for name in records[0].losses
        }
        return LogRecord(
            step=records[0].step,
            losses=losses,
            seconds=max(record.seconds for record in records),
            diverged=diverged,
        )

    def _restore_states(self) -> Iterator[int]:
        """Advance the state to each step whose states all workers have sent."""
        for step in _common_steps([worker.states for worker in self._workers]):
            worker_tensors = [load(worker.states.pop(step)) for worker in self._workers]
            restore_state(self._state, concat_seeds(worker_tensors))
            self._state.step = step
            yield step


def _common_steps(values_by_step: Sequence[Mapping[int, object]]) -> list[int]:
    first_steps, *other_steps = map(set, values_by_step)
    return sorted(first_steps.intersection(*other_steps))
