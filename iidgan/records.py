"""Rows: one number each, with everything that it depends on. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import NoneType
from typing import Any

from iidgan.errors import InputError
from iidgan.utils.jsonl import append_lines, read_lines


@dataclass(frozen=True, kw_only=True)
class Row:
    """One number.

    Arguments:
        run: Id of the run.
        seed: Which training.
        step: Steps taken when it was measured; -1 where a training failed.
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

    @property
    def is_failure(self) -> bool:
        """Whether the row says that there is no number because the training failed."""
        return self.metric == _FAILURE

    def is_final(self, steps: int) -> bool:
        """Whether nothing comes after it in a run of `steps`."""
        return self.step == steps or self.diverged >= 0


_FAILURE = "failure"
_KINDS: dict[str, tuple[type, ...]] = {
    "run": (str,),
    "seed": (int,),
    "step": (int,),
    "metric": (str,),
    "value": (float, int, NoneType),
    "diverged": (int,),
    "protocol": (dict,),
    "provenance": (dict,),
}
"""What each field of a row is in a file."""


def failure(run: str, seed: int, reason: str) -> Row:
    """Makes the row of a training that ended without a result."""
    return Row(
        run=run,
        seed=seed,
        step=-1,
        metric=_FAILURE,
        value=math.nan,
        diverged=-1,
        protocol={},
        provenance={"reason": reason},
    )


def append(path: Path, rows: Iterable[Row]) -> None:
    append_lines(path, ({**asdict(row), "value": _json(row.value)} for row in rows))


def read(path: Path) -> list[Row]:
    """Reads rows; of those that only differ in value or provenance, the last one counts."""
    return _last(_rows(path))


def read_all(folder: Path) -> list[Row]:
    """Reads the rows of all files of a folder, as `read` does of one: studies share runs.

    Raises:
        InputError: It is a file.
    """
    if folder.is_file():
        raise InputError(f"results: {folder} is a file; name the folder that it lies in")
    return _last(row for path in sorted(folder.glob("*.jsonl")) for row in _rows(path))


def by_run(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Lays rows out by their run, each run's in their order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.run, []).append(row)
    return found


def _rows(path: Path) -> Iterator[Row]:
    for i, record in enumerate(read_lines(path), 1):
        _check(record, f"{path}: line {i}")
        value = math.nan if record["value"] is None else float(record["value"])
        yield Row(**{**record, "value": value})


def _check(record: Mapping[str, Any], place: str) -> None:
    if record.keys() != _KINDS.keys():
        odd = ", ".join(sorted(record.keys() ^ _KINDS.keys()))
        raise InputError(f"{place} has other fields than a row has ({odd})")
    for name, kinds in _KINDS.items():
        if type(record[name]) not in kinds or (name == "seed" and record[name] < 0):
            wanted = " or ".join("null" if k is NoneType else k.__name__ for k in kinds)
            least = " from 0 on" if name == "seed" else ""
            raise InputError(f"{place}: {name} is {record[name]!r}; it has to be {wanted}{least}")
    for key, value in record["protocol"].items():
        if isinstance(value, list | dict):
            raise InputError(f"{place}: protocol has {key} {value!r}; it has to be one value")


def _last(rows: Iterable[Row]) -> list[Row]:
    found: dict[tuple[object, ...], Row] = {}
    for row in rows:
        protocol = tuple(sorted(row.protocol.items()))
        found[row.run, row.seed, row.step, row.metric, protocol] = row
    return list(found.values())


def collect(path: Path, run: str, steps: int, metrics: Path) -> None:
    """Copies the final rows of a run that has ended, those of its last step, to `path`.

    Of a seed some of whose rows are not there all are copied: its numbers are of one training.
    """
    known = {(row.run, row.seed, row.step, row.metric) for row in read(path)}
    final = [row for row in read(metrics) if row.run == run and row.is_final(steps)]
    last = max((row.step for row in final), default=0)
    ended = [row for row in final if row.step == last]
    fresh = {r.seed for r in ended if (r.run, r.seed, r.step, r.metric) not in known}
    append(path, [row for row in ended if row.seed in fresh])


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None
