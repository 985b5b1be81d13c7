"""Everything that a process needs to train some seeds of a run: state, step and batches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass

import torch

from iidgan.config.run import Run
from iidgan.config.serialization import encode
from iidgan.core import Dataset, NetworkFactory, layer_noise_shapes
from iidgan.engine.compile import set_inductor_cache
from iidgan.engine.sampling import BatchStream, ConcatenatedStream, DatasetStream
from iidgan.engine.state import State, concat_seeds, init_state, named_tensors, restore_state
from iidgan.engine.step import TrainStep


@dataclass(frozen=True)
class TrainContext:
    """The state of some seeds of a run, their training step, and their batches.

    Arguments:
        run: The run.
        seeds: The seeds; each trains independently of the others.
        data: The data set.
        state: Networks, optimisers and step count.
        train_step: The training step, which updates `state`.
        batches: The batches of every step.

    Examples:
        >>> import torch
        >>> from iidgan import GAN, Ring, Run
        >>> from iidgan.training.context import TrainContext
        >>> run = Run(source=Ring(size=200), method=GAN())
        >>> context = TrainContext.create(run, [0, 1], run.source.load(), torch.device("cpu"))
        >>> losses = context.train_step(context.batches.batches_at(0))
        >>> {name: loss.shape for name, loss in losses.items()}  # one loss per seed
        {'D/adversarial': torch.Size([2]), 'G/adversarial': torch.Size([2])}
    """

    run: Run
    seeds: tuple[int, ...]
    data: Dataset
    state: State
    train_step: TrainStep
    batches: BatchStream

    @classmethod
    def create(
        cls, run: Run, seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> TrainContext:
        """Set up a run at its first step.

        Arguments:
            run: The run.
            seeds: Seeds to train.
            data: Its data set, on `device`.
            device: Device of the networks.
        """
        state, train_step = _create_step(run, seeds, data, device)
        method_noise = run.method.noise_shapes(_create_factory(run, data))
        layer_noise = layer_noise_shapes(dict(state.nets.items()))
        batches = DatasetStream(
            data,
            seeds,
            batch_size=run.batch,
            latent_dim=run.arch.latent,
            batches_per_step=train_step.num_batches,
            noise_shapes={**method_noise, **layer_noise},
            steps=run.steps,
            conditioning=run.method.conditioning,
        )
        return cls(run, tuple(seeds), data, state, train_step, batches)

    @classmethod
    def concatenate(cls, contexts: Sequence[TrainContext]) -> TrainContext:
        """Concatenate contexts of runs that differ in their source alone along the seed axis.

        All are at the same step. The state is a copy; `run` and `data` are those of the first.

        Arguments:
            contexts: The contexts, whose seeds follow each other in the result.
        """
        first_context = contexts[0]
        if len(contexts) == 1:
            return first_context
        seeds = tuple(seed for context in contexts for seed in context.seeds)
        device = next(first_context.state.nets.parameters()).device
        state, train_step = _create_step(first_context.run, seeds, first_context.data, device)
        restore_state(state, concat_seeds([named_tensors(context.state) for context in contexts]))
        state.step = first_context.state.step
        state.diverged = torch.cat([context.state.diverged for context in contexts])
        batches = ConcatenatedStream([context.batches for context in contexts])
        return cls(first_context.run, seeds, first_context.data, state, train_step, batches)


def create_statistics_stream(run: Run, seeds: Sequence[int], data: Dataset) -> DatasetStream:
    """Create the batches from which `inference_networks` computes fixed statistics.

    Arguments:
        run: The run.
        seeds: Its seeds.
        data: Its data set.
    """
    return DatasetStream(
        data,
        seeds,
        batch_size=run.batch,
        latent_dim=run.arch.latent,
        conditioning=run.method.conditioning,
    )


def describe_step(run: Run, data: Dataset) -> list[object]:
    """Describe all that determines the computation of a step; sources, seeds and lengths do not.

    Arguments:
        run: The run.
        data: Its data set, of which the shape counts.

    Returns:
        Values that can be encoded as JSON; equal for runs with equal steps.

    Examples:
        >>> from iidgan import GAN, Grid, Ring, Run
        >>> from iidgan.training.context import describe_step
        >>> sources = Ring(size=9), Grid(size=50)
        >>> ring, grid = (Run(source=source, method=GAN()) for source in sources)
        >>> describe_step(ring, ring.source.load()) == describe_step(grid, grid.source.load())
        True
    """
    encoded_parts = [encode(part, include_paths=False) for part in _step_parts(run)]
    ramp = [run.ema_rampup, run.steps] if run.ema_rampup else []
    classes = run.find_classes(data)
    num_classes = [len(classes)] if classes else []
    factors = [run.lr_factors] if run.lr_factors else []  # players of equal factors share a rate
    frozen = [{"freeze_d": run.start.freeze_d}] if run.start and run.start.freeze_d else []
    numbers = [run.batch, data.shape, run.ema, run.precision]
    return [encoded_parts, *numbers, *ramp, *num_classes, *factors, *frozen]


def _step_parts(run: Run) -> tuple[object, ...]:
    return run.method, run.arch, run.optimiser


def _create_step(
    run: Run, seeds: Sequence[int], data: Dataset, device: torch.device
) -> tuple[State, TrainStep]:
    set_inductor_cache()
    arch = _create_factory(run, data)
    state = init_state(
        run.method,
        arch,
        run.optimiser,
        seeds,
        ema=run.ema,
        lr_factors=dict(run.lr_factors),
        freeze_d=run.start.freeze_d if run.start else 0,
        device=device,
    )
    is_cacheable = _is_from_package(_step_parts(run))
    train_step = TrainStep(
        run.method,
        state,
        steps=run.steps,
        ema=run.ema,
        ema_rampup=run.ema_rampup,
        precision=run.precision,
        cache_key=json.dumps(describe_step(run, data)) if is_cacheable else None,
    )
    return state, train_step


def _create_factory(run: Run, data: Dataset) -> NetworkFactory:
    return run.network_factory(data.shape, run.find_classes(data))


def _is_from_package(value: object) -> bool:
    """Whether all classes in `value` belong to this package, so that names identify their code."""
    child_values: Sequence[object] = ()
    if is_dataclass(value):
        child_values = [getattr(value, field.name) for field in fields(value)]
    elif isinstance(value, tuple | list):
        child_values = value
    package_name = type(value).__module__.partition(".")[0]
    return package_name in ("iidgan", "builtins") and all(map(_is_from_package, child_values))
