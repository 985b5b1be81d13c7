"""Several runs at once, each in a process of its own, one after the other on a few workers."""

from __future__ import annotations

import multiprocessing
import queue
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import torch

from iidgan.bench.plan import Auto
from iidgan.bench.run import Run
from iidgan.bench.train import train
from iidgan.engine.executors import Executor
from iidgan.engine.loop import Stop, Tick
from iidgan.errors import BusyError, InputError
from iidgan.processes import deaf

News = Callable[[int, str, Tick | None], None]
Ended = Callable[[int, str], None]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training: what `train` takes."""

    run: Run
    out: Path
    seeds: Sequence[int]
    checkpoint_every: int
    keep: int = 3
    device: str = "auto"
    executor: Executor | Auto = "auto"


def train_all(
    jobs: Sequence[Job], *, workers: int, news: News, ended: Ended, stop: Stop
) -> list[str]:
    """Trains all jobs, at most `workers` at a time; on a wish to stop, each saves and ends.

    Arguments:
        jobs: What to train.
        workers: Processes at a time; the cores are dealt among them.
        news: Is told the position of a job, and what its training tells.
        ended: Is told the position of a job, and how it ended, at once.
        stop: The wish to stop.

    Returns:
        How each job ended: `finished`, `stopped`, `diverged`, `not begun`, `busy: ...` where
        another process is training it, or `failed: ...`.
    """
    context = multiprocessing.get_context("spawn")
    inbox: multiprocessing.Queue[Any] = context.Queue()
    threads = max(1, torch.get_num_threads() // workers)
    waiting, running = list(enumerate(jobs)), dict[int, SpawnProcess]()
    endings = ["not begun"] * len(jobs)
    told = False
    try:
        while running or (waiting and stop.signal is None):
            while waiting and len(running) < workers and stop.signal is None:
                index, job = waiting.pop(0)
                running[index] = context.Process(target=_work, args=(index, job, threads, inbox))
                with deaf((signal.SIGINT,)):  # a terminal sends it to parent and child
                    running[index].start()
            if stop.signal is not None and not told:
                told = True
                for process in running.values():
                    process.terminate()
            for index, ending in _listen(inbox, running, news).items():
                endings[index] = ending
                ended(index, ending)
    finally:  # also when a second signal ends the wait: they save, and end
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.join(60)
    return endings


def _listen(
    inbox: multiprocessing.Queue[Any], running: dict[int, SpawnProcess], news: News
) -> dict[int, str]:
    """Passes on one message; tells which jobs ended, also those that ended without one."""
    try:
        index, kind, content, tick = inbox.get(timeout=0.2)
    except queue.Empty:
        silent = [i for i, process in running.items() if not process.is_alive()]
        return {i: _silent_end(running.pop(i)) for i in silent if inbox.empty()}
    if kind == "news":
        news(index, content, tick)
        return {}
    running.pop(index).join()
    return {index: content}


def _silent_end(process: SpawnProcess) -> str:
    process.join()
    return f"failed: its process ended with {process.exitcode}"


def _work(index: int, job: Job, threads: int, inbox: multiprocessing.Queue[Any]) -> None:
    torch.set_num_threads(threads)
    stop = Stop()

    parent = multiprocessing.parent_process()

    def listener(text: str, tick: Tick | None) -> None:
        if parent is not None and not parent.is_alive():
            stop.signal = signal.SIGTERM  # nobody is left to collect what it trains
        inbox.put((index, "news", text, tick))

    # A group may get the signal that the parent passes on: the first one is granted either way.
    with stop.listening([signal.SIGTERM], patient=True):
        try:
            result = train(
                job.run,
                out=job.out,
                seeds=job.seeds,
                checkpoint_every=job.checkpoint_every,
                keep=job.keep,
                device=job.device,
                executor=job.executor,
                listener=listener,
                stop=stop,
            )
            ending: str = result.ending
        except BusyError as error:
            ending = f"busy: {error}"
        except InputError as error:
            ending = f"failed: {error}"
    inbox.put((index, "ended", ending, None))
