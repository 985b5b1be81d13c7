"""Measured values as CSV files, of which a new measurement replaces only what it repeats."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from iidgan.utils.files import write_text

Row = Mapping[str, str | float]


def read_values(path: Path) -> list[dict[str, str]]:
    """Read the rows of a file; none if there is none yet."""
    return list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []


def merge_values(path: Path, rows: Sequence[Row], key: str) -> None:
    """Write rows in place of those whose value of a column they repeat."""
    names = {row[key] for row in rows}
    other_rows = [row for row in read_values(path) if row[key] not in names]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows([*other_rows, *rows])
    write_text(path, text.getvalue())
