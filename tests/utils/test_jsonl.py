"""JSON Lines files grow by whole lines, whatever a crash leaves."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iidgan.utils.jsonl import append_lines, keep_lines, read_lines
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


def test_keep_lines_removes_others(tmp_path):
    path = tmp_path / "log.jsonl"
    append_lines(path, [{"step": step} for step in range(5)])
    keep_lines(path, lambda record: record["step"] <= 2)
    assert [record["step"] for record in read_lines(path)] == [0, 1, 2]
    before = path.stat().st_ino
    keep_lines(path, lambda record: True)
    assert path.stat().st_ino == before
    keep_lines(tmp_path / "nowhere", lambda record: True)
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]
