"""JSON Lines files, which grow by whole lines."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from iidgan.errors import InputError
from iidgan.utils.files import (
    damaged_name,
    oserror_as_input_error,
    read_regular_file,
    write_file,
    write_text,
)
from iidgan.utils.locks import file_lock

LOCK_FILE = ".append.lock"
"""File that writers of JSON Lines in the same folder lock."""
MAX_WAIT_SECONDS = 60.0
"""Seconds to wait for other writers, which take milliseconds."""

Record = Mapping[str, Any]
AppendRecords = Callable[[Iterable[Record]], None]


@contextmanager
def locked_for_append(path: Path) -> Iterator[AppendRecords]:
    """Keep other writers out, and yield a function that appends records as whole lines.

    What is read inside the context is therefore still true when something is appended.

    Arguments:
        path: The JSON Lines file.
    """
    with file_lock(path.parent / LOCK_FILE, timeout=MAX_WAIT_SECONDS):
        yield lambda records: _append_text(path, _format_lines(records))


def append_lines(path: Path, records: Iterable[Record]) -> None:
    """Append one JSON line per record, after removing a last line that a crash cut short.

    Arguments:
        path: The file, which is created if it does not exist.
        records: Mappings of values that JSON can represent.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "log.jsonl")
        ...     append_lines(path, [{"step": 0}, {"step": 100}])
        ...     append_lines(path, [{"step": 200}])
        ...     read_lines(path)
        [{'step': 0}, {'step': 100}, {'step': 200}]
    """
    text = _format_lines(records)
    with locked_for_append(path):
        _append_text(path, text)


def _format_lines(records: Iterable[Record]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def _append_text(path: Path, text: str) -> None:
    with oserror_as_input_error(path), path.open("a+b") as file:
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
    """Read JSON lines, ignoring a last line without a line end; a missing file has no lines.

    Arguments:
        path: The file.

    Returns:
        One dict for each line, in order.

    Raises:
        InputError: A line is not a JSON object.
    """
    return [_parse_line(line, location) for location, line in _locate_lines(path)]


def _locate_lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """List the whole lines of a file, each with its location for error messages."""
    with oserror_as_input_error(path):
        content = read_regular_file(path) if path.exists() else b""
    whole_lines, _, _ = content.rpartition(b"\n")
    for line_number, line in enumerate(whole_lines.splitlines(), 1):
        yield f"{path}: line {line_number}", line


def _parse_line(line: bytes, location: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{location} is not JSON ({error})") from None
    if not isinstance(record, dict):
        raise InputError(f"{location} is not a JSON object, but {type(record).__name__}")
    return record


def repair_lines(
    path: Path,
    check_record: Callable[[dict[str, Any], str], object],
    should_keep: Callable[[dict[str, Any]], bool],
) -> str | None:
    """Remove damaged lines from a file, and records for which `should_keep` is false.

    If a line is damaged, a copy of the file stays beside it as `damaged-...`.

    Arguments:
        path: The file; a missing one has no lines.
        check_record: Called with a record and its location; raises `InputError` if the record is
            not what the file is for.
        should_keep: Whether to keep an intact record.

    Returns:
        What is wrong with the first damaged line, or None.
    """
    if not path.exists():
        return None
    with file_lock(path.parent / LOCK_FILE, timeout=MAX_WAIT_SECONDS):
        kept_records, num_lines, first_error = [], 0, None
        for location, line in _locate_lines(path):
            num_lines += 1
            try:
                record = _parse_line(line, location)
                check_record(record, location)
            except InputError as error:
                first_error = first_error or str(error)
            else:
                kept_records += [record] if should_keep(record) else []
        if first_error:
            write_file(damaged_name(path), lambda copy: shutil.copyfile(path, copy))
        if len(kept_records) < num_lines:
            write_text(path, _format_lines(kept_records))
    return first_error
