"""Training: from a run to a folder with checkpoints, logs, rows and a generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from pathlib import Path
from typing import get_args

import torch

from iidgan.config.run import Run
from iidgan.engine.compile.executors import Executor
from iidgan.engine.loop import Ending, Stop
from iidgan.errors import InputError, unknown
from iidgan.parallel.batched_runs import Stack
from iidgan.parallel.seed_pool import Shards, deal
from iidgan.parallel.seed_worker import Shard
from iidgan.training.plan import Auto, Plan, choose
from iidgan.training.session import Listener, Result, Session, opened


def train(
    run: Run,
    *,
    out: str | Path,
    seeds: int | Sequence[int] = 1,
    checkpoint_every: int = 2000,
    keep: int = 3,
    device: str = "auto",
    executor: Executor | Auto = "auto",
    workers: int | Auto = 1,
    listener: Listener = lambda news, tick: None,
    stop: Stop | None = None,
) -> Result:
    """Trains all seeds side by side; goes on where an earlier call stopped.

    Arguments:
        run: What to train.
        out: Folder of the run; made if it is not there.
        seeds: How many (0, 1, ...), or which ones.
        checkpoint_every: Steps between checkpoints, each with a measurement.
        keep: Checkpoints that are kept, the newest ones.
        device: `cpu`, `cuda`, ..., or `auto`.
        executor: How moves are carried out; `auto` compiles where that pays within the run. One
            that goes on keeps what it began with, and the number of its processes.
        workers: Processes among which the seeds are dealt, or `auto` for one a core where that
            pays. They start the program anew, so that a script needs `if __name__ ==
            "__main__":` around what it does.
        listener: Is told of ticks and news.
        stop: A wish to stop that may come from elsewhere.

    Raises:
        InputError: A field, the data or the folder is not what it has to be.
    """
    chosen = _chosen(seeds)
    if workers != "auto" and not isinstance(workers, int):
        raise InputError(f"workers: {workers!r} is no whole number; such as 2, or auto")
    numbers = {"checkpoint-every": checkpoint_every, "keep": keep}
    _check(chosen, numbers if workers == "auto" else numbers | {"workers": workers})
    if executor not in (known := ("auto", *get_args(Executor))):
        raise unknown("executor", executor, known)
    stop = stop or Stop()
    folder = opened(
        run,
        chosen,
        out=Path(out),
        keep=keep,
        device=device,
        executor=executor,
        listener=listener,
    )
    with torch.random.fork_rng(devices=[]), folder as session:
        if ending := session.over(stop):
            return session.result(ending)
        plan = choose(session.game, *session.as_before(executor, workers))
        session.begin(plan)
        if plan.workers == 1:
            ending = Stack([session]).fit(plan.executor, checkpoint_every, stop)
        else:
            ending = _dealt(session, plan, checkpoint_every, stop)
        return session.end(ending)


def _dealt(session: Session, plan: Plan, checkpoint_every: int, stop: Stop) -> Ending:
    """Trains in several processes."""
    shards = [
        Shard(session.run, seeds, str(session.device), plan.executor, checkpoint_every)
        for seeds in deal(session.seeds, plan.workers)
    ]
    together = Shards(
        session.state,
        shards,
        on_loss=session.lost,
        on_news=session.tell,
        on_executor=session.use,
    )
    return together.fit(on_tick=session.log, on_checkpoint=session.save, stop=stop)


def _chosen(seeds: int | Sequence[int]) -> tuple[int, ...]:
    if not isinstance(seeds, int):
        return tuple(map(index, seeds))
    if seeds < 1:
        raise InputError(f"seeds: {seeds} is too small; at least 1")
    return tuple(range(seeds))


def _check(seeds: tuple[int, ...], numbers: Mapping[str, int]) -> None:
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise InputError(f"seeds: {seeds} are not one or more different numbers from 0 on")
    for name, number in numbers.items():
        if number < 1:
            raise InputError(f"{name}: {number} is too small; at least 1")
