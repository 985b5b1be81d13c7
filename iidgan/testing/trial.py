"""A small training in float64, and what can be observed of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from iidgan.core import Arch, Batch, Dataset, Losses, Method, Nets, Player, join
from iidgan.engine.compile.executors import Make, Phases
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import Batches
from iidgan.engine.state import State, init
from iidgan.engine.step import Move
from iidgan.nn import MLP

ARCH = Arch(MLP(latent=2, hidden=(16, 16)), (2,))
SEEDS = (0, 1, 2)
BATCH, MOVES = 8, 5


@contextmanager
def float64() -> Iterator[None]:
    """Makes float64 the default, and leaves it and the random state as they were."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_default_dtype(before)


@dataclass(frozen=True)
class Seen:
    """What some moves lead to.

    Arguments:
        state: Where they end.
        values: Parameters and buffers of the networks, and losses of the last move, by name, each
            with the seed axis first.
    """

    state: State
    values: Mapping[str, Tensor]

    def at(self, seeds: slice) -> dict[str, Tensor]:
        """Gives the values of some seeds."""
        return {name: value[seeds] for name, value in self.values.items()}


@dataclass(frozen=True)
class Trial:
    """A method, and what it takes to train it a little."""

    method: Method
    arch: Arch
    seeds: tuple[int, ...] = SEEDS

    def start(self) -> State:
        return init(self.method, self.arch, Adam(), self.seeds)

    def batches(self) -> list[list[Batch]]:
        """Draws the batches of `MOVES` moves."""
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(64, *self.arch.shape, generator=generator).tanh()
        batches = Batches(
            Dataset(x, torch.arange(64) % 4),
            self.seeds,
            size=BATCH,
            latent=self.arch.latent,
            repeat=Move(self.method, self.start(), steps=MOVES).num_batches,
            noise=self.method.noise(self.arch),
            steps=MOVES,
        )
        return [batches.at(step) for step in range(MOVES)]

    def batch_of(self, player: Player) -> Batch:
        """Gives the batch of a first move of `player`."""
        return join(self.batches()[0][: player.batches])

    @cached_property
    def end(self) -> Seen:
        """What there is to see after `MOVES` moves, to be read only."""
        return go(self.start(), self.method, self.batches())


def go(
    state: State, method: Method, batches: Sequence[Sequence[Batch]], *, make: Make | None = None
) -> Seen:
    """Takes a move on each of `batches`."""
    move = Move(method, state, steps=MOVES)
    step = Phases(move, batches[0], make=make) if make else move
    losses: Losses = {}
    for batch in batches:
        losses = step(batch)
        state.step += 1
    return Seen(state, weights(state) | losses)


def fresh(state: State) -> Nets:
    """Gives the networks without memory of any forward pass."""
    return Nets(dict(state.nets.items()))


def weights(state: State) -> dict[str, Tensor]:
    """Copies parameters and buffers of the networks by name."""
    return {name: value.clone() for name, value in state.nets.state_dict().items()}


def snapshot(state: State, batch: Batch) -> dict[str, Tensor]:
    """Copies all that a loss could change."""
    copies = {f"batch.{name}": value.clone() for name, value in batch.tensors().items()}
    return copies | weights(state) | {"rng": torch.get_rng_state()}
