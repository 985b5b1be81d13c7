"""How often the coverage is measured during training."""

from __future__ import annotations

import math

import torch

from iidgan.core import GaussianMixture
from iidgan.engine.flops import count_flops
from iidgan.engine.inference import NUM_STATISTICS_BATCHES
from iidgan.evaluation.coverage_monitor import MAX_SAMPLES, find_obstacle
from iidgan.features.efficientnet import NUM_FEATURES
from iidgan.training.context import TrainContext
from iidgan.training.plan import Auto
from iidgan.utils.device import forked_rng

MAX_COST_SHARE = 0.02
"""Share of the training that diagnoses may cost with `auto`."""
MIN_STEPS = 1000
"""Shorter runs have no diagnoses with `auto`: to count their operations would take too long."""
MAX_DIAGNOSES = 50
"""More of them in a run would say nothing new."""
ROUND_TO = 100
"""Intervals are multiples of the steps between log records."""
EXTRACTOR_FLOPS = 62_678_784
"""Floating-point operations of the extractor for one image."""
EXTRACTOR_SLOWNESS = 3
"""Time of an operation of the extractor over one of a training step: depthwise convolutions use a
core badly. Measured on CPUs: 1.4 to 2.7 (DCGAN of 32 pixels, widths 32 and 64)."""
POINT_STEPS = 150
"""Training steps that a diagnosis of points takes as long as: 0.2 s, where a step of a seed takes
2 ms or more. It takes twice as long in `POINT_DIMENSIONS` dimensions."""
POINT_DIMENSIONS = 500


def choose_diagnosis_interval(context: TrainContext, requested: int | Auto) -> int:
    """Choose the number of steps between diagnoses, from the run and its data alone.

    With `auto`, diagnoses cost at most 2 % of the training: for images by the floating-point
    operations of a step and of a diagnosis, for points by a number of steps. There is none where
    the coverage cannot be measured, where less than one would fit, in runs of less than 1,000
    steps, and for mixtures that are known, whose modes are counted at every checkpoint.

    Arguments:
        context: The run.
        requested: The requested number; `auto` chooses.

    Returns:
        The number; 0: no diagnoses.

    Examples:
        >>> from iidgan import Dataset, GAN, Run
        >>> data = Dataset(torch.zeros(100, 2))
        >>> intervals = []
        >>> for steps in (5_000, 30_000):
        ...     run = Run(method=GAN(), steps=steps)
        ...     context = TrainContext.create(run, [0], data, torch.device("cpu"))
        ...     intervals.append(choose_diagnosis_interval(context, "auto"))
        >>> intervals
        [0, 10000]
    """
    if requested != "auto":
        return requested
    steps, data = context.run.steps, context.data
    if steps < MIN_STEPS or isinstance(data.truth, GaussianMixture) or find_obstacle(data):
        return 0
    count_affordable = _count_for_images if data.is_image else _count_for_points
    num_diagnoses = min(count_affordable(context), MAX_DIAGNOSES)
    if num_diagnoses < 1:
        return 0
    return math.ceil(steps / num_diagnoses / ROUND_TO) * ROUND_TO


def _count_for_points(context: TrainContext) -> int:
    num_values = math.prod(context.data.shape)
    steps_per_diagnosis = POINT_STEPS * (1 + num_values / POINT_DIMENSIONS)
    return int(MAX_COST_SHARE * context.run.steps / steps_per_diagnosis)


def _count_for_images(context: TrainContext) -> int:
    num_seeds, num_samples = len(context.seeds), min(MAX_SAMPLES, len(context.data))
    with forked_rng(context.data.device):
        step_flops = context.train_step.estimate_flops(context.batches.batches_at(0)) / num_seeds
        map_flops = _count_map_flops(context, num_samples) / num_seeds
    feature_flops = num_samples * EXTRACTOR_FLOPS * EXTRACTOR_SLOWNESS
    distance_flops = 3 * 2 * num_samples**2 * NUM_FEATURES  # within each set, and between them
    budget = MAX_COST_SHARE * context.run.steps * step_flops
    # Features of real images are computed once.
    return int((budget - feature_flops) / (feature_flops + distance_flops + map_flops))


@torch.no_grad()
def _count_map_flops(context: TrainContext, num_samples: int) -> float:
    """Count the operations of the networks, which also fix the statistics of batch norms."""
    nets, (batch, *_) = context.state.nets, context.batches.batches_at(0)
    generator_flops = count_flops(lambda: nets["G"](batch.z))
    inverse_flops = count_flops(lambda: nets["F"](batch.x)) if "F" in nets else 0
    num_batches = num_samples / context.run.batch
    return generator_flops * num_batches + NUM_STATISTICS_BATCHES * (
        generator_flops + inverse_flops
    )
