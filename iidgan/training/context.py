"""A run set up for some of its seeds: what moves, how, and on which batches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass

import torch

from iidgan.config.run import Run
from iidgan.config.serialization import encode
from iidgan.core import Arch, Dataset
from iidgan.engine.compile.inductor import keep_compiled
from iidgan.engine.sampling import Batches, Beside, Blocks
from iidgan.engine.state import State, init, joined, restore, tensors
from iidgan.engine.step import Move


@dataclass(frozen=True)
class Game:
    """The state of some seeds of a run, their move, and their batches.

    Arguments:
        run: What is played.
        seeds: By whom; each plays as if it were alone.
        data: The samples.
        state: What moves.
        move: How.
        batches: On what.
    """

    run: Run
    seeds: tuple[int, ...]
    data: Dataset
    state: State
    move: Move
    batches: Blocks

    @classmethod
    def of(cls, run: Run, seeds: Sequence[int], data: Dataset, device: torch.device) -> Game:
        """Sets a run up at its first step; `data` is on `device`, where the state will be."""
        state, move = _start(run, seeds, data, device)
        batches = Batches(
            data,
            seeds,
            size=run.batch,
            latent=run.arch.latent,
            repeat=move.num_batches,
            noise=run.method.noise(Arch(run.arch, data.shape)),
            steps=run.steps,
        )
        return cls(run, tuple(seeds), data, state, move, batches)

    @classmethod
    def beside(cls, games: Sequence[Game]) -> Game:
        """Lays games of runs that differ in their source alone side by side, as one of all seeds.

        All are at the same step. The state is a copy; `run` and `data` are those of the first.
        """
        first = games[0]
        if len(games) == 1:
            return first
        seeds = tuple(seed for game in games for seed in game.seeds)
        device = next(first.state.nets.parameters()).device
        state, move = _start(first.run, seeds, first.data, device)
        restore(state, joined([tensors(game.state) for game in games]))
        state.step = first.state.step
        state.diverged = torch.cat([game.state.diverged for game in games])
        batches = Beside([game.batches for game in games])
        return cls(first.run, seeds, first.data, state, move, batches)


def facts(run: Run, data: Dataset) -> list[object]:
    """Names what a move is made of: of other sources, seeds and lengths the move is the same."""
    parts = [encode(part, include_paths=False) for part in _made_of(run)]
    return [parts, run.batch, data.shape, run.ema, run.precision]


def _made_of(run: Run) -> tuple[object, ...]:
    return run.method, run.arch, run.optimiser


def _start(
    run: Run, seeds: Sequence[int], data: Dataset, device: torch.device
) -> tuple[State, Move]:
    keep_compiled()
    arch = Arch(run.arch, data.shape)
    state = init(run.method, arch, run.optimiser, seeds, ema=run.ema, device=device)
    move = Move(
        run.method,
        state,
        steps=run.steps,
        ema=run.ema,
        precision=run.precision,
        recipe=json.dumps(facts(run, data)) if _is_known(_made_of(run)) else None,
    )
    return state, move


def _is_known(part: object) -> bool:
    """Tells whether all classes of a part are of this package, so that their names say it all."""
    inside: Sequence[object] = ()
    if is_dataclass(part):
        inside = [getattr(part, f.name) for f in fields(part)]
    elif isinstance(part, tuple | list):
        inside = part
    home = type(part).__module__.partition(".")[0]
    return home in ("iidgan", "builtins") and all(map(_is_known, inside))
