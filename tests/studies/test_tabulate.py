"""Cells of a table, computed from metric records."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from iidgan.records import append_records, copy_final_records, failure_record, read_records
from iidgan.report import render_table
from iidgan.studies.columns import Column
from iidgan.studies.table_spec import FreshRow, RowGroup
from iidgan.studies.tabulate import tabulate
from iidgan.studies.train_missing import missing_runs
from iidgan.train import train
from tests.helpers.errors import raises_input_error
from tests.helpers.tables import (
    SMALL_RUN,
    find_cell,
    job_keys,
    make_record,
    make_records,
    make_table,
    make_workspace,
)


def test_tabulate_without_records():
    assert {cell.status for cell in tabulate(make_table(), []).cells} == {"missing"}


def test_tabulate_mean_published_and_group():
    table = make_table()
    records = make_records(table, "plain", "A", [1.0, 4.0])
    cell = find_cell(tabulate(table, records), "plain", "A quality")
    assert (cell.mean, cell.std, cell.n) == (2.5, pytest.approx(4.5**0.5), 2)
    assert (cell.published, cell.block, cell.status) == ((50.0, 1.0), "small", "done")


def test_tabulate_delta_pairs_seeds():
    table = make_table(num_seeds=3)
    before, after = [1.0, 2.0, 4.0], [2.0, 5.0, 6.0]
    records = make_records(table, "plain", "A", before) + make_records(table, "ours", "A", after)
    cell = find_cell(tabulate(table, records[::-1]), "gain", "A quality")  # any order
    differences = np.subtract(after, before)
    low, high = stats.t.interval(0.95, 2, loc=differences.mean(), scale=stats.sem(differences))
    assert cell.mean == pytest.approx(2.0)
    assert cell.interval == (pytest.approx(low), pytest.approx(high))


def test_tabulate_delta_of_common_seeds():
    table = make_table(num_seeds=4)
    run = table.row_groups[0].get_run("ours", "A")
    records = make_records(table, "plain", "A", [1.0, 2.0, 3.0])
    records += [
        make_record(run, 2, 7.0),
        make_record(run, 1, np.nan, diverged=3, step=-1),
        make_record(run, 0, 3.0),
    ]
    cells = tabulate(table, records)
    assert find_cell(cells, "ours", "A quality").status == "diverged"
    gain = find_cell(cells, "gain", "A quality")
    assert (gain.seeds, gain.values) == ((0, 2), (2.0, 4.0))
    assert (gain.status, gain.failed, gain.missing) == ("diverged", 1, 1)


def test_tabulate_delta_without_common_seeds():
    table = make_table(num_seeds=4)
    before, after = (table.row_groups[0].get_run(name, "A") for name in ("plain", "ours"))
    records = [
        make_record(before, 0, 1.0),
        make_record(before, 1, 1.0),
        make_record(after, 2, 2.0),
        make_record(after, 3, 2.0),
    ]
    assert find_cell(tabulate(table, records), "gain", "A quality").mean is None


def test_tabulate_counts_missing_seeds():
    table = make_table(num_seeds=5)
    cells = tabulate(table, make_records(table, "plain", "A", [7.0, 8.0]))
    cell = find_cell(cells, "plain", "A quality")
    assert (cell.status, cell.n, cell.missing) == ("missing", 2, 3)
    assert "| 7.50 ± 0.71 (3 of 5 missing) (paper 50.0 ± 1.0) |" in render_table(cells, "md")


def test_tabulate_failed_until_trained():
    table = make_table()
    run = table.row_groups[0].get_run("plain", "A")
    failed = [failure_record(run.id, seed, "failed: out of luck") for seed in range(2)]
    cell = find_cell(tabulate(table, failed), "plain", "A quality")
    assert (cell.status, cell.failed, cell.n) == ("failed", 2, 0)
    assert (run.id, (0, 1)) in job_keys(missing_runs(table, range(2), failed))
    retrained = failed + make_records(table, "plain", "A", [1.0, 2.0])
    assert find_cell(tabulate(table, retrained), "plain", "A quality").status == "done"
    assert run.id not in dict(job_keys(missing_runs(table, range(2), retrained)))


def test_tabulate_refuses_mixed_protocols():
    table = make_table()
    records = make_records(table, "plain", "A", [1.0, 2.0])
    others = [replace(record, protocol={"family": "coverage", "k": 9}) for record in records]
    with raises_input_error("results", "quality", "k 9", records[0].run):
        tabulate(table, records + others)


def test_tabulate_counts_duplicates_once(tmp_path):
    table, workspace = make_table(), make_workspace(tmp_path)
    for name in ("one", "other"):
        append_records(workspace.results_file(name), make_records(table, "plain", "A", [1.0, 2.0]))
    assert find_cell(tabulate(table, workspace.load_records()), "plain", "A quality").n == 2


def test_tabulate_nan_is_undefined(tmp_path):
    """A value that does not exist is not a divergence."""
    run = replace(SMALL_RUN, steps=1)
    table = make_table(
        row_groups=(RowGroup(datasets={"Ring": run.source}, rows={"a": run}),),
        columns={"KL": Column(metric="reverse_kl", dataset="Ring")},
        num_seeds=1,
    )
    train(run, out=tmp_path / "run")
    copy_final_records(tmp_path / "rows.jsonl", run.id, 1, tmp_path / "run" / "metrics.jsonl")
    records = read_records(tmp_path / "rows.jsonl")
    undefined = [replace(r, value=float("nan")) for r in records if r.metric == "reverse_kl"]
    append_records(tmp_path / "rows.jsonl", undefined)
    (cell,) = tabulate(table, read_records(tmp_path / "rows.jsonl")).cells
    assert (cell.status, cell.n, cell.failed) == ("undefined", 0, 1)


def test_tabulate_scales_values():
    columns = {"A quality": Column(metric="quality", dataset="A", scale=100)}
    table = make_table(columns=columns)
    cell = find_cell(
        tabulate(table, make_records(table, "plain", "A", [0.01, 0.03])), "plain", "A quality"
    )
    assert (cell.mean, cell.published) == (pytest.approx(2.0), (50.0, 1.0))


def test_tabulate_protocols_of_diverged_seeds_differ():
    """They have no value, so that what they were measured with does not matter."""
    table = make_table()
    run = table.row_groups[0].get_run("plain", "A")
    records = [
        make_record(run, 0, 1.0, protocol={"num_generated": 10}),
        make_record(run, 1, np.nan, diverged=2, protocol={}),
    ]
    assert find_cell(tabulate(table, records), "plain", "A quality").n == 1


def make_groups_of_one_dataset():
    """Returns a table with a group of its own, and a row of fresh data, for each data set."""
    table = make_table()
    (group,) = table.row_groups
    rows = {"fresh": FreshRow(), **group.rows}
    groups = [
        RowGroup(title=name, datasets={name: source}, rows=rows)
        for name, source in group.datasets.items()
    ]
    return replace(table, row_groups=tuple(groups))


def test_groups_have_columns_of_their_own_datasets():
    table = make_groups_of_one_dataset()
    tabulated = tabulate(table, [])
    columns = {(cell.block, cell.column) for cell in tabulated.cells}
    assert columns == {("A", "A quality"), ("B", "B quality")}
    assert len(table.runs) == 4
    lines = render_table(tabulated, "md").splitlines()
    headers = [line for line in lines if line.startswith("|  |")]
    assert headers == ["|  | A quality |", "|  | B quality |"]


def test_fresh_row_has_values_of_its_data_set():
    table = make_groups_of_one_dataset()
    run = table.row_groups[1].get_run("ours", "B")
    records = [make_record(run, seed, 98.9, metric="quality_fresh") for seed in range(2)]
    tabulated = tabulate(table, records)
    assert find_cell(tabulated, "fresh", "B quality").values == (98.9,)
    assert find_cell(tabulated, "fresh", "A quality").status == "missing"


def test_fresh_row_requires_values_of_fresh_data():
    metrics = make_groups_of_one_dataset().required_metrics
    assert set(map(frozenset, metrics.values())) == {frozenset({"quality", "quality_fresh"})}
    assert set(map(frozenset, make_table().required_metrics.values())) == {frozenset({"quality"})}
