"""The table of disentanglement: four methods with an inverse, with two numbers of latents."""

from dataclasses import replace

import pytest

from iidgan.data import Shapes
from iidgan.methods import GAN
from iidgan.studies.papers import TABLES
from iidgan.studies.tabulate import tabulate
from iidgan.studies.train_missing import missing_runs
from iidgan.terms import GaussianTerm
from iidgan.train import train
from tests.helpers.tables import make_workspace

TABLE = TABLES["disentanglement"]([])
PROFILES = [TABLE, TABLE.with_standard_profile(), TABLE.with_quick_profile()]
ROWS = ["VAE", "BiGAN", "IID-GAN (1-D)", "IID-GAN (M-D)"]


@pytest.mark.parametrize("table", PROFILES)
def test_rows_differ_in_the_method_and_have_an_inverse(table):
    (group,) = table.row_groups
    assert list(group.rows) == ROWS
    assert len({replace(run, method=GAN()) for run in group.rows.values()}) == 1
    distances = [
        term.distance
        for name in ROWS[-2:]
        for term in group.rows[name].method.terms
        if isinstance(term, GaussianTerm)
    ]
    assert distances == ["w2-1d", "p-norm"]


@pytest.mark.parametrize("table", PROFILES)
def test_data_sets_are_shapes_with_two_numbers_of_latents(table):
    (group,) = table.row_groups
    runs = {name: group.get_run("VAE", name) for name in group.datasets}
    assert {run.source for run in runs.values()} == {Shapes()}
    assert {name: run.arch.latent for name, run in runs.items()} == {
        "10 latents": 10,
        "2 latents": 2,
    }


def test_polar_columns_are_of_two_latents():
    polar = {title: c for title, c in TABLE.columns.items() if c.metric.endswith("_polar")}
    assert len(TABLE.columns) == 3 * len(polar) == 12
    assert {column.dataset for column in polar.values()} == {"2 latents"}
    assert all("polar" in title for title in polar)


def test_profiles_share_no_run():
    ids = [run_id for table in PROFILES for run_id in table.runs]
    assert len(ids) == len(set(ids)) == 3 * 2 * len(ROWS)


@pytest.mark.slow
def test_table_of_tiny_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(Shapes, "num_evaluated", 200)
    (group,) = PROFILES[-1].row_groups
    run = group.rows["VAE"]
    rows = {"VAE": replace(run, arch=replace(run.arch, width=2), batch=8, steps=2)}
    tiny = replace(PROFILES[-1], row_groups=(replace(group, rows=rows),), num_seeds=1)
    workspace, records = make_workspace(tmp_path, num_workers=1), []
    for job in missing_runs(tiny, range(1), []):
        run_dir = workspace.run_dir(job.run, job.seeds)
        train(job.run, out=run_dir.path, device="cpu", executor="eager")
        records += run_dir.read_metric_records()
    cells = tabulate(tiny, records).cells
    assert len(cells) == len(tiny.columns)
    assert {cell.status for cell in cells} == {"done"}
    assert all(0 <= cell.mean <= 1 for cell in cells)
    codes = {record.protocol["num_codes"] for record in records if record.metric == "mig"}
    assert codes == {200}
