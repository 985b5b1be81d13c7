"""Typed flags from dataclasses, with errors of one line."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from typing import TypeVar

import tyro

from iidgan.errors import InputError

T = TypeVar("T")


def parse(made: type[T], prog: str, arguments: Sequence[str], *, default: T | None = None) -> T:
    """Reads flags into a dataclass; `--help` prints and exits.

    Raises:
        InputError: A flag is unknown, or its value is not of its type.
    """
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            if default is None:
                return tyro.cli(made, prog=prog, args=arguments)
            return tyro.cli(made, prog=prog, args=arguments, default=default)
    except SystemExit as ending:
        if ending.code in (0, None):
            raise
        raise InputError(_one_line(complaint.getvalue())) from None


def _one_line(box: str) -> str:
    """Takes the sentence out of the box that tyro draws, and the flag that it thinks was meant.

    Where the output takes ASCII alone, the box has no sides, and a ruler under its title.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", box)
    lines = [line.strip("│╭╮╰╯ ") for line in text.splitlines()]
    body = [line for line in lines if line and not line.startswith(("─", "---"))]
    rulers = [i for i, line in enumerate(lines) if line and set(line) <= set("─-")]
    first = 2 if 1 in rulers else 1
    last = next((i for i in rulers if i >= first), len(lines))
    sentence = " ".join(line for line in lines[first:last] if line)
    near = next((i for i, line in enumerate(body) if line.startswith("Perhaps you meant")), None)
    meant = f"; did you mean {body[near + 1].split()[0].rstrip(',')}?" if near is not None else ""
    return f"{_plain(sentence)}{meant}" if sentence else " ".join(body)


_KINDS = {
    "could not convert string to float: ": "a number",
    "invalid literal for int() with base 10: ": "a whole number",
}


def _plain(sentence: str) -> str:
    """Says what a number was expected to be, where tyro tells of the types that it tried."""
    for complaint, kind in _KINDS.items():
        pattern = rf"Error parsing (\S+): .*?{re.escape(complaint)}('.*?'|\".*?\")"
        if found := re.match(pattern, sentence):
            return f"{found[1]}: {found[2]} is not {kind}"
    return sentence
