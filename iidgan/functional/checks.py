"""Checks of options that terms and plain losses share."""

from __future__ import annotations

import math
from typing import Any, get_args

from iidgan.errors import InputError, unknown


def one_of(field: str, value: str, kind: Any) -> None:  # noqa: ANN401 - a Literal
    """Raises an `InputError` if `value` is not among the values of the literal type `kind`."""
    if value not in get_args(kind):
        raise unknown(field, value, get_args(kind))


LARGEST = 3.4e38  # what float32 holds


def weight(value: float) -> None:
    """Raises an `InputError` if the weight of a term is not a finite number of at least 0."""
    non_negative("weight", value)


def gaussian_options(p: float, eps: float | None, directions: int) -> None:
    """Raises an `InputError` if an option of a Gaussian distance is out of range."""
    if directions < 1:
        raise InputError(f"directions: {directions} is too few; at least 1")
    if not p >= 1:
        raise InputError(f"p: {p} does not give a norm; at least 1")
    if eps is not None and not 0 < eps < math.inf:
        raise InputError(f"eps: {eps} does not shrink; above 0, or None")


def non_negative(field: str, value: float) -> None:
    """Raises an `InputError` if `value` is not a finite number of at least 0."""
    if not 0 <= value < LARGEST:
        raise InputError(f"{field}: {value} is out of range; a finite number of at least 0")


def at_least(field: str, value: int, least: int) -> None:
    """Raises an `InputError` if `value` is below `least`."""
    if value < least:
        raise InputError(f"{field}: {value} is too few; at least {least}")


def positive(field: str, value: float) -> None:
    """Raises an `InputError` if `value` is not a finite number above 0."""
    if not 0 < value < LARGEST:
        raise InputError(f"{field}: {value} is not a finite number above 0")
