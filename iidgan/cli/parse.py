"""Typed flags from dataclasses, with one-line errors."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, TypeVar

import tyro

from iidgan.errors import InputError, find_nearest_name

OptionsT = TypeVar("OptionsT")


def parse_options(
    options_type: type[OptionsT],
    prog: str,
    arguments: Sequence[str],
    *,
    default: OptionsT | None = None,
) -> OptionsT:
    """Parse flags into a dataclass; `--help` prints and exits.

    Raises:
        InputError: A flag is unknown, missing, or has a value of the wrong type.
    """
    parser_options: dict[str, Any] = {"prog": prog} | ({"default": default} if default else {})
    error_box = io.StringIO()
    try:
        with contextlib.redirect_stderr(error_box):
            options, unknown_arguments = tyro.cli(
                options_type, args=arguments, return_unknown_args=True, **parser_options
            )
    except SystemExit as exit_request:
        if exit_request.code in (0, None):
            raise
        raise InputError(_summarize_error(_read_error_box(error_box.getvalue()))) from None
    if unknown_arguments:
        known_flags = _list_flags(options_type, parser_options)
        raise _unknown_argument(unknown_arguments[0].partition("=")[0], known_flags)
    return options


def _list_flags(options_type: type, parser_options: dict[str, Any]) -> list[str]:
    """List the flags that `--help` shows."""
    help_text = io.StringIO()
    with contextlib.redirect_stdout(help_text), contextlib.suppress(SystemExit):
        tyro.cli(options_type, args=["--help"], **parser_options)
    return re.findall(r"(?<![\w-])--[\w.-]*\w", _strip_colors(help_text.getvalue()))


def _unknown_argument(argument: str, known_flags: Sequence[str]) -> InputError:
    if not argument.startswith("-"):
        return InputError(f"{argument!r}: unexpected argument; put it right after its option")
    similar_flag = find_nearest_name(argument, known_flags, cutoff=0.6)
    suggestion_text = (
        f"did you mean {similar_flag}?" if similar_flag else "--help shows all options"
    )
    return InputError(f"{argument}: unknown option; {suggestion_text}")


def _strip_colors(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _read_error_box(box: str) -> str:
    """Return the first paragraph of the box that tyro draws around an error, as one line.

    On an ASCII terminal the box has no sides, and a ruler below its title.
    """
    _title, *lines = (line.strip("│ ") for line in _strip_colors(box).splitlines())
    if lines and _is_ruler(lines[0]):
        lines = lines[1:]
    paragraph_lines = takewhile(lambda line: not _is_ruler(line), lines)
    return " ".join(line for line in paragraph_lines if line)


def _is_ruler(line: str) -> bool:
    return bool(line) and set(line) <= set("─-╰╯")


ERROR_FORMATS = {
    r"Error parsing (\S+): no type matching INT\|\{auto\} .*? from \[('.*?')\]": (
        "{}: must be a whole number or auto, got {}"
    ),
    r"Error parsing (\S+): .*?could not convert string to float: ('.*?'|\".*?\")": (
        "{}: must be a number, got {}"
    ),
    r"Error parsing (\S+): .*?invalid literal for int\(\) with base 10: ('.*?'|\".*?\")": (
        "{}: must be a whole number, got {}"
    ),
    r"Error parsing (\S+): Could not parse arguments \[(.*?)\] into": "{}: invalid values {}",
    r"Error parsing (\S+): (.*)": "{}: {}",
    r"invalid choice ('.*?') for argument '(\S+)'\. Expected one of \((.*?),?\)\.": (
        "{1}: unknown {0}; choose one of {2}"
    ),
    r"Missing value for argument '(\S+)'\. Expected 1 values\.": "{}: needs a value",
    r"Missing value for argument '(\S+)'\. Expected (\d+) values\.": "{}: needs {} values",
    r"Missing from (.*?): (.*)": "{}: missing argument: {}",
}
"""Patterns of tyro's messages, and the same in the form `option: problem`."""


def _summarize_error(message: str) -> str:
    """Rephrase a message of tyro's: the option comes first, expected types have plain names."""
    for pattern, error_format in ERROR_FORMATS.items():
        if match := re.match(pattern, message):
            return error_format.format(*match.groups())
    return message
