"""The one exception that a user's input can raise, and the help that it gives."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Says in one line which field or file is wrong, how, and what would be right.

    The command line prints it on standard error without a traceback and exits with 2.
    """


class AbsentError(InputError):
    """Files are not where they are looked for; damaged ones are another matter."""


class BusyError(InputError):
    """Another process is at work in the same folder."""


def nearest(value: object, choices: Iterable[str], *, cutoff: float = 0.3) -> str | None:
    """Finds the choice that `value` is likely to mean; the lower the cutoff, the bolder."""
    lower = {name.lower(): name for name in choices}
    near = difflib.get_close_matches(str(value).lower(), lower, n=1, cutoff=cutoff)
    return lower[near[0]] if near else None


def unknown(field: str, value: object, choices: Iterable[str]) -> InputError:
    """Creates the error for a name that is not among `choices`, with the nearest one first."""
    names = sorted(choices)
    near = nearest(value, names)
    hint = f"did you mean {near!r}? " if near else ""
    return InputError(f"{field}: unknown {value!r}; {hint}known: {', '.join(names)}")
