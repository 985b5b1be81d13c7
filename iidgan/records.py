"""Metric records: one value each, with everything that it depends on. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import NoneType
from typing import Any

from iidgan.errors import InputError
from iidgan.utils.jsonl import append_lines, locked_for_append, read_lines


@dataclass(frozen=True, kw_only=True)
class MetricRecord:
    """One value of a metric for one seed at one step, with everything that it depends on.

    Arguments:
        run: Id of the run.
        seed: Seed of the run.
        step: Step of the measurement; -1 if training failed.
        metric: Name of the value.
        value: The value; NaN if it does not exist.
        diverged: Step at which the seed diverged, or -1.
        protocol: How the value was measured.
        provenance: Versions and hardware of the measurement.
        low: Lower bound of the value's confidence interval; None if there is none.
        high: Upper bound; None if there is none.

    Examples:
        >>> record = MetricRecord(
        ...     run="0123456789ab",
        ...     seed=0,
        ...     step=24_000,
        ...     metric="modes_1",
        ...     value=8.0,
        ...     diverged=-1,
        ...     protocol={"num_generated": 50_000},
        ...     provenance={"torch": "2.13.0"},
        ... )
        >>> record.at_end(num_steps=24_000), record.is_failure
        (True, False)
    """

    run: str
    seed: int
    step: int
    metric: str
    value: float
    diverged: int
    protocol: Mapping[str, str | int | float | bool]
    provenance: Mapping[str, str]
    low: float | None = None
    high: float | None = None

    @property
    def is_failure(self) -> bool:
        """Whether the record stands for a failed training, without a value."""
        return self.metric == _FAILURE_METRIC

    @property
    def is_interim(self) -> bool:
        """Whether it was measured during training, perhaps at a step without a checkpoint."""
        return self.protocol.get("family") == INTERIM_FAMILY

    def at_end(self, num_steps: int) -> bool:
        """Whether it is of the end of training: the last step, or after divergence.

        Arguments:
            num_steps: Number of steps of the run.
        """
        return self.step == num_steps or self.diverged >= 0


INTERIM_FAMILY = "training-coverage"
"""Family of the metrics that are measured during training, to watch it."""
FRESH_SUFFIX = "_fresh"
"""End of the name of a metric's value for fresh samples of the data's own distribution."""
_FAILURE_METRIC = "failure"
_FIELD_TYPES: dict[str, tuple[type, ...]] = {
    "run": (str,),
    "seed": (int,),
    "step": (int,),
    "metric": (str,),
    "value": (float, int, NoneType),
    "diverged": (int,),
    "protocol": (dict,),
    "provenance": (dict,),
}
"""Types of the fields in a file."""
_BOUND_TYPES: dict[str, tuple[type, ...]] = {
    "low": (float, int, NoneType),
    "high": (float, int, NoneType),
}
"""Types of the fields that only records with an interval have in a file."""


def failure_record(run: str, seed: int, reason: str) -> MetricRecord:
    """Create the record of a training that failed.

    Arguments:
        run: Id of the run.
        seed: Seed of the run.
        reason: Why it failed, one line.

    Returns:
        A record whose value is NaN and whose provenance has the reason.

    Examples:
        >>> failure_record("0123456789ab", seed=0, reason="out of memory").is_failure
        True
    """
    return MetricRecord(
        run=run,
        seed=seed,
        step=-1,
        metric=_FAILURE_METRIC,
        value=math.nan,
        diverged=-1,
        protocol={},
        provenance={"reason": reason},
    )


def append_records(path: Path, records: Iterable[MetricRecord]) -> None:
    """Append records to a JSONL file; values that are not finite become null.

    Several processes can append to one file: each call is written as a whole.

    Arguments:
        path: The file, which is created if necessary.
        records: Records to append.

    Examples:
        >>> import tempfile
        >>> record = failure_record("0123456789ab", seed=0, reason="out of memory")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "metrics.jsonl")
        ...     append_records(path, [record])
        ...     append_records(path, [record])  # measured again
        ...     len(path.read_text().splitlines()), len(read_records(path))
        (2, 1)
    """
    append_lines(path, map(encode_record, records))


def encode_record(record: MetricRecord) -> dict[str, Any]:
    """Return the fields of a record as values of JSON.

    Numbers that are not finite become null. A record without an interval has no bounds.

    Arguments:
        record: The record.
    """
    encoded = asdict(record)
    for name in _BOUND_TYPES:
        if encoded[name] is None:
            del encoded[name]
    return encoded | {
        name: as_json_number(encoded[name]) for name in ("value", *_BOUND_TYPES) if name in encoded
    }


def as_json_number(value: float) -> float | None:
    """Return a number as JSON can represent it: None if it is not finite.

    Arguments:
        value: The number.
    """
    return value if math.isfinite(value) else None


def read_records(path: str | Path) -> list[MetricRecord]:
    """Read the records of a file.

    Of records that differ only in value or provenance, the last one is kept.

    Arguments:
        path: A JSONL file.

    Returns:
        The records; none if there is no such file.

    Raises:
        InputError: A line is not a record.
    """
    return _drop_superseded(_iterate_records(Path(path)))


def read_all_records(folder: str | Path) -> list[MetricRecord]:
    """Read the records of all files in a folder as if they were one file.

    Arguments:
        folder: Folder of files `*.jsonl`, which are read in the order of their names.

    Returns:
        The records; none if there is no such folder.

    Raises:
        InputError: `folder` is a file, or a line is not a record.
    """
    folder = Path(folder)
    if folder.is_file():
        raise InputError(f"results: expected a folder, got the file {folder}")
    paths = sorted(folder.glob("*.jsonl"))
    return _drop_superseded(record for path in paths for record in _iterate_records(path))


def group_by_run(records: Iterable[MetricRecord]) -> dict[str, list[MetricRecord]]:
    """Group records by the id of their run, in their order.

    Arguments:
        records: Records of any runs.

    Returns:
        The records of each run, by its id.

    Examples:
        >>> records = [failure_record(run, 0, "out of memory") for run in ("a1", "b2", "a1")]
        >>> {run: len(group) for run, group in group_by_run(records).items()}
        {'a1': 2, 'b2': 1}
    """
    records_by_run: dict[str, list[MetricRecord]] = {}
    for record in records:
        records_by_run.setdefault(record.run, []).append(record)
    return records_by_run


def _iterate_records(path: Path) -> Iterator[MetricRecord]:
    for line_number, data in enumerate(read_lines(path), 1):
        check_record_fields(data, f"{path}: line {line_number}")
        value = math.nan if data["value"] is None else float(data["value"])
        yield MetricRecord(**{**data, "value": value})


def check_record_fields(data: Mapping[str, Any], line: str) -> None:
    """Check that an object that was read from a file is a record.

    Arguments:
        data: Fields by name.
        line: File and number of the line, with which messages start.

    Raises:
        InputError: It is not.
    """
    if wrong_names := (data.keys() - _BOUND_TYPES.keys()) ^ _FIELD_TYPES.keys():
        names = ", ".join(sorted(wrong_names))
        raise InputError(f"{line}: missing or unknown fields ({names})")
    for name, types in (_FIELD_TYPES | _BOUND_TYPES).items():
        if name not in data:
            continue
        if type(data[name]) not in types or (name == "seed" and data[name] < 0):
            type_names = " or ".join("null" if t is NoneType else t.__name__ for t in types)
            minimum = " >= 0" if name == "seed" else ""
            raise InputError(f"{line}: {name} must be {type_names}{minimum}, got {data[name]!r}")
    for key, value in data["protocol"].items():
        if isinstance(value, list | dict):
            raise InputError(f"{line}: protocol must map {key} to a single value, got {value!r}")


def _drop_superseded(records: Iterable[MetricRecord]) -> list[MetricRecord]:
    last_records: dict[tuple[object, ...], MetricRecord] = {}
    for record in records:
        protocol = tuple(sorted(record.protocol.items()))
        last_records[record.run, record.seed, record.step, record.metric, protocol] = record
    return list(last_records.values())


def select_last_step(records: Iterable[MetricRecord]) -> list[MetricRecord]:
    """Select the records of each seed's last step.

    The last step is that of its last checkpoint: a run that is still trained may have been
    watched at later ones.

    Arguments:
        records: Records of one run.

    Returns:
        Those of the last step of their seed, in their order.

    Examples:
        >>> from dataclasses import replace
        >>> record = failure_record("0123456789ab", seed=0, reason="")
        >>> steps = [(0, 100), (0, 200), (1, 100)]  # seed 1 ended earlier
        >>> records = [replace(record, seed=seed, step=step) for seed, step in steps]
        >>> [(record.seed, record.step) for record in select_last_step(records)]
        [(0, 200), (1, 100)]
    """
    all_records = list(records)
    last_steps = _find_last_steps(all_records) | _find_last_steps(
        record for record in all_records if not record.is_interim
    )
    return [record for record in all_records if record.step == last_steps[record.seed]]


def _find_last_steps(records: Iterable[MetricRecord]) -> dict[int, int]:
    last_steps: dict[int, int] = {}
    for record in records:
        last_steps[record.seed] = max(record.step, last_steps.get(record.seed, -1))
    return last_steps


def copy_final_records(path: Path, run: str, num_steps: int, metrics_path: Path) -> None:
    """Copy the records of a finished run's last step to a file of results.

    What was measured to watch the training is left out: no table has it.

    If some records of a seed are missing there, all of them are copied, so that a seed's values
    are always of one training.

    Arguments:
        path: File that the records are appended to.
        run: Id of the run.
        num_steps: Number of steps of the run.
        metrics_path: File of all records of the run.

    Raises:
        InputError: A line of a file is not a record.
    """
    end_records = [
        record
        for record in read_records(metrics_path)
        if record.run == run and record.at_end(num_steps) and not record.is_interim
    ]
    final_records = select_last_step(end_records)
    with locked_for_append(path) as append:
        present_values = {_value_key(record) for record in read_records(path)}
        seeds_to_copy = {
            record.seed for record in final_records if _value_key(record) not in present_values
        }
        append(encode_record(record) for record in final_records if record.seed in seeds_to_copy)


def _value_key(record: MetricRecord) -> tuple[str, int, int, str]:
    return record.run, record.seed, record.step, record.metric
