"""Metric records: reading, and errors with line numbers."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from iidgan import records
from iidgan.utils.jsonl import append_lines, read_lines
from tests.helpers.errors import raises_input_error


def test_read_keeps_last_of_equal_records(tmp_path):
    row = records.MetricRecord(
        run="a", seed=0, step=4, metric="m", value=1.0, diverged=-1, protocol={}, provenance={}
    )
    other = replace(row, protocol={"k": 3.0})
    nothing = replace(row, seed=1, value=float("inf"))
    records.append_records(tmp_path / "rows.jsonl", [row, other, nothing, replace(row, value=2.0)])
    first, second, third = records.read_records(tmp_path / "rows.jsonl")
    assert (first, second) == (replace(row, value=2.0), other)
    assert math.isnan(third.value)
    append_lines(tmp_path / "rows.jsonl", [{"run": "a", "sead": 0}])
    with raises_input_error(None, tmp_path / "rows.jsonl", "sead"):
        records.read_records(tmp_path / "rows.jsonl")


def test_bounds_are_read_as_written(tmp_path):
    path = tmp_path / "rows.jsonl"
    row = records.MetricRecord(
        run="a", seed=0, step=4, metric="m", value=1.0, diverged=-1, protocol={}, provenance={}
    )
    bounded = replace(row, metric="bounded", low=0.5, high=1.5)
    unbounded = replace(row, metric="unbounded", low=0.5, high=math.inf)
    records.append_records(path, [row, bounded, unbounded])
    assert records.read_records(path) == [row, bounded, replace(unbounded, high=None)]
    assert "low" not in read_lines(path)[0]  # as files of older versions
    assert read_lines(path)[2]["high"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("low", "abc"),
        ("value", "abc"),
        ("value", True),
        ("seed", "zero"),
        ("seed", -1),
        ("seed", 0.5),
        ("step", "24000"),
        ("protocol", None),
        ("diverged", None),
        ("provenance", []),
    ],
)
def test_read_names_line_of_invalid_field(tmp_path, field, value):
    row = {"run": "a", "seed": 0, "step": 4, "metric": "m", "value": 1, "diverged": -1}
    row |= {"protocol": {}, "provenance": {}}
    append_lines(tmp_path / "rows.jsonl", [row, row | {field: value}])
    with raises_input_error(None, "rows.jsonl: line 2", field, repr(value)):
        records.read_records(tmp_path / "rows.jsonl")


def test_copy_final_records_of_several_writers(tmp_path):
    """Each writer looks for what is missing and appends it while no other does."""
    source, target = tmp_path / "metrics.jsonl", tmp_path / "results" / "rows.jsonl"
    row = records.MetricRecord(
        run="a", seed=0, step=4, metric="m", value=1.0, diverged=-1, protocol={}, provenance={}
    )
    records.append_records(source, [replace(row, seed=seed) for seed in range(50)])
    barrier = threading.Barrier(4)

    def copy(_):
        barrier.wait()
        records.copy_final_records(target, "a", 4, source)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(copy, range(4)))
    assert [line["seed"] for line in read_lines(target)] == list(range(50))


@pytest.mark.parametrize("nested", [{"a": 1}, [1]])
def test_read_names_line_of_nested_protocol(tmp_path, nested):
    row = {"run": "a", "seed": 0, "step": 4, "metric": "m", "value": 1, "diverged": -1}
    row |= {"protocol": {"k": nested}, "provenance": {}}
    append_lines(tmp_path / "rows.jsonl", [row])
    with raises_input_error(None, "rows.jsonl: line 1", "protocol", " k "):
        records.read_records(tmp_path / "rows.jsonl")


def test_read_all_names_file_or_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("[" * 100_000 + "\n")
    with raises_input_error("results", path):
        records.read_all_records(path)
    with raises_input_error(None, "rows.jsonl: line 1", "JSON"):
        records.read_all_records(tmp_path)


def test_select_last_step_of_each_seed():
    steps = [(0, 4), (1, 4), (0, 8), (1, 4), (2, 0)]
    row = records.MetricRecord(
        run="a", seed=0, step=0, metric="m", value=1.0, diverged=-1, protocol={}, provenance={}
    )
    selected = records.select_last_step(replace(row, seed=seed, step=step) for seed, step in steps)
    assert [(record.seed, record.step) for record in selected] == [(1, 4), (0, 8), (1, 4), (2, 0)]


def test_interim_records_are_of_no_last_step(tmp_path):
    """A run is watched at steps without a checkpoint; tables have none of these values."""
    row = records.MetricRecord(
        run="a", seed=0, step=8, metric="m", value=1.0, diverged=-1, protocol={}, provenance={}
    )
    interim = replace(row, metric="c", protocol={"family": records.INTERIM_FAMILY})
    later, alone = replace(interim, step=9), replace(interim, seed=1, step=9)
    all_records = [replace(row, step=4), row, interim, later, replace(alone, step=7), alone]
    assert records.select_last_step(all_records) == [row, interim, alone]
    records.append_records(tmp_path / "metrics.jsonl", all_records)
    records.copy_final_records(tmp_path / "rows.jsonl", "a", 8, tmp_path / "metrics.jsonl")
    assert records.read_records(tmp_path / "rows.jsonl") == [row]


def test_read_takes_paths_as_strings(tmp_path):
    row = records.MetricRecord(
        run="a", seed=0, step=4, metric="m", value=1.0, diverged=-1, protocol={}, provenance={}
    )
    records.append_records(tmp_path / "rows.jsonl", [row])
    assert records.read_records(f"{tmp_path}/rows.jsonl") == [row]
    assert records.read_all_records(str(tmp_path)) == [row]
