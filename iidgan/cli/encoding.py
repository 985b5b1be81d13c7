"""Text for streams that cannot encode all characters, such as those of ASCII terminals."""

from __future__ import annotations

import codecs
import io
import sys

ASCII_TEXTS = {"±": "+-", "…": "...", "–": "-", "×": "x"}
"""What is written in place of characters that a stream cannot encode."""


def replace_unencodable() -> None:
    """Let standard output and error replace characters that they cannot encode."""
    codecs.register_error("iidgan-replace", _replace_characters)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not _can_encode(stream.encoding):
            stream.reconfigure(errors="iidgan-replace")


def _can_encode(encoding: str) -> bool:
    try:
        "".join(ASCII_TEXTS).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _replace_characters(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(map(_to_ascii, characters)), error.end


def _to_ascii(character: str) -> str:
    return ASCII_TEXTS.get(character) or character.encode("ascii", "backslashreplace").decode()
