"""Checks of options that methods, terms and loss modules share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, get_args

from iidgan.errors import InputError, unknown_name_error

MAX_FLOAT32 = 3.4e38


def require_one_of(field: str, value: str, literal_type: Any) -> None:  # noqa: ANN401 - a Literal
    """Raise an `InputError` if `value` is not among the values of a `Literal` type.

    Arguments:
        field: Name of the option, with which the message starts.
        value: Value of the option.
        literal_type: The `Literal` type whose values are valid.

    Raises:
        InputError: It is not; the message suggests the closest one.

    Examples:
        >>> from typing import Literal
        >>> require_one_of("norm", "l3", Literal["l1", "l2"])
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: norm: unknown 'l3'; did you mean 'l2'? known: l1, l2
    """
    if value not in get_args(literal_type):
        raise unknown_name_error(field, value, get_args(literal_type))


def require_some_of(field: str, names: Sequence[str], choices: Sequence[str]) -> None:
    """Raise an `InputError` if there are no names, or one is given twice.

    Arguments:
        field: Name of the option, with which the message starts.
        names: Value of the option.
        choices: All names that are valid.

    Raises:
        InputError: The names are empty or not distinct.

    Examples:
        >>> require_some_of("policies", [], ["color", "cutout"])
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: policies: must be some of color, cutout, each once, got ()
    """
    if not names or len({*names}) < len(names):
        raise InputError(
            f"{field}: must be some of {', '.join(choices)}, each once, got ({', '.join(names)})"
        )


def require_weight(weight: float) -> None:
    """Raise an `InputError` if the weight of a term is not a finite number >= 0."""
    require_non_negative("weight", weight)


def require_gaussian_options(p: float, eps: float | None, directions: int) -> None:
    """Raise an `InputError` if an option of a Gaussian distance is out of range.

    Arguments:
        p: Exponent of a norm, at least 1.
        eps: Shrinkage of a covariance, finite and above 0, or None.
        directions: Number of projection directions, at least 1.

    Raises:
        InputError: One of them is out of range.
    """
    require_at_least("directions", directions, 1)
    if not p >= 1:
        raise InputError(f"p: must be >= 1, got {p}")
    if eps is not None and not 0 < eps < math.inf:
        raise InputError(f"eps: must be finite and > 0, or None, got {eps}")


def require_non_negative(field: str, value: float) -> None:
    """Raise an `InputError` if `value` is not a finite number >= 0."""
    if not 0 <= value < MAX_FLOAT32:
        raise InputError(f"{field}: must be finite and >= 0, got {value}")


def require_at_least(field: str, value: int, minimum: int) -> None:
    """Raise an `InputError` if `value` is below `minimum`."""
    if value < minimum:
        raise InputError(f"{field}: must be >= {minimum}, got {value}")


def require_positive(field: str, value: float) -> None:
    """Raise an `InputError` if `value` is not a finite number > 0."""
    if not 0 < value < MAX_FLOAT32:
        raise InputError(f"{field}: must be finite and > 0, got {value}")
