"""The IID terms in every k-th step only: what that does to the result."""

from __future__ import annotations

from dataclasses import replace

from iidgan.core import Method, Regularised
from iidgan.methods import iid_gan
from iidgan.studies.papers.common import (
    BASE_RUN,
    DATASETS_AS_PRINTED,
    QUICK_PROFILE,
    coverage_columns,
    with_method,
)
from iidgan.studies.table_spec import RowGroup, TableSpec

INTERVALS = (1, 2, 4, 8)


def with_lazy_terms(method: Regularised, every: int) -> Regularised:
    """Return a method all of whose terms enter every k-th step.

    Arguments:
        method: A method with terms.
        every: The number k of steps.

    Examples:
        >>> [term.every for term in with_lazy_terms(iid_gan(), 4).terms]
        [4, 4]
    """
    base, terms = method.base_and_terms
    return Regularised(method=base, terms=tuple(replace(term, every=every) for term in terms))


def _name_row(every: int) -> str:
    return "IID-GAN" if every == 1 else f"IID-GAN, every {every} steps"


def _lazy_methods(method: Regularised) -> dict[str, Method]:
    return {_name_row(every): with_lazy_terms(method, every) for every in INTERVALS}


LAZY = TableSpec(
    title="2D-Ring and 2D-Grid, the IID terms in every k-th step",
    row_groups=(
        RowGroup(
            datasets=DATASETS_AS_PRINTED,
            rows={"GAN": BASE_RUN}
            | {name: with_method(method) for name, method in _lazy_methods(iid_gan()).items()},
        ),
    ),
    columns=coverage_columns("Ring") | coverage_columns("Grid"),
    quick=QUICK_PROFILE,
    notes=(
        "50,000 (Ring) and 100,000 (Grid) samples per seed. Columns as in the table of all "
        "methods.",
    ),
)
