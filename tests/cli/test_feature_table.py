"""Scores of features as a table and as JSON."""

import json
import math
from dataclasses import replace

import pytest

from iidgan.cli.feature_table import print_json, print_table
from iidgan.records import MetricRecord
from tests.helpers.feature_pairs import draw_classes, make_pair

SHARED = make_pair(draw_classes(20)[0], draw_classes(30)[0]).protocol()
RECORD = MetricRecord(
    run="0123456789ab",
    seed=0,
    step=0,
    metric="coverage",
    value=0.5,
    diverged=-1,
    protocol={**SHARED, "k": 5, "interval": "bca", "level": 0.95},
    provenance={},
    low=0.25,
    high=0.75,
)


@pytest.fixture(autouse=True)
def _wide_console(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


def print_lines(capsys, *records):
    print_table("a[b] against c", SHARED, records)
    return capsys.readouterr().out.splitlines()


def test_table_of_one_seed(capsys):
    unbounded = replace(
        RECORD, metric="other[x]", low=None, high=None, protocol={**SHARED, "interval": "none"}
    )
    title, *_, row, other, _, protocol = print_lines(capsys, RECORD, unbounded)
    assert title.startswith("a[b] against c")
    assert row.split("│")[1:5] == [
        *(" coverage ", "   0.5 ", "  0.25 to 0.75 ", " k 5, interval bca "),
    ]
    assert [cell.strip() for cell in other.split("│")[1:5]] == ["other[x]", "0.5", "-", ""]
    assert (
        "20 real and 30 generated samples; 6 features of random (weights abababababab" in protocol
    )


def test_table_of_several_seeds(capsys):
    infinite = replace(RECORD, metric="support_size", value=math.inf)
    records = [replace(record, seed=seed) for record in (RECORD, infinite) for seed in (0, 1)]
    records[1] = replace(records[1], value=0.7)
    lines = print_lines(capsys, *records)
    assert "std of 2 seeds" in "".join(lines)
    (row,) = (line for line in lines if "coverage" in line)
    assert [cell.strip() for cell in row.split("│")[1:5]] == ["coverage", "0.6", "± 0.14", "k 5"]
    (row,) = (line for line in lines if "support_size" in line)
    assert [cell.strip() for cell in row.split("│")[2:4]] == ["inf", "-"]


def test_json_has_null_for_numbers_that_are_not_finite(capsys):
    records = [RECORD, replace(RECORD, value=math.inf, low=None, high=math.inf)]
    print_json(records, with_seeds=False)
    first, second = json.loads(capsys.readouterr().out)["records"]
    assert first == {
        "metric": "coverage",
        "value": 0.5,
        "low": 0.25,
        "high": 0.75,
        "protocol": RECORD.protocol,
    }
    assert second["value"] is second["low"] is second["high"] is None
    print_json(records, with_seeds=True)
    assert [r["seed"] for r in json.loads(capsys.readouterr().out)["records"]] == [0, 0]
