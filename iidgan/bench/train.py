"""Training: from a run to a folder with checkpoints, logs, rows and a generator."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import index
from pathlib import Path
from typing import get_args

import torch

from iidgan.bench.evaluate import Stand, draw, rows, store
from iidgan.bench.folder import RunFolder
from iidgan.bench.game import Game
from iidgan.bench.judge import judge_of
from iidgan.bench.model import Maps, Model, export, load_maps, load_model
from iidgan.bench.plan import Auto, Plan, choose, prepare
from iidgan.bench.provenance import device_from, provenance
from iidgan.bench.registry import ensure_named
from iidgan.bench.rows import Row, append, read
from iidgan.bench.run import Run
from iidgan.bench.shard import Shard
from iidgan.bench.shards import Shards, deal
from iidgan.core import Dataset, Source
from iidgan.engine import checkpoint
from iidgan.engine.batches import Batches
from iidgan.engine.executors import Executor, check
from iidgan.engine.loop import Ending, Schedule, Stop, Tick, fit
from iidgan.engine.sample import final
from iidgan.engine.state import entropy
from iidgan.errors import InputError, unknown
from iidgan.files import append_lines, locked, set_aside, sweep

Listener = Callable[[str, Tick | None], None]
"""Is told a line of news, or a tick with an empty line."""


@dataclass(frozen=True)
class Result:
    """What a training left.

    Arguments:
        path: The run's folder.
        ending: How the training ended.
        step: Steps taken.
        diverged: For each seed the step at which it diverged, or -1.
    """

    path: Path
    ending: Ending
    step: int
    diverged: tuple[int, ...]

    @property
    def rows(self) -> list[Row]:
        """All that was measured."""
        return read(RunFolder(self.path).metrics)

    def model(self, seed: int | None = None) -> Model:
        """The trained generator of one seed."""
        return load_model(self.path, seed)


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
        executor: How moves are carried out; `auto` compiles where that pays within the run.
        workers: Processes among which the seeds are dealt, or `auto` for one a core where that
            pays. They start the program anew, so that a script needs `if __name__ ==
            "__main__":` around what it does.
        listener: Is told of ticks and news.
        stop: A wish to stop that may come from elsewhere.

    Raises:
        InputError: A field, the data or the folder is not what it has to be.
    """
    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(map(index, seeds))
    if workers != "auto" and not isinstance(workers, int):
        raise InputError(f"workers: {workers!r} is no whole number; such as 2, or auto")
    numbers = {"checkpoint-every": checkpoint_every, "keep": keep}
    _check(chosen, numbers if workers == "auto" else numbers | {"workers": workers})
    if executor not in (known := ("auto", *get_args(Executor))):
        raise unknown("executor", executor, known)
    run = replace(run, source=_absolute(run.source))
    ensure_named(run)
    place = device_from(device)
    if executor != "auto":
        check(executor, place)
    data = run.source.load().to(place)
    with torch.random.fork_rng(devices=[]):
        session = _Session(run, chosen, data, RunFolder(Path(out)), keep, place, listener)
        return session.train(checkpoint_every, executor, workers, stop or Stop())


def _absolute(source: Source) -> Source:
    """Lets places be found from any working directory."""
    places = [f.name for f in fields(source) if f.metadata.get("place")]  # type: ignore[arg-type]
    there = {name: getattr(source, name) for name in places}
    found = {name: os.path.abspath(place) for name, place in there.items() if place is not None}
    return replace(source, **found)  # type: ignore[type-var]


def _check(seeds: tuple[int, ...], numbers: Mapping[str, int]) -> None:
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise InputError(f"seeds: {seeds} are not one or more different numbers from 0 on")
    for name, number in numbers.items():
        if number < 1:
            raise InputError(f"{name}: {number} is too small; at least 1")


class _Session:
    """One call of `train`: a run, its folder, and the state between them."""

    def __init__(
        self,
        run: Run,
        seeds: tuple[int, ...],
        data: Dataset,
        folder: RunFolder,
        keep: int,
        device: torch.device,
        listener: Listener,
    ) -> None:
        self.run, self.seeds, self.data, self.folder = run, seeds, data, folder
        self.keep, self.device, self.listener = keep, device, listener
        self.judge = judge_of(run.source, data, device)
        torch.manual_seed(entropy(*seeds))
        self.game = Game(run, seeds, data, device)
        self.state = self.game.state
        self.how: dict[str, str] = {}  # until it is planned

    def train(
        self, checkpoint_every: int, how: Executor | Auto, workers: int | Auto, stop: Stop
    ) -> Result:
        self.game.move.rehearse(self.game.batches.at(0))
        self.folder.claim(self.run, self.seeds, self.device, self.data)
        with locked(self.folder.path):
            return self._train(checkpoint_every, how, workers, stop)

    def _train(
        self, checkpoint_every: int, how: Executor | Auto, workers: int | Auto, stop: Stop
    ) -> Result:
        self._resume()
        if self.state.step >= self.run.steps or stop.hopeless(self.state.diverged):
            return self._result("finished" if self.state.step >= self.run.steps else "diverged")
        plan = choose(self.game, how, workers)
        self.how = {"executor": plan.executor, "workers": str(plan.workers)}
        if news := self.judge.news:
            self.listener(news, None)
        self.folder.event("started", step=self.state.step, **self._provenance())
        train = self._train_here if plan.workers == 1 else self._train_dealt
        ending = train(plan, checkpoint_every, stop)
        self.folder.event(ending, step=self.state.step)
        return self._result(ending)

    def _train_here(self, plan: Plan, checkpoint_every: int, stop: Stop) -> Ending:
        step, used = prepare(plan.executor, self.game, self._tell)
        self._use(used)
        return fit(
            self.state,
            step,
            self.game.batches,
            self.run.optimiser,
            Schedule(steps=self.run.steps, checkpoint_every=checkpoint_every),
            on_tick=self._log,
            on_checkpoint=self._save,
            stop=stop,
        )

    def _train_dealt(self, plan: Plan, checkpoint_every: int, stop: Stop) -> Ending:
        shards = [
            Shard(self.run, seeds, str(self.device), plan.executor, checkpoint_every)
            for seeds in deal(self.seeds, plan.workers)
        ]
        together = Shards(
            self.state, shards, on_loss=self._lost, on_news=self._tell, on_executor=self._use
        )
        return together.fit(on_tick=self._log, on_checkpoint=self._save, stop=stop)

    def _lost(self, news: str) -> None:
        self.folder.event("lost a worker", step=self.state.step, news=news)
        self._tell(news)

    def _tell(self, news: str) -> None:
        self.listener(news, None)

    def _use(self, name: Executor) -> None:
        """Notes for the rows how steps are carried out, which may be another way than planned."""
        self.how["executor"] = name

    def _resume(self) -> None:
        sweep(self.folder.checkpoints)
        sweep(self.folder.path)
        found = checkpoint.newest(self.folder.checkpoints)
        for path, reason in found.damaged.items():
            aside = set_aside(path)  # else it would count among those to keep
            self.listener(f"{path} is damaged ({reason}); it is now {aside.name}", None)
            self.folder.event("damaged checkpoint", path=path.name, reason=reason)
        if found.path is not None:
            checkpoint.load(found.path, self.state)
        if found.damaged and found.path is None:
            self.listener("no whole checkpoint is left; starting anew", None)
        elif self.state.step:
            done = self.state.step >= self.run.steps
            self.listener(f"{'done at' if done else 'going on from'} step {self.state.step}", None)
        self.folder.rewind(self.state.step)
        if found.path is not None and not self._is_measured():
            self._measure()

    def _log(self, tick: Tick) -> None:
        lines = [
            {
                "step": tick.step,
                "seed": seed,
                "seconds": round(tick.seconds, 4),
                **{name: _json(values[i]) for name, values in tick.losses.items()},
            }
            for i, seed in enumerate(self.seeds)
        ]
        append_lines(self.folder.log, lines)
        for position, step in tick.diverged.items():
            seed = self.seeds[position]
            self.folder.event("diverged", seed=seed, step=step)
            self.listener(f"seed {seed} diverged at step {step}", None)
        self.listener("", tick)

    def _save(self) -> None:
        checkpoint.save(self.folder.checkpoints, self.state, keep=self.keep)
        self._measure()

    def _is_measured(self) -> bool:
        """Tells whether the generator, which a measurement writes last, is of this step."""
        try:
            return load_maps(self.folder.generator).stand.step == self.state.step
        except InputError:
            return False

    def _measure(self) -> None:
        diverged = self.state.diverged.tolist()
        stand = Stand(self.run, self.seeds, self.state.step, diverged)
        with torch.random.fork_rng(devices=[]):  # training goes on as if nobody had looked
            nets = final(self.state, self._fresh_batches())
            samples = self.judge(draw(nets, self.data, stand))
        append(self.folder.metrics, rows(samples, stand, self._provenance()))
        store(self.folder.arrays, samples, stand)
        export(self.folder.generator, Maps(stand, self.data.shape, nets))

    def _provenance(self) -> dict[str, str]:
        return provenance(self.device) | self.how

    def _fresh_batches(self) -> Batches:
        return Batches(self.data, self.seeds, size=self.run.batch, latent=self.run.arch.latent)

    def _result(self, ending: Ending) -> Result:
        diverged = tuple(self.state.diverged.tolist())
        return Result(self.folder.path, ending, self.state.step, diverged)


def _json(value: float) -> float | None:
    return round(value, 6) if value == value and abs(value) != float("inf") else None
