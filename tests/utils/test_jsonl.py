"""JSON Lines files grow by whole lines, whatever a crash leaves."""

import subprocess
import sys
import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iidgan.errors import InputError
from iidgan.utils import jsonl
from iidgan.utils.jsonl import LOCK_FILE, append_lines, locked_for_append, read_lines, repair_lines
from iidgan.utils.locks import file_lock
from tests.helpers.errors import raises_input_error

RECORDS = st.lists(
    st.dictionaries(st.text(), st.none() | st.integers() | st.floats(allow_nan=False) | st.text())
)


@settings(max_examples=40, deadline=None)
@given(first=RECORDS, second=RECORDS)
def test_read_lines_returns_appended_records(tmp_path_factory, first, second):
    path = tmp_path_factory.mktemp("lines") / "log.jsonl"
    append_lines(path, first)
    append_lines(path, second)
    assert read_lines(path) == first + second


@settings(max_examples=40, deadline=None)
@given(num_lost_bytes=st.integers(1, 60))
def test_append_lines_removes_torn_line(tmp_path_factory, num_lost_bytes):
    """Wherever a crash has cut the file, whole lines stay and new ones follow."""
    path = tmp_path_factory.mktemp("torn") / "log.jsonl"
    records = [{"step": step, "text": "a\nb"} for step in range(3)]
    append_lines(path, records)
    content = path.read_bytes()[:-num_lost_bytes]
    path.write_bytes(content)
    whole_records = records[: content.count(b"\n")]
    assert read_lines(path) == whole_records
    append_lines(path, [{"step": 9}])
    assert read_lines(path) == [*whole_records, {"step": 9}]


def test_read_lines_of_missing_file(tmp_path):
    assert read_lines(tmp_path / "log.jsonl") == []
    append_lines(tmp_path / "log.jsonl", [])
    assert read_lines(tmp_path / "log.jsonl") == []


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"step": 2', "not JSON"),
        (b"\xff", "not JSON"),
        (b"", "not JSON"),
        (b"3", "not a JSON object, but int"),
    ],
)
def test_read_lines_refuses_malformed_line(tmp_path, line, value):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"step": 1}\n' + line + b'\n{"step": 3}\n')
    with raises_input_error(str(path), "line 2", value):
        read_lines(path)


APPEND_BATCHES = """
import os, sys
os.fsync = lambda handle: None  # which takes most of the time
from pathlib import Path
from iidgan.utils.jsonl import append_lines
for batch in range(200):
    append_lines(Path(sys.argv[1]), [
        {"process": sys.argv[2], "batch": batch, "line": line, "text": "x" * 300}
        for line in range(5)
    ])
"""


@pytest.mark.slow
def test_append_lines_of_eight_processes(tmp_path):
    path = tmp_path / "rows.jsonl"
    command = [sys.executable, "-c", APPEND_BATCHES, path]
    writers = [subprocess.Popen([*command, str(number)]) for number in range(8)]
    assert [writer.wait() for writer in writers] == [0] * 8
    records = read_lines(path)
    batches = Counter((record["process"], record["batch"]) for record in records)
    assert batches == {(str(number), batch): 5 for number in range(8) for batch in range(200)}
    for start in range(0, len(records), 5):  # batches are not interleaved
        assert [record["line"] for record in records[start : start + 5]] == [0, 1, 2, 3, 4]


def test_append_lines_waits_for_reader(tmp_path):
    """What was read under the lock is still true when something is appended."""
    path = tmp_path / "rows.jsonl"
    other = threading.Thread(target=append_lines, args=(path, [{"count": -1}]))
    with locked_for_append(path) as append:
        other.start()
        other.join(0.1)
        append([{"count": len(read_lines(path))}])
    other.join()
    assert read_lines(path) == [{"count": 0}, {"count": -1}]


def test_append_lines_names_lock_of_stuck_process(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl, "MAX_WAIT_SECONDS", 0.05)
    with file_lock(tmp_path / LOCK_FILE), raises_input_error(str(tmp_path / LOCK_FILE), "0.05 s"):
        append_lines(tmp_path / "rows.jsonl", [{}])
    assert not (tmp_path / "rows.jsonl").exists()


def accept(record, location):
    pass


def refuse_large(record, location):
    if record["step"] > 8:
        raise InputError(f"{location}: step must be at most 8")


def list_names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_repair_lines_removes_others(tmp_path):
    path = tmp_path / "log.jsonl"
    append_lines(path, [{"step": step} for step in range(5)])
    assert repair_lines(path, accept, lambda record: record["step"] <= 2) is None
    assert [record["step"] for record in read_lines(path)] == [0, 1, 2]
    before = path.stat().st_ino
    assert repair_lines(path, refuse_large, lambda record: True) is None
    assert path.stat().st_ino == before
    assert list_names(tmp_path) == [LOCK_FILE, "log.jsonl"]


def test_repair_lines_of_missing_file(tmp_path):
    assert repair_lines(tmp_path / "nowhere", accept, lambda record: True) is None
    assert list_names(tmp_path) == []


@pytest.mark.parametrize("line", [b"{", b"\xff\x00", b"", b"[3]", b'{"step": 9}', b"[" * 10_000])
def test_repair_lines_keeps_damaged_file(tmp_path, line):
    path = tmp_path / "log.jsonl"
    for _ in range(2):  # the second time replaces the copy of the first
        damaged_content = b'{"step": 1}\n' + line + b'\n{"step": 3}\n{"step": 7}\n{"st'
        path.write_bytes(damaged_content)
        error = repair_lines(path, refuse_large, lambda record: record["step"] <= 5)
        assert error.startswith(f"{path}: line 2")
        assert read_lines(path) == [{"step": 1}, {"step": 3}]
        assert (tmp_path / "damaged-log.jsonl").read_bytes() == damaged_content
        assert list_names(tmp_path) == [LOCK_FILE, "damaged-log.jsonl", "log.jsonl"]
