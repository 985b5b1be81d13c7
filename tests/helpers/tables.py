"""A small table, its records, and its workspace."""

from dataclasses import replace

from iidgan.config.run import Run
from iidgan.data import Ring
from iidgan.methods import iid_gan
from iidgan.nn import MLP
from iidgan.parallel.backend import LocalProcesses
from iidgan.records import MetricRecord
from iidgan.studies.columns import Column
from iidgan.studies.table_spec import Delta, Profile, RowGroup, TableSpec
from iidgan.studies.train_missing import Workspace

SMALL_RUN = Run(arch=MLP(hidden=(8,)), steps=4, batch=16)
SMALL_DATASETS = {"A": Ring(size=400), "B": Ring(size=400, std=0.1)}


def make_table(**changes):
    """Returns a table of two runs and their difference, on two data sets, with two seeds."""
    group = RowGroup(
        title="small",
        datasets=SMALL_DATASETS,
        rows={
            "plain": SMALL_RUN,
            "ours": replace(SMALL_RUN, method=iid_gan()),
            "gain": Delta(after="ours", before="plain"),
        },
        published={("plain", "A quality"): (50.0, 1.0)},
    )
    columns = {
        f"{dataset} quality": Column(metric="quality", dataset=dataset)
        for dataset in SMALL_DATASETS
    }
    table = TableSpec(
        title="t",
        row_groups=(group,),
        columns=columns,
        num_seeds=2,
        quick=Profile(steps=2),
    )
    return replace(table, **changes)


def make_record(run, seed, value, **changes):
    """Returns a record of the quality of a run at its end."""
    record = MetricRecord(
        run=run.id,
        seed=seed,
        step=run.steps,
        metric="quality",
        value=value,
        diverged=-1,
        protocol={},
        provenance={},
    )
    return replace(record, **changes)


def make_records(table, row_name, dataset_name, values):
    """Returns records of a row on a data set, one value per seed."""
    run = table.row_groups[0].get_run(row_name, dataset_name)
    return [make_record(run, seed, value) for seed, value in enumerate(values)]


def find_cell(table, row_name, column_title):
    """Returns the cell of a rendered table."""
    return next(c for c in table.cells if (c.row, c.column) == (row_name, column_title))


def job_keys(jobs):
    """Returns the run id and the seeds of each job."""
    return [(job.run.id, job.seeds) for job in jobs]


def make_workspace(path, num_workers=2):
    """Returns a workspace below `path`."""
    return Workspace(
        results_dir=path / "results", runs_dir=path / "runs", backend=LocalProcesses(num_workers)
    )
