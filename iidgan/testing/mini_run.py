"""A small training run in float64, and the trajectory that it produces."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from iidgan.core import (
    Batch,
    Dataset,
    Losses,
    Method,
    Nets,
    NetworkFactory,
    Player,
    concatenate_batches,
    layer_noise_shapes,
)
from iidgan.engine.compile import StepBuilder, StepDispatcher
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import State, init_state
from iidgan.engine.step import TrainStep
from iidgan.nn import MLP

ARCH = NetworkFactory(MLP(latent=2, hidden=(16, 16)), (2,))
SEEDS = (0, 1, 2)
BATCH_SIZE, NUM_STEPS = 16, 3
NUM_CLASSES = 4
"""Classes of the samples that conditional methods are trained on."""


@contextmanager
def float64_default() -> Iterator[None]:
    """Make float64 the default dtype; restore the default and the random state afterwards."""
    previous_dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_default_dtype(previous_dtype)


@dataclass(frozen=True)
class Trajectory:
    """The result of a few training steps.

    Arguments:
        state: The state after the last step.
        values: Parameters and buffers of the networks, and losses of the last step, by name, each
            with the seed axis first.
    """

    state: State
    values: Mapping[str, Tensor]

    def select_seeds(self, seeds: slice) -> dict[str, Tensor]:
        """Return the values of some of the seeds.

        Arguments:
            seeds: Positions of the seeds.
        """
        return {name: value[seeds] for name, value in self.values.items()}


@dataclass(frozen=True)
class MiniRun:
    """A method together with everything needed to train it for a few steps.

    Arguments:
        method: The method.
        arch: Builds the networks.
        seeds: Seeds that train side by side.
    """

    method: Method
    arch: NetworkFactory
    seeds: tuple[int, ...] = SEEDS

    @property
    def factory(self) -> NetworkFactory:
        """Builds the networks; those of a conditional method know the number of classes."""
        return replace(self.arch, num_classes=NUM_CLASSES)

    def init_state(self) -> State:
        """Return a new copy of the initial state."""
        return copy.deepcopy(self.initial_state)

    @cached_property
    def initial_state(self) -> State:
        """The state before the first step; read-only."""
        return init_state(self.method, self.factory, Adam(), self.seeds)

    def draw_batches(self) -> list[list[Batch]]:
        """Draw the batches of `NUM_STEPS` steps."""
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(64, *self.arch.shape, generator=generator).tanh()
        train_step = TrainStep(self.method, self.initial_state, steps=NUM_STEPS)
        method_noise = self.method.noise_shapes(self.factory)
        layer_noise = layer_noise_shapes(dict(self.initial_state.nets.items()))
        stream = DatasetStream(
            Dataset(x, torch.arange(64) % NUM_CLASSES),
            self.seeds,
            batch_size=BATCH_SIZE,
            latent_dim=self.arch.latent,
            batches_per_step=train_step.num_batches,
            noise_shapes={**method_noise, **layer_noise},
            steps=NUM_STEPS,
            conditioning=self.method.conditioning,
        )
        return [stream.batches_at(step) for step in range(NUM_STEPS)]

    def first_batch(self, player: Player) -> Batch:
        """Return the batch of the first update of a player.

        Arguments:
            player: One of the players of the method.
        """
        return concatenate_batches(self.draw_batches()[0][: player.batches_per_update])

    @cached_property
    def trajectory(self) -> Trajectory:
        """The result of `NUM_STEPS` steps; read-only."""
        return run_steps(self.init_state(), self.method, self.draw_batches())

    def train_initial_state(self) -> Trajectory:
        """Take `NUM_STEPS` steps with the initial state itself; this run is then used up."""
        return run_steps(self.initial_state, self.method, self.draw_batches())


def run_steps(
    state: State,
    method: Method,
    batches: Sequence[Sequence[Batch]],
    *,
    make: StepBuilder | None = None,
) -> Trajectory:
    """Take one training step on each element of `batches`.

    Arguments:
        state: State that is trained in place.
        method: Method that it belongs to.
        batches: The batches of each step.
        make: Builds the step; by default it is eager.

    Returns:
        The state with all parameters, buffers and losses of the last step.
    """
    eager_step = TrainStep(method, state, steps=NUM_STEPS)
    step = StepDispatcher(eager_step, batches[0], build=make) if make else eager_step
    last_losses: Losses = {}
    for step_batches in batches:
        last_losses = step(step_batches)
        state.step += 1
    return Trajectory(state, copy_weights(state) | last_losses)


def without_cache(state: State) -> Nets:
    """Return the networks without cached forward passes."""
    return Nets(dict(state.nets.items()))


def copy_weights(state: State) -> dict[str, Tensor]:
    """Copy parameters and buffers of the networks, by name."""
    return {name: value.clone() for name, value in state.nets.state_dict().items()}


def copy_mutable(state: State, batch: Batch) -> dict[str, Tensor]:
    """Copy everything that a loss could change: batch, networks and random state."""
    batch_copies = {f"batch.{name}": value.clone() for name, value in batch.to_tensors().items()}
    return batch_copies | copy_weights(state) | {"rng": torch.get_rng_state()}
