"""Rows: one number each, with everything that it depends on. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from iidgan.errors import InputError
from iidgan.files import append_lines, read_lines


@dataclass(frozen=True, kw_only=True)
class Row:
    """One number.

    Arguments:
        run: Id of the run.
        seed: Which training.
        step: Steps taken when it was measured; -1 with status `diverged`: none.
        metric: Name of the value.
        value: The number; NaN where it does not exist.
        diverged: Step at which the seed diverged, or -1.
        protocol: How it was measured.
        provenance: What it was measured with.
    """

    run: str
    seed: int
    step: int
    metric: str
    value: float
    diverged: int
    protocol: Mapping[str, str | int | float | bool]
    provenance: Mapping[str, str]


def append(path: Path, rows: Iterable[Row]) -> None:
    append_lines(path, ({**asdict(row), "value": _json(row.value)} for row in rows))


def read(path: Path) -> list[Row]:
    """Reads rows; of those that only differ in value or provenance, the last one counts."""
    names = {f.name for f in fields(Row)}
    found: dict[tuple[object, ...], Row] = {}
    for record in read_lines(path):
        if record.keys() != names:
            odd = ", ".join(sorted(record.keys() ^ names))
            raise InputError(f"{path}: a row has other fields than a row has ({odd})")
        value = math.nan if record["value"] is None else float(record["value"])
        row = Row(**{**record, "value": value})
        protocol = tuple(sorted(row.protocol.items()))
        found[row.run, row.seed, row.step, row.metric, protocol] = row
    return list(found.values())


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None
