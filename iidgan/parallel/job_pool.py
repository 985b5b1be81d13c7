"""Several trainings at once, on a few worker processes that take one after the other."""

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

from iidgan.engine.compile.executors import Executor
from iidgan.engine.loop import Stop, Tick
from iidgan.engine.state import places
from iidgan.parallel.batched_runs import Part, train_stack
from iidgan.training.plan import Auto
from iidgan.utils.processes import deaf, how_it_ended

News = Callable[[int, str, Tick | None], None]
Ended = Callable[[int, str], None]


@dataclass(frozen=True, kw_only=True)
class Job:
    """Runs that one process trains as one stack, and how: what `train_stack` takes."""

    parts: Sequence[Part]
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
        news: Is told the position of a run, all parts counted, and what its training tells.
        ended: Is told the position of a run, and how it ended, at once.
        stop: The wish to stop.

    Returns:
        How each run ended: `finished`, `stopped`, `diverged`, `not begun`, `busy: ...` where
        another process is training it, or `failed: ...`.
    """
    pool = _Pool(jobs, max(1, torch.get_num_threads() // workers))
    endings = ["not begun" for job in jobs for _ in job.parts]
    told = False
    try:
        while pool.busy or (pool.waiting and stop.signal is None):
            while pool.waiting and len(pool.busy) < workers and stop.signal is None:
                pool.deal()
            if stop.signal is not None and not told:
                told = True
                pool.terminate()
            for position, ending in pool.listen(news):
                endings[position] = ending
                ended(position, ending)
    finally:  # also when a second signal ends the wait: they save, and end
        pool.terminate()
        pool.join()
    return endings


@dataclass
class _Worker:
    """A process, and the pipe through which it gets its jobs."""

    process: SpawnProcess
    pipe: Connection


class _Pool:
    """The workers, and the jobs that wait for them.

    Arguments:
        jobs: What is to be done.
        threads: Of each worker.
    """

    def __init__(self, jobs: Sequence[Job], threads: int) -> None:
        self._context: SpawnContext = multiprocessing.get_context("spawn")
        self._inbox: multiprocessing.Queue[Any] = self._context.Queue()
        self._jobs, self._threads = jobs, threads
        self._places = places([len(job.parts) for job in jobs])
        self._idle: list[_Worker] = []
        self._told = False  # to stop
        self.waiting = [*range(len(jobs))]
        self.busy: dict[int, _Worker] = {}

    def deal(self) -> None:
        """Gives the next job to a worker that has none, or to a new one."""
        index = self.waiting.pop(0)
        self._idle = [worker for worker in self._idle if worker.process.is_alive()]
        worker = self._idle.pop() if self._idle else self._start()
        self.busy[index] = worker
        try:
            worker.pipe.send((index, self._jobs[index]))
        except OSError:  # it ended a moment ago
            self.busy[index] = worker = self._start()
            worker.pipe.send((index, self._jobs[index]))

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._threads, self._inbox))
        with deaf((signal.SIGINT, signal.SIGTERM)):  # a terminal sends one to parent and child
            process.start()
        theirs.close()  # so that its end is seen
        return _Worker(process, ours)

    def listen(self, news: News) -> Iterator[tuple[int, str]]:
        """Passes on one message; gives the runs that ended, also those without a message."""
        try:
            index, kind, content, tick = self._inbox.get(timeout=0.2)
        except queue.Empty:
            yield from self._silent()
            return
        first = self._places[index].start
        if kind == "ended":
            endings, willing = content
            worker = self.busy.pop(index)
            if willing:
                self._idle.append(worker)
            yield from enumerate(endings, first)
        else:
            part, text = content
            news(first + part, text, tick)

    def _silent(self) -> Iterator[tuple[int, str]]:
        dead = [i for i, worker in self.busy.items() if not worker.process.is_alive()]
        for index in dead if self._inbox.empty() else ():
            process = self.busy.pop(index).process
            process.join()
            failed = f"failed: its process {how_it_ended(process.exitcode)}"
            ending = "stopped" if self._told and not process.exitcode else failed
            place = self._places[index]
            yield from ((position, ending) for position in range(place.start, place.stop))

    def terminate(self) -> None:
        self._told = True
        for worker in self.busy.values():
            worker.process.terminate()

    def join(self) -> None:
        workers = [*self.busy.values(), *self._idle]
        for worker in workers:
            worker.pipe.close()  # no job comes any more
        for worker in workers:
            worker.process.join(60)


def _work(pipe: Connection, threads: int, inbox: multiprocessing.Queue[Any]) -> None:
    torch.set_num_threads(threads)
    stop = Stop()
    # A group may get the signal that the parent passes on: the first one is granted either way.
    with stop.listening([signal.SIGTERM], patient=True), suppress(EOFError):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # it waited while this began
        while stop.signal is None:  # a wish that only this process got ends it, not its next jobs
            index, job = pipe.recv()
            endings = _train(index, job, stop, inbox)
            inbox.put((index, "ended", (endings, stop.signal is None), None))
            gc.collect()  # what was recorded or compiled holds memory in cycles


def _train(index: int, job: Job, stop: Stop, inbox: multiprocessing.Queue[Any]) -> list[str]:
    parent = multiprocessing.parent_process()

    def listener(part: int, text: str, tick: Tick | None) -> None:
        if parent is not None and not parent.is_alive():
            stop.signal = signal.SIGTERM  # nobody is left to collect what it trains
        inbox.put((index, "news", (part, text), tick))

    return train_stack(
        job.parts,
        checkpoint_every=job.checkpoint_every,
        keep=job.keep,
        device=job.device,
        executor=job.executor,
        listener=listener,
        stop=stop,
    )
