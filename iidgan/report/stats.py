"""What a handful of seeds says: mean, spread, and an interval of the mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from iidgan.errors import InputError

Floats = npt.NDArray[np.float64]


def mean(values: Sequence[float]) -> float:
    """Computes the mean over seeds.

    Raises:
        InputError: There is no value.
    """
    return float(_checked(values).mean())


def std(values: Sequence[float]) -> float | None:
    """Computes the sample standard deviation over seeds (ddof = 1); None for a single seed.

    Raises:
        InputError: There is no value.
    """
    return float(_checked(values).std(ddof=1)) if len(values) > 1 else None


def bootstrap_interval(
    values: Sequence[float], *, level: float = 0.95, draws: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Computes the percentile bootstrap interval of the mean.

    The generator is fixed, so that equal values give an equal interval. With few seeds the
    interval is too short: it covers less often than `level` says.

    Arguments:
        values: One value per seed.
        level: Probability that the interval aims to cover, in (0, 1).
        draws: Resamples with replacement.
        seed: Seed of the generator.

    Raises:
        InputError: There is no value, or `level` is outside (0, 1).

    References:
        | An Introduction to the Bootstrap (Efron and Tibshirani, 1993), chapter 13
        | https://doi.org/10.1201/9780429246593
    """
    if not 0 < level < 1:
        raise InputError(f"level: {level} is not a probability; give one in (0, 1), such as 0.95")
    data = _checked(values)
    picks = np.random.default_rng(seed).integers(len(data), size=(draws, len(data)))
    tail = (1 - level) / 2
    low, high = np.quantile(data[picks].mean(axis=1), (tail, 1 - tail))
    return float(low), float(high)


def t_interval(values: Sequence[float], *, level: float = 0.95) -> tuple[float, float]:
    r"""Computes Student's interval of the mean, mean -+ t std / sqrt(n).

    Exact for normal values, and honest for as few as five, where a bootstrap is too short.

    Arguments:
        values: One value per seed, at least two.
        level: Probability that the interval covers the expectation, in (0, 1).

    Raises:
        InputError: There are fewer than two values.

    References:
        The Probable Error of a Mean (Student, 1908), https://doi.org/10.1093/biomet/6.1.1
    """
    data = _checked(values)
    if len(data) < 2:
        raise InputError(f"values: {len(data)} value has no interval; at least 2")
    reach = float(stdtrit(len(data) - 1, (1 + level) / 2) * data.std(ddof=1) / len(data) ** 0.5)
    return float(data.mean()) - reach, float(data.mean()) + reach


def _checked(values: Sequence[float]) -> Floats:
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 1 or data.size == 0:
        raise InputError(f"values: shape {data.shape} is not a list of at least one number")
    return data
