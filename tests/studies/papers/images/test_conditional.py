"""The table of conditional methods and the figures of their course."""

from dataclasses import replace

import pytest
from matplotlib.text import Text

from iidgan.data import Mnist5k
from iidgan.methods import GAN
from iidgan.studies.papers import FIGURES, RECIPES, TABLES
from iidgan.studies.papers.images.conditional import (
    CONDITIONAL,
    CONDITIONAL_FIGURES,
    class_columns,
)
from iidgan.studies.tabulate import tabulate
from iidgan.studies.train_missing import missing_runs
from iidgan.terms import GaussianTerm, ModeSeeking
from iidgan.train import train
from tests.helpers.tables import make_workspace

ROWS = [
    "CGAN",
    "CGAN, projection",
    "MSGAN",
    "PD-GAN",
    "AC-GAN",
    "IID-GAN (1-D)",
    "IID-GAN (M-D)",
    "IID-GAN (M-D), projection",
    "IID-GAN (M-D), projection, per class",
]
PROFILES = {
    "full": CONDITIONAL,
    "standard": CONDITIONAL.with_standard_profile(),
    "quick": CONDITIONAL.with_quick_profile(),
}


@pytest.mark.parametrize("table", [*PROFILES.values(), RECIPES["conditional-cifar10"]])
def test_rows_are_conditional_and_differ_in_the_method(table):
    group = table.row_groups[0]
    assert list(group.rows) == ROWS
    assert all(run.method.conditioning for run in group.rows.values())
    settings = {replace(run, method=GAN()) for run in group.rows.values()}
    assert len(settings) == 1


def test_methods_of_rows():
    rows = TABLES["conditional"]([]).row_groups[0].rows
    gaussian_terms = [
        term
        for name in ROWS[-4:]
        for term in rows[name].method.terms
        if isinstance(term, GaussianTerm)
    ]
    distances = [term.distance for term in gaussian_terms]
    assert distances == ["w2-1d", "p-norm", "p-norm", "p-norm"]
    assert [term.per_class for term in gaussian_terms] == [False, False, False, True]
    assert rows["MSGAN"].method.terms == (ModeSeeking(weight=1.0),)
    bases = {name: run.method.base_and_terms[0] for name, run in rows.items()}
    assert bases["CGAN"] == bases["MSGAN"] == bases["IID-GAN (M-D)"]
    assert bases["CGAN, projection"] == bases["IID-GAN (M-D), projection"] != bases["CGAN"]
    assert (bases["PD-GAN"].discriminator, bases["AC-GAN"].discriminator) == (
        "projection",
        "unconditional",
    )


def test_latents_of_data_sets():
    for table in PROFILES.values():
        for group in table.row_groups[:2]:
            latents = {name: group.get_run("CGAN", name).arch.latent for name in group.datasets}
            assert latents == {"digits": 2, "clothes": 10, "emoji": 10}
    cifar = RECIPES["conditional-cifar10"].row_groups[0].rows["CGAN"]
    assert (cifar.arch.latent, cifar.batch, cifar.optimiser.lr) == (10, 256, 2e-4)


def test_profiles_share_no_run():
    ids = [run_id for table in PROFILES.values() for run_id in table.runs]
    assert len(ids) == len(set(ids)) == 3 * 3 * (len(ROWS) + 2)


@pytest.mark.parametrize("table", PROFILES.values())
def test_longer_trainings_differ_in_steps_alone(table):
    equally_long, *longer = table.row_groups
    factors = {}
    for group in longer:
        ((row_name, run),) = group.rows.items()
        same = equally_long.rows[row_name]
        assert run == replace(same, steps=run.steps)
        factors[row_name] = run.steps / same.steps
    assert factors == pytest.approx({"CGAN": 1.56, "AC-GAN": 2.25})


@pytest.mark.parametrize("name", CONDITIONAL_FIGURES)
def test_figures_share_runs_and_checkpoints_of_a_table(name):
    figure, cifar = FIGURES[name], RECIPES["conditional-cifar10"]
    full, quick = PROFILES["standard"], PROFILES["quick"]
    if name.endswith("cifar10"):
        full, quick = cifar, cifar.with_quick_profile()
    for drawn, table in (figure, full), (figure.quick, quick):
        assert {*drawn.runs} <= {*ROWS}
        assert {run.id for run in drawn.runs.values()} <= table.runs.keys()
        assert drawn.num_checkpoints == table.num_checkpoints
        assert drawn.num_seeds == table.num_seeds


@pytest.mark.parametrize("name", ["conditional-course", "conditional-course-clothes"])
def test_courses_show_all_rows_at_several_steps(name):
    for drawn in FIGURES[name], FIGURES[name].quick:
        assert list(drawn.runs) == ROWS
        assert drawn.num_checkpoints > 3


@pytest.mark.slow
def test_table_and_figure_of_tiny_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(Mnist5k, "num_evaluated", 400)
    table = PROFILES["quick"].restrict_to(["CGAN", "IID-GAN (M-D)"], ["digits"])
    group = table.row_groups[0]
    rows = {
        name: replace(run, arch=replace(run.arch, width=2), batch=8, steps=2)
        for name, run in group.rows.items()
    }
    tiny = replace(table, row_groups=(replace(group, rows=rows),), num_seeds=1)
    workspace, records = make_workspace(tmp_path, num_workers=1), []
    for job in missing_runs(tiny, range(1), []):
        run_dir = workspace.run_dir(job.run, job.seeds)
        train(job.run, out=run_dir.path, checkpoint_every=1, device="cpu", executor="eager")
        records += run_dir.read_metric_records()
    cells = tabulate(tiny, records).cells
    assert len(cells) == 2 * len(class_columns("digits"))
    assert {cell.status for cell in cells} == {"done"}
    figure = CONDITIONAL_FIGURES["conditional-course"].quick
    runs = {name: tiny.row_groups[0].get_run(name, "digits") for name in rows}
    shown = replace(figure, runs=runs, num_seeds=1)
    drawn = shown.draw(shown.find_run_dirs(workspace))
    texts = {text.get_text() for text in drawn.findobj(Text)}
    assert {"class accuracy, %", "FD within classes"} <= texts
