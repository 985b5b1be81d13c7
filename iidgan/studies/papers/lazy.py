"""The IID terms in every k-th step only: what that does to the result.

The full profile on images needs an accelerator; the quick one has narrow networks.
"""

from __future__ import annotations

from dataclasses import replace

from iidgan.core import Method, Regularised
from iidgan.data import FashionMnist, StackedMnist
from iidgan.methods import GAN, iid_gan
from iidgan.studies.columns import Column, score_columns
from iidgan.studies.papers.common import (
    BASE_RUN,
    DATASETS_AS_PRINTED,
    QUICK_PROFILE,
    coverage_columns,
    with_method,
)
from iidgan.studies.papers.images.stacked import dataset_columns, full_run, quick_group
from iidgan.studies.table_spec import Profile, RowGroup, TableSpec
from iidgan.terms import CycleTerm, GaussianTerm

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

# The weights of the preset `images`, written out: those of published rows stay as they are.
_IMAGE_METHODS: dict[str, Method] = {
    "GAN": GAN(),
    **_lazy_methods(
        iid_gan(
            cycle=CycleTerm(norm="l1", weight=3.0, ratio=10.0),
            gaussian=GaussianTerm(weight=3.0),
        )
    ),
}

_CLASS_COLUMNS = {
    "Fashion-MNIST classes": Column(metric="digits_modes", dataset="Fashion-MNIST", decimals=1),
    "Fashion-MNIST bad, %": Column(metric="digits_bad", dataset="Fashion-MNIST", decimals=1),
    "Fashion-MNIST reverse KL": Column(
        metric="digits_kl_reverse", dataset="Fashion-MNIST", decimals=3
    ),
    "Fashion-MNIST classifier FID": Column(
        metric="classifier_fid", dataset="Fashion-MNIST", decimals=1
    ),
    **score_columns("Fashion-MNIST", {"clipped coverage": 3}, num_samples=2_500),
}

LAZY_IMAGES = TableSpec(
    title="Stacked digits and Fashion-MNIST, the IID terms in every k-th step",
    row_groups=(
        RowGroup(
            datasets={"MNIST": StackedMnist(), "Fashion-MNIST": FashionMnist()},
            rows={name: full_run(method) for name, method in _IMAGE_METHODS.items()},
        ),
    ),
    columns=dataset_columns("MNIST") | _CLASS_COLUMNS,
    quick=Profile(
        steps=1_500,
        num_seeds=3,
        row_groups=(
            quick_group(
                _IMAGE_METHODS,
                {"MNIST": StackedMnist(base="mnist-5k"), "Fashion-MNIST": FashionMnist()},
            ),
        ),
        num_checkpoints=1,
    ),
    notes=(
        "Weights 3 of |z - F(G(z))|, 30 of |x - G(F(x))|, both means over elements, and 3 of the "
        "Gaussian loss. MNIST: stacked digits, 26,000 samples per seed, columns as in the table "
        "of stacked images. Fashion-MNIST: classes with at least 1 % of the samples, samples of "
        "which the classifier is less than 75 % sure, KL of the real histogram of classes to the "
        "generated one.",
    ),
)
