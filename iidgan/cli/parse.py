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
    """Takes the sentence out of the box that tyro draws, and the flag that it thinks was meant."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", box)
    lines = [line.strip("│╭╮╰╯ ") for line in text.splitlines()]
    body = [line for line in lines if line and not line.startswith("─")]
    ruler = next((i for i, line in enumerate(lines[1:], 1) if line.startswith("─")), len(lines))
    sentence = " ".join(line for line in lines[1:ruler] if line)
    near = next((i for i, line in enumerate(body) if line.startswith("Perhaps you meant")), None)
    meant = f"; did you mean {body[near + 1].split()[0].rstrip(',')}?" if near is not None else ""
    return f"{sentence}{meant}" if sentence else " ".join(body)
