"""Body of the worker processes that train one share of a run's seeds each.

No worker gets more than `MAX_LEAD` steps ahead of the slowest. On a stop request workers pause,
then all advance to the step of the furthest one, so that they end at the same step.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext

import torch
from safetensors.torch import load, save
from torch import Tensor

from iidgan.config.run import Run
from iidgan.engine.compile import Executor
from iidgan.engine.loop import LogRecord, LoopSchedule, Outcome, StopRequest, run_training_loop
from iidgan.engine.state import named_tensors, restore_state
from iidgan.errors import InputError
from iidgan.training.context import TrainContext
from iidgan.training.plan import build_step
from iidgan.utils.processes import STOP_SIGNALS

MAX_LEAD = 500
"""Steps: absorbs the noise of single cores, and takes little time to catch up with."""
POLL_SECONDS = 0.01
"""Seconds between two looks at the progress of the other workers."""


class SharedProgress:
    """Shared memory in which workers publish their steps and agree on where to stop.

    Arguments:
        spawn_context: Context that creates the shared arrays.
        num_workers: Number of workers.

    Attributes:
        worker_steps: Steps that each worker has taken.
        is_paused: Whether each worker has paused for a stop request.
        stop_requested: Whether all workers are to pause.
        final_step: Step after which all workers end, or -1 while it is undecided.
    """

    def __init__(self, spawn_context: SpawnContext, num_workers: int) -> None:
        self.worker_steps = spawn_context.Array("q", num_workers, lock=False)
        self.is_paused = spawn_context.Array("b", num_workers, lock=False)
        self.stop_requested = spawn_context.Value("b", 0, lock=False)
        self.final_step = spawn_context.Value("q", -1, lock=False)

    def reset_worker(self, index: int, step: int) -> None:
        """Record that a worker (re)starts from `step`."""
        self.worker_steps[index], self.is_paused[index] = step, 0

    def request_stop(self) -> None:
        """Ask all workers to pause."""
        self.stop_requested.value = 1

    def set_final_step(self) -> None:
        """Let the paused workers train up to the step of the furthest one, where they end."""
        self.final_step.value = max(self.worker_steps)


class CoordinatedStop(StopRequest):
    """Stop request of a worker, which may wait for slower workers or for a common last step."""

    def __init__(self, progress: SharedProgress, index: int) -> None:
        super().__init__()
        self._progress, self._index = progress, index

    def should_stop(self, step: int) -> bool:
        """Publish the step, wait for slower workers or for the final step, and compare with it."""
        progress = self._progress
        progress.worker_steps[self._index] = step
        while not progress.stop_requested.value and step > min(progress.worker_steps) + MAX_LEAD:
            _wait()
        if progress.stop_requested.value:
            progress.is_paused[self._index] = 1
            while progress.final_step.value < 0:
                _wait()
        return 0 <= progress.final_step.value <= step

    def all_diverged(self, diverged: Tensor) -> bool:
        return False  # only the parent sees the seeds of all workers


def _wait() -> None:
    _exit_if_orphaned()
    time.sleep(POLL_SECONDS)


def _exit_if_orphaned() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit  # only the parent saves what a worker trains


@dataclass(frozen=True)
class SeedWorkerTask:
    """What one worker trains.

    Arguments:
        run: The run.
        seeds: The worker's share of the seeds.
        device: Device to train on.
        executor: How steps are executed.
        checkpoint_every: Steps between the states that the worker sends.
    """

    run: Run
    seeds: tuple[int, ...]
    device: str
    executor: Executor
    checkpoint_every: int


@dataclass(frozen=True)
class WorkerStart:
    """Initial state of a worker.

    Arguments:
        step: Steps already taken.
        diverged: For each of its seeds the step at which it diverged, or -1.
        packed_tensors: The tensors of the state, by `pack_tensors`.
    """

    step: int
    diverged: list[int]
    packed_tensors: bytes


def worker_main(task: SeedWorkerTask, pipe: Connection, stop: CoordinatedStop) -> None:
    """Train one share of the seeds, and send log records and states through `pipe`."""
    for number in STOP_SIGNALS:  # sent to the whole process group, but meant for the parent
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    try:
        pipe.send(("ended", _train_seeds(task, pipe.recv(), pipe, stop)))
    except EOFError:
        return  # the parent ended before it sent the initial state
    except OSError:
        _exit_if_orphaned()
        raise
    except Exception as error:
        is_input_error = isinstance(error, InputError)
        pipe.send(("failed", error if is_input_error else RuntimeError(traceback.format_exc())))


def _train_seeds(
    task: SeedWorkerTask, start: WorkerStart, pipe: Connection, stop: StopRequest
) -> Outcome:
    run, device = task.run, torch.device(task.device)
    context = TrainContext.create(run, task.seeds, run.source.load().to(device), device)
    state = context.state
    restore_state(state, load(start.packed_tensors))
    state.step, state.diverged = start.step, torch.tensor(start.diverged)

    def send_record(record: LogRecord) -> None:
        _exit_if_orphaned()
        pipe.send(("record", record))

    def send_state() -> None:
        pipe.send(("state", (state.step, pack_tensors(named_tensors(state)))))

    step, executor = build_step(
        task.executor, context, lambda message: pipe.send(("message", message))
    )
    pipe.send(("executor", executor))
    return run_training_loop(
        state,
        step,
        context.batches,
        run.optimiser,
        LoopSchedule(steps=run.steps, checkpoint_every=task.checkpoint_every),
        on_log=send_record,
        on_checkpoint=send_state,
        stop=stop,
    )


def pack_tensors(tensors: Mapping[str, Tensor]) -> bytes:
    """Serialise named tensors for a pipe."""
    return save({name: value.detach().cpu().contiguous() for name, value in tensors.items()})
