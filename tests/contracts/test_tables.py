"""Laws of all published tables and figures."""

from dataclasses import replace

import pytest
from matplotlib.text import Text

from iidgan.config.run import Run
from iidgan.data import FashionMnist, Mnist5k, Ring, StackedFashion, StackedMnist
from iidgan.engine.loop import StopRequest
from iidgan.studies.measure_scores import ScoreMeter, measure_checkpoints
from iidgan.studies.papers import FIGURES, RECIPES, TABLES
from iidgan.studies.papers.digit_figures import DIGIT_FIGURES
from iidgan.studies.papers.image_figures import IMAGE_FIGURES
from iidgan.studies.table_spec import Delta
from iidgan.train import train
from tests.helpers.tables import make_workspace

POOR_STARTS = ("poor-start", "poor-start-ring")


@pytest.mark.parametrize("name", TABLES)
def test_published_values_have_cells(name):
    table = TABLES[name]([])
    for group in table.row_groups:
        published_rows = {row_name for row_name, _ in group.published}
        assert published_rows & set(group.rows) or not group.published
        assert {column_title for _, column_title in group.published} <= set(table.columns)
        for run in group.rows.values():
            if isinstance(run, Delta):
                assert {run.after, run.before} <= set(group.rows)
    declared_datasets = {name for group in table.row_groups for name in group.datasets}
    column_datasets = {column.dataset for column in table.columns.values()}
    assert column_datasets <= declared_datasets or not table.row_groups[0].rows


@pytest.mark.parametrize("name", ["ring", "synthetic", "normality", "plug-in"])
def test_row_groups_share_one_setting(name):
    for group in TABLES[name]([]).row_groups:
        runs = [run for run in group.rows.values() if isinstance(run, Run)]
        assert len({(r.arch, r.optimiser, r.steps, r.batch, r.ema) for r in runs}) == 1


@pytest.mark.parametrize("name", TABLES)
def test_quick_profile_drops_longer_groups(name):
    """All its runs are equally long: groups that differ in length alone are dropped."""
    table = TABLES[name]([])
    quick_table = table.with_quick_profile()
    assert not [g.title for g in quick_table.row_groups if "steps" in g.title]
    assert quick_table.row_names == table.row_names or table.quick.row_groups
    for group in quick_table.row_groups:
        other_ids = [other.run_ids for other in quick_table.row_groups if other is not group]
        assert group.run_ids - set().union(*other_ids) or not group.rows


def test_figures_share_table_runs():
    table_ids = set(TABLES["synthetic"]([]).runs)
    for name, figure in FIGURES.items():
        if name not in (*POOR_STARTS, "square", *DIGIT_FIGURES, *IMAGE_FIGURES):
            assert {run.id for run in figure.runs.values()} <= table_ids, name


@pytest.mark.parametrize("name", IMAGE_FIGURES)
def test_image_figures_share_recipe_runs(name):
    table_ids = {run_id for recipe in RECIPES.values() for run_id in recipe.runs}
    assert {run.id for run in IMAGE_FIGURES[name].runs.values()} <= table_ids
    assert not {run.id for run in IMAGE_FIGURES[name].quick.runs.values()} & table_ids


def test_image_figures_of_one_method_share_runs():
    ablation, curves = FIGURES["ivgan-ablation"], FIGURES["ivgan-fid-cifar10"]
    samples = FIGURES["ivgan-samples"]
    for profile in (ablation, curves), (ablation.quick, curves.quick):
        assert len({figure.runs["IVLSGAN"].id for figure in profile}) == 1
    assert samples.runs["IVLSGAN, CIFAR-10"] == curves.runs["IVLSGAN"]
    assert samples.quick.runs["IVLSGAN, clothes"] == curves.quick.runs["IVLSGAN"]


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_figures_have_quick_profile(name):
    figure = FIGURES[name]
    quick = figure.quick
    assert quick is not None
    quick_steps = sum(run.steps for run in quick.runs.values())
    assert quick_steps <= sum(run.steps for run in figure.runs.values())
    for run in quick.runs.values():
        keeps_all = quick.keep_checkpoints >= quick.num_checkpoints
        assert not keeps_all or run.steps % quick.num_checkpoints == 0


@pytest.fixture
def _few_samples(monkeypatch):
    for source in (StackedMnist, StackedFashion, Mnist5k, FashionMnist, Ring):
        monkeypatch.setattr(source, "num_evaluated", 100)


def train_tiny_runs(figure, workspace):
    """Trains the runs of a figure, with a checkpoint at every step."""
    for job in figure.missing_runs(workspace):
        out = workspace.run_dir(job.run, job.seeds).path
        train(
            job.run,
            out=out,
            checkpoint_every=1,
            keep=figure.keep_checkpoints,
            device="cpu",
            executor="eager",
        )


def make_tiny(run, num_steps):
    source = Ring(size=400) if isinstance(run.source, Ring) else run.source
    arch = replace(run.arch, width=2) if hasattr(run.arch, "width") else run.arch
    return replace(run, source=source, arch=arch, batch=4, steps=num_steps)


@pytest.mark.slow
@pytest.mark.usefixtures("_few_samples")
@pytest.mark.parametrize("name", [*IMAGE_FIGURES, "mnist-codes", "poor-start-ring"])
def test_quick_figures_draw(name, tmp_path):
    quick = FIGURES[name].quick
    first_label, *_, last_label = quick.runs
    labels = [first_label, last_label]
    num_steps = 12 if name == "poor-start-ring" else 2  # it shows four stages of twelve
    runs = {label: make_tiny(quick.runs[label], num_steps) for label in labels}
    score = quick.score and replace(quick.score, num_samples=20)
    tiny = replace(quick, runs=runs, num_seeds=1, score=score).with_features("pixels")
    workspace = make_workspace(tmp_path, num_workers=1)
    train_tiny_runs(tiny, workspace)
    run_dirs = tiny.find_run_dirs(workspace)
    assert list(run_dirs) == labels
    if tiny.score is not None:
        measure_checkpoints(run_dirs, tiny.score, ScoreMeter(workspace), stop=StopRequest())
    drawn = tiny.draw(run_dirs)
    texts = [text.get_text() for text in drawn.findobj(Text)]
    for label in labels:
        assert any(label in text.replace("\n", " ") for text in texts)
