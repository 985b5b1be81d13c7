"""Characters that a stream cannot encode."""

import io
import sys

import pytest

from iidgan.cli.encoding import replace_unencodable


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("ascii", b"8.0 +- 0.0 ... \\xe9 +-\\u20ac"),
        ("latin-1", b"8.0 \xb1 0.0 ... \xe9 \xb1\\u20ac"),
        ("utf-8", "8.0 ± 0.0 … é ±€".encode()),
    ],
)
def test_replace_unencodable(monkeypatch, encoding, expected):
    output = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    monkeypatch.setattr(sys, "stdout", output)
    replace_unencodable()
    print("8.0 ± 0.0 … é ±€", end="")
    assert output.buffer.getvalue() == expected


def test_replace_unencodable_without_streams(monkeypatch):
    """As under pythonw, or where a program has replaced them."""
    for stream in (None, io.StringIO()):
        monkeypatch.setattr(sys, "stdout", stream)
        replace_unencodable()
        assert sys.stdout is stream
