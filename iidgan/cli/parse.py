"""Typed flags from dataclasses, with one-line errors."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from itertools import groupby
from textwrap import dedent
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

    Arguments:
        options_type: The dataclass; its docstring and those of its fields are the help.
        prog: Name of the command in the help and in errors.
        arguments: Words of the command line after the command.
        default: Values of flags that are left out; by default those of the fields.

    Raises:
        InputError: A flag is unknown, missing, or has a value of the wrong type.

    Examples:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Options:
        ...     steps: int = 24_000
        >>> parse_options(Options, "iidgan example", ["--steps", "100"])
        Options(steps=100)
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
        raise InputError(_summarize_error_box(error_box.getvalue(), prog)) from None
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
    name, _, _ = argument.partition("=")
    of_a_part = (flag for flag in known_flags if flag.endswith(f".{name.lstrip('-')}"))
    similar_flag = next(of_a_part, None) or find_nearest_name(argument, known_flags, cutoff=0.6)
    suggestion_text = (
        f"did you mean {similar_flag}?" if similar_flag else "--help shows all options"
    )
    return InputError(f"{name}: unknown option; {EXPECTED_FLAGS.get(name, suggestion_text)}")


_CONDITIONAL_METHODS = (
    "this method is not conditional; cgan, msgan, pd-gan, ac-gan and conditional-iid-gan are"
)
EXPECTED_FLAGS = {
    "--method.classes": _CONDITIONAL_METHODS,
    "--method.transition": _CONDITIONAL_METHODS,
    "--resume": "to resume, run the same command again, with the same --out if it had one",
    "--seed": "--seeds N trains the seeds 0 to N - 1; iidgan.train(run, seeds=[3]) trains others",
}
"""Options that other programs have, and what takes their place here."""


def _strip_colors(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _summarize_error_box(box: str, prog: str) -> str:
    """Rephrase the box that tyro draws around an error in one line."""
    message, *other_paragraphs = _read_paragraphs(box)
    if message.startswith("Missing from "):
        names = ", ".join(_read_missing_arguments(message))
        return f"missing {names}; {prog} --help shows all arguments"
    if message.startswith("Could not create CLI parser"):
        return f"{prog}: an option has a type that no flag can have; use numbers, str, tuple"
    return _rephrase_error(" ".join(message.split()), _read_metavar(other_paragraphs))


def _read_paragraphs(box: str) -> list[str]:
    """Return the paragraphs between the rulers of a box.

    On an ASCII terminal the box has no sides, and a ruler below its title.
    """
    _title, *lines = (line.strip("│").rstrip() for line in _strip_colors(box).splitlines())
    groups = groupby(lines, key=lambda line: bool(line.strip()) and set(line) <= set(" ─-╰╯"))
    return [dedent("\n".join(group)).strip() for is_ruler, group in groups if not is_ruler]


def _read_missing_arguments(message: str) -> list[str]:
    """Return the names of missing arguments; their help texts are indented further."""
    texts = dedent(message.partition("\n")[2]).splitlines()
    flags = [text.split(", ")[-1] for text in texts if not text.startswith(" ")]
    return [flag.split()[0] for flag in flags]


def _read_metavar(paragraphs: Sequence[str]) -> str:
    """Return what tyro expects of an option's value, such as `FLOAT FLOAT`."""
    for paragraph in paragraphs:
        if match := re.match(r"Argument helptext:\s+(?:.*, )?\S+ (.*)", paragraph):
            return match[1]
    return ""


QUOTED = r"""('.*?'|".*?")"""
INVALID_CHOICE = rf"invalid choice {QUOTED} for argument '(\S+)'\. Expected one of \((.*?),?\)\."
INVALID_VALUE = (
    r"Error parsing (\S+): .*?(?:to float|base 10|instantiated from|arguments):? "
    rf"(\[.*?\]|{QUOTED})"
)
OTHER_INVALID_VALUE = r"Error parsing (\S+): (.*)"
TOO_FEW_VALUES = r"Missing value for argument '(\S+)'\. Expected (\d+) values\."
"""Patterns of tyro's messages."""

TYPE_NAMES = {
    "INT": "a whole number",
    "FLOAT": "a number",
    "FLOAT FLOAT": "two numbers",
    "[INT [INT ...]]": "whole numbers",
}


def _rephrase_error(message: str, metavar: str) -> str:
    """Rephrase a message of tyro's: the option comes first, expected types have plain names."""
    if match := re.match(INVALID_CHOICE, message):
        choices = sorted(choice.strip("'\"") for choice in match[3].split(", "))
        return f"{match[2]}: must be one of {', '.join(choices)}, got {match[1]}"
    if match := re.match(INVALID_VALUE, message):
        return f"{match[1]}: must be {_describe_types(metavar)}, got {match[2].strip('[]')}"
    if match := re.match(TOO_FEW_VALUES, message):
        return f"{match[1]}: needs {'a value' if match[2] == '1' else f'{match[2]} values'}"
    if match := re.match(OTHER_INVALID_VALUE, message):
        return f"{match[1]}: {match[2]}"
    return message


def _describe_types(metavar: str) -> str:
    """Describe what a value must be, given for example `INT|{auto}`."""
    alternatives = [part.strip("{}") for part in metavar.split("|")]
    return " or ".join(TYPE_NAMES.get(part, part) for part in alternatives)
