"""Checks of real and generated features, and scores of several seeds from the score of one."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from iidgan.errors import InputError


def check_features(name: str, features: Tensor, *, min_count: int = 1, max_ndim: int = 2) -> None:
    """Check the shape, type and number of features.

    Arguments:
        name: Name of the argument, with which the message starts.
        features: Features, with shape (N, D), or (S, N, D) if `max_ndim` is 3.
        min_count: Smallest number N of samples.
        max_ndim: Largest number of axes.

    Raises:
        InputError: They are not floating-point numbers of such a shape.

    Examples:
        >>> check_features("real", torch.zeros(3, 2), min_count=6)
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: real: needs at least 6 samples, got 3
    """
    shapes = "(N, D) or (S, N, D)" if max_ndim == 3 else "(N, D)"
    if not 2 <= features.ndim <= max_ndim or not features.is_floating_point():
        raise InputError(
            f"{name}: must be floating-point features of shape {shapes}, got {features.dtype} of "
            f"shape {tuple(features.shape)}"
        )
    if 0 in (features.shape[0], features.shape[-1]):
        raise InputError(f"{name}: must not be empty, got shape {tuple(features.shape)}")
    if (count := features.shape[-2]) < min_count:
        raise InputError(f"{name}: needs at least {min_count} samples, got {count}")


def check_sets(real: Tensor, fake: Tensor, *, min_count: int = 1) -> None:
    """Check real and generated features, which need the same dimensions.

    Arguments:
        real: Features of real samples, with shape (N, D), which must be finite.
        fake: Features of generated samples, with shape (N', D) or (S, N', D).
        min_count: Smallest number of samples on each side.

    Raises:
        InputError: They do not fit.

    Examples:
        >>> check_sets(torch.zeros(3, 2), torch.zeros(3, 4))
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: fake: has 4 features, real 2; use the same network for both
    """
    check_features("real", real, min_count=min_count)
    check_features("fake", fake, min_count=min_count, max_ndim=3)
    if real.shape[-1] != fake.shape[-1]:
        raise InputError(
            f"fake: has {fake.shape[-1]} features, real {real.shape[-1]}; use the same network "
            "for both"
        )
    if not _is_finite(real):
        raise InputError("real: has values that are not finite; leave out the samples they are of")


def check_level(level: float) -> None:
    """Check the level of a confidence interval.

    Arguments:
        level: The level, which must be in (0, 1).

    Raises:
        InputError: It is not.
    """
    if not 0 < level < 1:
        raise InputError(f"level: must be in (0, 1), got {level}; the default is 0.95")


def score_seeds(score: Callable[[Tensor], tuple[Tensor, ...]], fake: Tensor) -> tuple[Tensor, ...]:
    """Compute the scores of each seed.

    Arguments:
        score: Computes scores, of any shape, from finite features with shape (N', D).
        fake: Generated features, with shape (N', D) or (S, N', D).

    Returns:
        The scores, float64 on the CPU; each with S as another first axis if `fake` has it, and NaN
        for a seed whose features are not finite.

    Examples:
        >>> fake = torch.tensor([[[1.0], [3.0]], [[5.0], [torch.nan]]])
        >>> score_seeds(lambda features: (features.mean(), features.amax()), fake)
        (tensor([2., nan], dtype=torch.float64), tensor([3., nan], dtype=torch.float64))
    """
    fake = fake.detach()
    if fake.ndim == 2:
        return _score_seed(score, fake)
    return tuple(map(torch.stack, zip(*[_score_seed(score, features) for features in fake])))


@torch.no_grad()
def _score_seed(score: Callable[[Tensor], tuple[Tensor, ...]], fake: Tensor) -> tuple[Tensor, ...]:
    if _is_finite(fake):
        return tuple(value.double().cpu() for value in score(fake))
    # Of zeros, for the shapes: one diverged seed must not stop the others.
    values = score(torch.zeros_like(fake))
    return tuple(torch.full_like(value, torch.nan, dtype=torch.float64).cpu() for value in values)


def _is_finite(features: Tensor) -> bool:
    low, high = features.detach().aminmax()  # NaN if any value is; without a copy
    return math.isfinite(low) and math.isfinite(high)
