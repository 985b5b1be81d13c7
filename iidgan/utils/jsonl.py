"""Files of JSON lines, which grow by whole lines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from iidgan.errors import InputError
from iidgan.utils.files import explained, write_text


def append_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Appends one JSON line a record; cuts off a line that a crash left half-written before."""
    text = "".join(json.dumps(record) + "\n" for record in records)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            _cut_torn_line(file)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def _cut_torn_line(file: Any) -> None:  # noqa: ANN401 - a binary file
    end = file.seek(0, os.SEEK_END)
    if not end:
        return
    file.seek(end - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Reads JSON lines; a last line without its end does not count. No file: no lines."""
    with explained(path):
        content = path.read_bytes() if path.exists() else b""
    whole, _, _ = content.rpartition(b"\n")
    return [_object(line, f"{path}: line {i}") for i, line in enumerate(whole.splitlines(), 1)]


def _object(line: bytes, place: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise InputError(f"{place} is no JSON object")
    return found


def keep_lines(path: Path, keep: Callable[[dict[str, Any]], bool]) -> None:
    """Rewrites a file of JSON lines without those that are not to be kept."""
    records = read_lines(path)
    kept = [record for record in records if keep(record)]
    if len(kept) < len(records):
        write_text(path, "".join(json.dumps(record) + "\n" for record in kept))
