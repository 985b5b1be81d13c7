"""Statistics of a few seeds: mean, standard deviation, and an interval of the mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from iidgan.errors import InputError

Floats = npt.NDArray[np.float64]


def mean(values: Sequence[float]) -> float:
    """Compute the mean over seeds.

    Arguments:
        values: One value per seed.

    Raises:
        InputError: There are no values.

    Examples:
        >>> mean([7, 8, 8, 8, 8])
        7.8
    """
    return float(_to_array(values).mean())


def std(values: Sequence[float]) -> float | None:
    """Compute the sample standard deviation over seeds, sqrt(sum_i (v_i - mean)² / (n - 1)).

    Arguments:
        values: One value per seed.

    Returns:
        The standard deviation; None for a single seed.

    Raises:
        InputError: There are no values.

    Examples:
        >>> round(std([7, 8, 8, 8, 8]), 4)
        0.4472
        >>> print(std([7]))
        None
    """
    return float(_to_array(values).std(ddof=1)) if len(values) > 1 else None


def t_interval(values: Sequence[float], *, level: float = 0.95) -> tuple[float, float]:
    """Compute Student's interval of the mean, mean ± t std / sqrt(n).

    t is the quantile (1 + level) / 2 of Student's distribution with n - 1 degrees of freedom. The
    interval is exact for normal values; for five values, a bootstrap interval would be too short.

    Arguments:
        values: One value per seed, at least two.
        level: Probability that the interval covers the expectation, in (0, 1).

    Returns:
        The lower and the upper limit.

    Raises:
        InputError: There are fewer than two values.

    References:
        The Probable Error of a Mean (Student, 1908), https://doi.org/10.1093/biomet/6.1.1

    Examples:
        >>> low, high = t_interval([7, 8, 8, 8, 8])
        >>> round(low, 2), round(high, 2)
        (7.24, 8.36)
    """
    from scipy.special import stdtrit  # on use, since most commands print no interval

    value_array = _to_array(values)
    if len(value_array) < 2:
        raise InputError(f"values: an interval needs at least 2 values, got {len(value_array)}")
    standard_error = value_array.std(ddof=1) / len(value_array) ** 0.5
    half_width = float(stdtrit(len(value_array) - 1, (1 + level) / 2) * standard_error)
    return float(value_array.mean()) - half_width, float(value_array.mean()) + half_width


def _to_array(values: Sequence[float]) -> Floats:
    value_array = np.asarray(values, dtype=np.float64)
    if value_array.ndim != 1 or value_array.size == 0:
        raise InputError(
            f"values: expected at least one number, shape (N,), got shape {value_array.shape}"
        )
    return value_array
