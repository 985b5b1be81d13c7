"""How a run is carried out: in how many processes, and eagerly or compiled: what ends first.

Compiling takes as long as many thousand steps of a small network, and far less where the compiler
knows the move already: its work is kept in the user's cache, and so is how long it took.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import torch

from iidgan.engine.compile.cache import recall
from iidgan.engine.compile.executors import Executor, executor
from iidgan.engine.compile.inductor import is_whole, surroundings
from iidgan.engine.state import undone
from iidgan.engine.step import Step
from iidgan.errors import InputError
from iidgan.training.context import Game, facts
from iidgan.utils.files import cache, write_text
from iidgan.utils.processes import num_cores

Auto = Literal["auto"]

COMPILATION = 40.0
"""Seconds that compiling takes, where it was never timed."""
START = 4.0
"""Seconds until a process of its own takes its first step."""


@dataclass(frozen=True)
class Plan:
    """How a run is carried out.

    Arguments:
        executor: How steps are.
        workers: Processes among which the seeds are dealt.
    """

    executor: Executor
    workers: int


@dataclass(frozen=True)
class Pace:
    """How the time of a step grows with its seeds, in seeds of an eager one.

    Arguments:
        beside: What an eager step takes beside its seeds, for it is made of many small calls.
        compiled: What a seed takes of a compiled step, which takes nothing beside.
    """

    beside: float
    compiled: float


PERCEPTRONS = Pace(beside=0.7, compiled=0.7)
"""Measured on a CPU: a compiled step takes 0.4 of an eager one of one seed, 0.7 of one of ten."""
IMAGES = Pace(beside=0.0, compiled=1.0)
"""Convolutions, most of whose time is spent in kernels that stay what they are."""


def expected(
    plan: Plan,
    *,
    step: float,
    compilation: float,
    seeds: int,
    steps: int,
    pace: Pace = PERCEPTRONS,
) -> float:
    """Estimates the seconds of a run.

    Arguments:
        plan: How it is carried out.
        step: Seconds of an eager step of all seeds in one process.
        compilation: Seconds of compiling.
        seeds: How many.
        steps: Steps to go.
        pace: How the time of a step grows.
    """
    hand = -(-seeds // plan.workers)
    of_seed = steps * step / (seeds + pace.beside)
    if plan.executor == "compiled":
        work = of_seed * pace.compiled * hand + compilation
    else:
        work = of_seed * (hand + pace.beside)
    return work + (START if plan.workers > 1 else 0)


def choose(
    game: Game, how: Executor | Auto, workers: int | Auto, *, cores: int | None = None
) -> Plan:
    """Chooses what is left to choose, so that the run ends as early as possible.

    On an accelerator there is one process unless told otherwise, and on a CUDA device the move is
    recorded and replayed, which takes a few moves to prepare.
    """
    seeds = len(game.seeds)
    device = next(game.state.nets.parameters()).device
    if device.type != "cpu":
        best: Executor = "graphed" if device.type == "cuda" else "eager"
        return Plan(best if how == "auto" else how, 1 if workers == "auto" else workers)
    executors: Sequence[Executor] = ("eager", "compiled") if how == "auto" else (how,)
    most = min(cores or num_cores(), seeds)
    numbers = sorted({1, most}) if workers == "auto" else [min(workers, seeds)]
    plans = [Plan(name, number) for name, number in product(executors, numbers)]
    if len(plans) == 1:
        return plans[0]
    step = _seconds(game)
    left = game.run.steps - game.state.step
    return min(
        plans,
        key=lambda plan: expected(
            plan,
            step=step,
            compilation=_compilation(game, plan.workers),
            seeds=seeds,
            steps=left,
            pace=IMAGES if game.data.is_image else PERCEPTRONS,
        ),
    )


def prepare(
    name: Executor, game: Game, news: Callable[[str], None] = lambda text: None
) -> tuple[Step, Executor]:
    """Makes the step, and remembers how long compiling it will take the next time.

    Arguments:
        name: How the step is to be carried out.
        game: Whose step it is.
        news: Is told of preparations, also of later ones, and why they failed.

    Returns:
        The step, and how it is carried out.
    """
    start, example = time.perf_counter(), game.batches.at(game.state.step)
    step = executor(name, game.move, example, news)
    if step is game.move:
        return step, "eager"
    if name == "compiled":
        made = time.perf_counter()
        found = recall(game.move, example)  # as the next start will
        seconds = time.perf_counter() - made if found else made - start
        _remember(game, seconds, found.library if found else "")
    return step, name


def _seconds(game: Game) -> float:
    """Times an eager step, and undoes it."""
    batches = game.batches.at(game.state.step)
    with torch.random.fork_rng(devices=[]), undone(game.state):
        game.move(batches)  # optimisers make their tensors at the first step
        start = time.perf_counter()
        game.move(batches)
        return time.perf_counter() - start


def _file() -> Path:
    return cache() / "compilation.json"


def _read() -> dict[str, tuple[float, str]]:
    """Reads how long code took to be made ready, and the name of its library, if it has one."""
    try:
        known = json.loads(_file().read_text())
        times = {str(key): (float(value), str(name)) for key, (value, name) in known.items()}
        return {key: value for key, value in times.items() if 0 <= value[0] < math.inf}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}  # what is only a memory may be lost


def _compilation(game: Game, workers: int) -> float:
    """Estimates the seconds until the slowest of some processes has its code."""
    seeds = len(game.seeds)
    threads = 1 if workers > 1 else torch.get_num_threads()
    return max(_known(game, hand, threads) for hand in (seeds // workers, -(-seeds // workers)))


def _known(game: Game, seeds: int, threads: int) -> float:
    seconds, library = _read().get(_key(game, seeds, threads), (COMPILATION, ""))
    return seconds if not library or is_whole(library) else COMPILATION


def _remember(game: Game, seconds: float, library: str = "") -> None:
    key = _key(game, len(game.seeds), torch.get_num_threads())
    known = _read() | {key: (round(seconds, 4), library)}
    try:
        write_text(_file(), json.dumps(known, indent=0) + "\n")
    except InputError:
        return  # a home that cannot be written to


def _key(game: Game, seeds: int, threads: int) -> str:
    known = [*facts(game.run, game.data), seeds, *surroundings(threads)]
    known += [next(game.state.nets.parameters()).device.type]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
