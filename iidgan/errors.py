"""The exceptions that a user's input can raise, and suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable


class InputError(ValueError):
    """An invalid input: one line that names the field or file, what was expected and what was got.

    The command line prints it on standard error without a traceback and exits with 2.

    Examples:
        >>> error = InputError("weight: must be >= 0, got -1")
        >>> error.field
        'weight'
    """

    @property
    def field(self) -> str:
        """The field or file that is wrong: the message up to its first colon and space."""
        return str(self).partition(": ")[0]


class MissingFileError(InputError):
    """Files are missing; damaged files raise a plain `InputError`."""


class FolderInUseError(InputError):
    """Another process is using the same folder."""


class UnnamedPluginError(InputError):
    """A file refers to classes that are neither part of the package nor named by the caller.

    Arguments:
        origin: The field or file.
        names: The names of the classes, `module:Name`.

    Examples:
        >>> UnnamedPluginError("type", "my_gans:MyGAN").names
        ('my_gans:MyGAN',)
    """

    def __init__(self, origin: str, *names: str) -> None:
        super().__init__(origin, *names)
        self.origin, self.names = origin, names

    def __str__(self) -> str:
        options = " ".join(f"--plugin {name}" for name in self.names)
        verb = "is" if len(self.names) == 1 else "are"
        return (
            f"{self.origin}: {', '.join(map(repr, self.names))} {verb} not part of iidgan, and a "
            f"file cannot import code; if you trust that code, name it in this call: {options}, "
            f"or plugins={list(self.names)} in Python"
        )


def wrong_type_error(field: str, expected: str, value: object) -> InputError:
    """Create the error for a value of another type; a class or function was perhaps not called.

    Arguments:
        field: Name of the field or argument.
        expected: What it must be, with an article, such as `a Metric`.
        value: What was given.

    Returns:
        The error, to be raised by the caller.

    Examples:
        >>> wrong_type_error("steps", "an int", "many")
        InputError("steps: must be an int, got 'many'")
    """
    call_hint = "; call it" if callable(value) else ""
    value_text = " ".join(repr(value).split())
    if len(value_text) > MAX_VALUE_LENGTH:
        value_text = f"{value_text[:MAX_VALUE_LENGTH]}..."
    return InputError(f"{field}: must be {expected}, got {value_text}{call_hint}")


MAX_VALUE_LENGTH = 300
"""Length of a value in a message beyond which its end is left out."""


def find_nearest_name(value: object, choices: Iterable[str], *, cutoff: float = 0.5) -> str | None:
    """Find the choice closest to a name.

    Arguments:
        value: The name, perhaps misspelt; the case does not matter.
        choices: Names to choose from.
        cutoff: Smallest similarity of the choice, in [0, 1].

    Returns:
        The closest choice, or None if none is similar enough.

    Examples:
        >>> find_nearest_name("Grids", ["ring", "grid", "mnist"])
        'grid'
        >>> find_nearest_name("xyz", ["ring", "grid", "mnist"]) is None
        True
    """
    import difflib  # on use, since every command imports this module

    lower = {name.lower(): name for name in choices}
    near = difflib.get_close_matches(str(value).lower(), lower, n=1, cutoff=cutoff)
    return lower[near[0]] if near else None


def unknown_name_error(field: str, value: object, choices: Iterable[str]) -> InputError:
    """Create the error for a name that is not among `choices`; it suggests the closest one.

    Arguments:
        field: Name of the field or argument.
        value: The unknown name.
        choices: Names that are valid.

    Returns:
        The error, to be raised by the caller.

    Examples:
        >>> print(unknown_name_error("source", "grids", ["ring", "grid"]))
        source: unknown 'grids'; did you mean 'grid'? known: grid, ring
    """
    names = sorted(choices)
    near = find_nearest_name(value, names)
    hint = f"did you mean {near!r}? " if near else ""
    return InputError(f"{field}: unknown {value!r}; {hint}known: {', '.join(names)}")
