"""Every compared method twice: in the setting of the tables, and with its authors' settings."""

from __future__ import annotations

from iidgan.config.author_recipes import AUTHOR_RECIPES
from iidgan.config.run import Run
from iidgan.methods import METHODS
from iidgan.studies.papers.common import (
    BASE_RUN,
    DATASETS_AS_PRINTED,
    OTHER_RUNS,
    QUICK_PROFILE,
    TABLE_1_RUNS,
    VARIANT_RUNS,
    coverage_columns,
    with_method,
)
from iidgan.studies.table_spec import RowGroup, TableSpec

_SAME_SETTING = (
    TABLE_1_RUNS
    | VARIANT_RUNS
    | OTHER_RUNS
    | {
        AUTHOR_RECIPES[name].title: with_method(METHODS[name]())
        for name in ("adv-latent-div", "iv-dcgan", "iv-lsgan")
    }
)
"""Runs in the setting of the tables, by the name of the row there."""


def _build_rows(name: str) -> dict[str, Run]:
    """Return the two rows of a recipe."""
    recipe = AUTHOR_RECIPES[name]
    return {
        recipe.title: _SAME_SETTING[recipe.title],
        f"{recipe.title}, authors' recipe": recipe.create_run(BASE_RUN.source),
    }


AUTHORS = TableSpec(
    title="2D-Ring and 2D-Grid, every compared method in one setting and with its authors' own",
    row_groups=(
        RowGroup(
            datasets=DATASETS_AS_PRINTED,
            rows={
                row_name: run
                for name in AUTHOR_RECIPES
                for row_name, run in _build_rows(name).items()
            },
        ),
    ),
    columns=coverage_columns("Ring") | coverage_columns("Grid"),
    quick=QUICK_PROFILE,
    notes=(
        "First row of a method: the nets, the optimiser and the batches of the table of all "
        "methods. Second row: those of the method's authors, 24,000 steps as well. Columns as in "
        "that table.",
        *(recipe.describe_origins() for recipe in AUTHOR_RECIPES.values()),
    ),
)
