"""A run and its folder: what is read when a training begins, and written as it goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch

from iidgan.config.registry import ensure_named
from iidgan.config.run import Run
from iidgan.core import Source
from iidgan.engine import checkpoint
from iidgan.engine.compile.executors import Executor, check
from iidgan.engine.inference import final
from iidgan.engine.loop import Ending, Stop, Tick
from iidgan.engine.sampling import Batches
from iidgan.engine.state import entropy
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import judge_of
from iidgan.evaluation.evaluate import Stand, rows, store
from iidgan.evaluation.sampling import draw
from iidgan.records import Row, append, read
from iidgan.training.context import Game
from iidgan.training.model import Maps, Model, export, load_maps
from iidgan.training.model import load as load_model
from iidgan.training.plan import Auto, Plan
from iidgan.training.run_dir import RunFolder
from iidgan.utils.device import device_from
from iidgan.utils.files import set_aside, sweep
from iidgan.utils.jsonl import append_lines
from iidgan.utils.locks import locked
from iidgan.utils.provenance import provenance

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


class Session:
    """One training of a run: its game, its folder, and what passes between them.

    Arguments:
        run: What is trained.
        seeds: Whose.
        out: Folder of the run.
        keep: Checkpoints that are kept.
        device: Where.
        listener: Is told of ticks and news.

    Raises:
        InputError: The run cannot be written down, or its data cannot be read.
    """

    def __init__(
        self,
        run: Run,
        seeds: Sequence[int],
        *,
        out: Path,
        keep: int,
        device: torch.device,
        listener: Listener,
    ) -> None:
        self.run, self.seeds = replace(run, source=_absolute(run.source)), tuple(seeds)
        ensure_named(self.run)
        self.folder, self.keep = RunFolder(out), keep
        self.device, self.listener = device, listener
        self.data = self.run.source.load().to(device)
        self.judge = judge_of(self.run.source, self.data, device)
        torch.manual_seed(entropy(*self.seeds))
        self.game = Game.of(self.run, self.seeds, self.data, device)
        self.state = self.game.state
        self.how: dict[str, str] = {}  # until it is planned
        self._planned: Executor | None = None

    def claim(self) -> None:
        """Sees that the run can be trained, and makes the folder its own.

        Raises:
            InputError: A loss fails, or the folder holds a different run.
        """
        self.game.move.rehearse(self.game.batches.at(0))
        self.folder.claim(self.run, self.seeds, self.device, self.data)

    def as_before(
        self, executor: Executor | Auto, workers: int | Auto
    ) -> tuple[Executor | Auto, int | Auto]:
        """Chooses for a run that goes on what it began with, where nothing else is asked for.

        Other processes or generated code round in other ways, and another end comes of it.
        """
        if not self.state.step:
            return executor, workers
        before = self.folder.last_start()
        if before.get("device") != self._provenance()["device"]:
            return executor, workers
        return (
            before["executor"] if executor == "auto" else executor,
            int(before["workers"]) if workers == "auto" else workers,
        )

    def begin(self, plan: Plan) -> None:
        """Notes that training begins, and how."""
        self._planned = plan.executor
        self.how = {"executor": plan.executor, "workers": str(plan.workers)}
        if news := self.judge.news:
            self.listener(news, None)
        self.folder.event("started", step=self.state.step, **self._provenance())

    def end(self, ending: Ending) -> Result:
        """Notes how training has ended."""
        self.folder.event(ending, step=self.state.step)
        return self.result(ending)

    def over(self, stop: Stop) -> Ending | None:
        """Tells how the run has ended, if nothing is left to do."""
        if stop.hopeless(self.state.diverged):
            return "diverged"
        return "finished" if self.state.step >= self.run.steps else None

    def result(self, ending: Ending) -> Result:
        diverged = tuple(self.state.diverged.tolist())
        return Result(self.folder.path, ending, self.state.step, diverged)

    def tell(self, news: str) -> None:
        self.listener(news, None)

    def lost(self, news: str) -> None:
        """Notes that a process has ended before its time."""
        self.folder.event("lost a worker", step=self.state.step, news=news)
        self.tell(news)

    def use(self, name: Executor) -> None:
        """Notes how steps are carried out, where that is another way than planned.

        Rows say so, and what goes on later goes on so. One process of several is enough.
        """
        if name != self._planned:
            self.how["executor"] = name
            self.folder.event("executor", step=self.state.step, executor=name)

    def resume(self) -> None:
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

    def log(self, tick: Tick) -> None:
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

    def save(self) -> None:
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
            samples = draw(nets, self.data, stand, self.judge)
        append(self.folder.metrics, rows(samples, stand, self._provenance()))
        store(self.folder.arrays, samples, stand)
        export(self.folder.generator, Maps(stand, self.data.shape, nets))

    def _provenance(self) -> dict[str, str]:
        return provenance(self.device) | self.how

    def _fresh_batches(self) -> Batches:
        return Batches(self.data, self.seeds, size=self.run.batch, latent=self.run.arch.latent)


@contextmanager
def opened(
    run: Run,
    seeds: Sequence[int],
    *,
    out: Path,
    keep: int,
    device: str,
    executor: Executor | Auto,
    listener: Listener,
) -> Iterator[Session]:
    """Makes a session that stands where its folder does, which is its own until this ends.

    Raises:
        InputError: The device cannot do it, the run cannot be trained, or the folder is another's.
        BusyError: Another process is training in the folder.
    """
    place = device_from(device)
    if executor != "auto":
        check(executor, place)
    session = Session(run, seeds, out=out, keep=keep, device=place, listener=listener)
    session.claim()
    with locked(session.folder.path):
        session.resume()
        yield session


def _absolute(source: Source) -> Source:
    """Lets places be found from any working directory."""
    places = [f.name for f in fields(source) if f.metadata.get("path")]  # type: ignore[arg-type]
    there = {name: getattr(source, name) for name in places}
    found = {name: os.path.abspath(place) for name, place in there.items() if place is not None}
    return replace(source, **found)  # type: ignore[type-var]


def _json(value: float) -> float | None:
    return round(value, 6) if value == value and abs(value) != float("inf") else None
