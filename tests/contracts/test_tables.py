"""Laws of all published tables and figures."""

from dataclasses import replace

import pytest
from matplotlib.text import Text

from iidgan.config.run import Run
from iidgan.data import FashionMnist, Mnist5k, Ring, StackedFashion, StackedMnist
from iidgan.studies.figure_spec import ScoreFigureSpec
from iidgan.studies.papers import FIGURES, RECIPES, TABLES
from iidgan.studies.papers.images.conditional import CONDITIONAL_FIGURES
from iidgan.studies.papers.images.digit_figures import DIGIT_FIGURES
from iidgan.studies.papers.images.figures import IMAGE_FIGURES
from iidgan.studies.table_spec import Delta
from iidgan.train import train
from tests.helpers.tables import make_record, make_workspace

POOR_STARTS = ("poor-start", "poor-start-ring")
SCORE_FIGURES = {
    name: figure for name, figure in IMAGE_FIGURES.items() if isinstance(figure, ScoreFigureSpec)
}
SAMPLE_FIGURES = IMAGE_FIGURES.keys() - SCORE_FIGURES.keys()


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
        others = (*DIGIT_FIGURES, *CONDITIONAL_FIGURES, *IMAGE_FIGURES)
        if name not in (*POOR_STARTS, "square", *others):
            assert {run.id for run in figure.runs.values()} <= table_ids, name


@pytest.mark.parametrize("name", IMAGE_FIGURES)
def test_image_figures_share_recipe_runs(name):
    table_ids = {run_id for recipe in RECIPES.values() for run_id in recipe.runs}
    assert {run.id for run in IMAGE_FIGURES[name].runs.values()} <= table_ids
    assert not {run.id for run in IMAGE_FIGURES[name].quick.runs.values()} & table_ids


@pytest.mark.parametrize("name", SCORE_FIGURES)
def test_score_figures_share_scores_of_recipes(name):
    """A recipe has the runs of the figure, with the same column, checkpoints and seeds."""
    table = SCORE_FIGURES[name].table
    for run_id, columns in table.required_scores.items():
        assert columns
        assert any(
            recipe.required_scores.get(run_id) == columns
            and (recipe.num_checkpoints, recipe.num_seeds)
            == (table.num_checkpoints, table.num_seeds)
            for recipe in RECIPES.values()
        )


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
    if isinstance(quick, ScoreFigureSpec):
        num_steps = {run.steps for run in quick.runs.values()}
        assert all(steps % quick.table.num_checkpoints == 0 for steps in num_steps)


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
@pytest.mark.parametrize("name", [*sorted(SAMPLE_FIGURES), "mnist-codes", "poor-start-ring"])
def test_quick_figures_draw(name, tmp_path):
    quick = FIGURES[name].quick
    first_label, *_, last_label = quick.runs
    labels = [first_label, last_label]
    num_steps = 12 if name == "poor-start-ring" else 2  # it shows four stages of twelve
    runs = {label: make_tiny(quick.runs[label], num_steps) for label in labels}
    tiny = replace(quick, runs=runs, num_seeds=1)
    workspace = make_workspace(tmp_path, num_workers=1)
    train_tiny_runs(tiny, workspace)
    run_dirs = tiny.find_run_dirs(workspace)
    assert list(run_dirs) == labels
    check_labels(tiny.draw(run_dirs), labels)


def check_labels(drawn, labels):
    texts = [text.get_text().replace("\n", " ") for text in drawn.findobj(Text)]
    for label in labels:
        assert any(label in text for text in texts)


@pytest.mark.parametrize("name", SCORE_FIGURES)
def test_score_figures_draw(name):
    for figure, dataset in (
        (SCORE_FIGURES[name], ("CIFAR-10", "LSUN church")),
        (SCORE_FIGURES[name].quick, ("Clothes", "Digits")),
    ):
        (column,) = figure.table.columns.values()
        protocol = {"extractor": column.features}
        records = [
            replace(make_record(run, 0, 1.0, metric=column.metric, step=step), protocol=protocol)
            for run in figure.runs.values()
            for step in column.list_steps(run.steps, figure.table.num_checkpoints)
        ]
        drawn = figure.draw(records)
        check_labels(drawn, figure.runs)
        (axis,) = drawn.axes
        assert axis.get_ylabel() in [f"{name} FID" for name in dataset]
        assert len(axis.get_lines()[0].get_xdata()) == figure.table.num_checkpoints
