"""Laws of all published tables and figures."""

import pytest

from iidgan.config.run import Run
from iidgan.studies.papers import FIGURES, TABLES
from iidgan.studies.papers.digit_figures import DIGIT_FIGURES
from iidgan.studies.table_spec import Delta


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
        if name not in ("poor-start", "square", *DIGIT_FIGURES):
            assert {run.id for run in figure.runs.values()} <= table_ids, name


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
