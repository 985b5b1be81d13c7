"""JSON Lines files, which grow by whole lines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from iidgan.errors import InputError
from iidgan.utils.files import oserror_as_input_error, write_text


def append_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Append one JSON line per record, after removing a last line that a crash cut short."""
    text = "".join(json.dumps(record) + "\n" for record in records)
    with oserror_as_input_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            _remove_torn_line(file)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def _remove_torn_line(file: Any) -> None:  # noqa: ANN401 - a binary file
    num_bytes = file.seek(0, os.SEEK_END)
    if not num_bytes:
        return
    file.seek(num_bytes - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines, ignoring a last line without a line end; a missing file has no lines."""
    with oserror_as_input_error(path):
        content = path.read_bytes() if path.exists() else b""
    whole_lines, _, _ = content.rpartition(b"\n")
    return [
        _parse_line(line, f"{path}: line {line_number}")
        for line_number, line in enumerate(whole_lines.splitlines(), 1)
    ]


def _parse_line(line: bytes, location: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{location} is not JSON ({error})") from None
    if not isinstance(record, dict):
        raise InputError(f"{location} is not a JSON object, but {type(record).__name__}")
    return record


def keep_lines(path: Path, should_keep: Callable[[dict[str, Any]], bool]) -> None:
    """Remove the records of a JSON Lines file for which `should_keep` is false."""
    all_records = read_lines(path)
    kept_records = [record for record in all_records if should_keep(record)]
    if len(kept_records) < len(all_records):
        write_text(path, "".join(json.dumps(record) + "\n" for record in kept_records))
