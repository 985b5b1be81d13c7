"""Conditional methods on labelled images: is each class right, and does it collapse?

The first version of IID-GAN (arXiv 2021, Fig. 7) says that conditional GANs deteriorate late in
training, also with mode seeking, and that IID-GAN does not. It shows images, and prints no number;
like it, the tables have few latent dimensions, which makes generation harder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from matplotlib.figure import Figure

from iidgan.config.preset import Preset
from iidgan.config.presets import PRESETS
from iidgan.config.run import Run
from iidgan.core import Method, Regularised, Source
from iidgan.data import FashionMnist, Mnist, Mnist5k, Prepared
from iidgan.figures.comparison import RunDirs, plot_training
from iidgan.figures.conditional import plot_class_planes, plot_class_samples, plot_class_traversals
from iidgan.methods import Conditional, ac_gan, cgan, msgan, pd_gan
from iidgan.nn import DCGAN
from iidgan.studies.columns import Column
from iidgan.studies.figure_spec import FigureSpec
from iidgan.studies.papers.common import with_distance
from iidgan.studies.papers.images.five_sets import standard_run
from iidgan.studies.papers.images.recipes import create_image_table
from iidgan.studies.table_spec import Profile, RowGroup, TableSpec
from iidgan.terms import GaussianTerm, InverseClassifier

_PRESET = PRESETS["images"]
_FULL_DATASETS: dict[str, Source] = {
    "digits": Mnist(),
    "clothes": FashionMnist(),
    "emoji": Prepared(name="emoji", expected_size=32),
}
_SHORT_DATASETS = _FULL_DATASETS | {"digits": Mnist5k()}
_LATENT, _DIGIT_LATENT = 10, 2


def conditional_methods(preset: Preset) -> dict[str, Method]:
    """Return the methods by row name; IID-GAN has the weights of a preset.

    Arguments:
        preset: The preset.

    Examples:
        >>> list(conditional_methods(PRESETS["images"]))[-3:]
        ['IID-GAN (M-D)', 'IID-GAN (M-D), projection', 'IID-GAN (M-D), projection, per class']
    """
    projection = preset.create_method("conditional-iid-gan")
    base, (cycle, gaussian, classifier) = projection.base_and_terms
    per_class = replace(cast(GaussianTerm, gaussian), per_class=True)
    iid_gan = Regularised(method=cgan(), terms=(cycle, gaussian, InverseClassifier()))
    return {
        "CGAN": cgan(),
        "CGAN, projection": Conditional(discriminator="projection"),
        "MSGAN": msgan(),
        "PD-GAN": pd_gan(),
        "AC-GAN": ac_gan(),
        "IID-GAN (1-D)": with_distance(iid_gan, "w2-1d"),
        "IID-GAN (M-D)": iid_gan,
        "IID-GAN (M-D), projection": projection,
        "IID-GAN (M-D), projection, per class": Regularised(
            method=base, terms=(cycle, per_class, classifier)
        ),
    }


def class_columns(dataset: str) -> dict[str, Column]:
    """Return the columns of one data set: accuracy, coverage and variety within classes.

    Arguments:
        dataset: Name of the data set, in front of the titles.

    Examples:
        >>> list(class_columns("digits"))[:2]
        ['digits class accuracy, %', 'digits worst class accuracy, %']
    """
    shown = {
        "class accuracy, %": ("class_accuracy", 1),
        "worst class accuracy, %": ("class_accuracy_worst", 1),
        "class coverage": ("class_coverage", 3),
        "worst class coverage": ("class_coverage_worst", 3),
        "intra-class FD": ("intra_fd", 1),
        "class diversity": ("class_diversity", 2),
        "classifier FID": ("classifier_fid", 1),
    }
    return {
        f"{dataset} {title}": Column(metric=metric, dataset=dataset, decimals=decimals)
        for title, (metric, decimals) in shown.items()
    }


_COLUMNS_NOTE = (
    "On the classifier of each data set: share of the samples of a class that it assigns to the "
    "class; clipped coverage, Frechet distance (FD) and mean distance of pairs, over that of real "
    "images, within a class, on 500 generated and as many real images of it at most; means over "
    "the classes, and the smallest value of a class. Classifier FID is over all classes."
)


_IID_GAN_COSTS = {"CGAN": 1.56, "AC-GAN": 2.25}
"""CPU seconds of a step of IID-GAN (M-D), of those of a step of a method, in the standard
profile."""


def _row_groups(runs: Mapping[str, Run], datasets: Mapping[str, Source]) -> tuple[RowGroup, ...]:
    latents = {"digits": _DIGIT_LATENT}
    longer_trainings = (
        RowGroup(
            title=f"{row_name} for as much CPU time as IID-GAN (M-D)",
            datasets=datasets,
            rows={row_name: replace(runs[row_name], steps=round(cost * runs[row_name].steps))},
            relative_steps=cost,
            latents=latents,
        )
        for row_name, cost in _IID_GAN_COSTS.items()
    )
    equally_long = RowGroup(
        title="equally long trainings", datasets=datasets, rows=runs, latents=latents
    )
    return equally_long, *longer_trainings


def _with_latent(run: Run) -> Run:
    return replace(run, arch=run.arch.with_latent(_LATENT))


_METHODS = conditional_methods(_PRESET)
_SHORT_GROUPS = _row_groups(
    {name: _with_latent(standard_run(method)) for name, method in _METHODS.items()},
    _SHORT_DATASETS,
)

CONDITIONAL = TableSpec(
    title="Conditional generation: digits, clothes and emoji",
    row_groups=_row_groups(
        {
            name: _with_latent(_PRESET.create_run(Mnist(), method))
            for name, method in _METHODS.items()
        },
        _FULL_DATASETS,
    ),
    columns={
        title: column
        for dataset in _FULL_DATASETS
        for title, column in class_columns(dataset).items()
    },
    num_seeds=3,
    standard=Profile(steps=5_000, num_seeds=3, row_groups=_SHORT_GROUPS, num_checkpoints=10),
    quick=Profile(steps=500, num_seeds=2, row_groups=_SHORT_GROUPS, num_checkpoints=5),
    notes=(
        _COLUMNS_NOTE,
        f"{_DIGIT_LATENT} latent dimensions for digits, {_LATENT} for the others. In the quick "
        "and the standard profile, digits are those of mnist-5k, and networks have a width of 16.",
    ),
)

_CIFAR = replace(PRESETS["arxiv-cifar"], arch=DCGAN(latent=_LATENT, width=64))

CONDITIONAL_CIFAR10 = create_image_table(
    title="Conditional generation on CIFAR-10 (IID-GAN, arXiv 2021, Fig. 7; IJCAI 2023, Fig. 7)",
    presets={"CIFAR-10": _CIFAR},
    datasets={"CIFAR-10": "cifar10"},
    rows={name: (method,) for name, method in conditional_methods(_CIFAR).items()},
    columns=class_columns("CIFAR-10"),
    printed={},
    notes=(
        _COLUMNS_NOTE,
        f"DCGAN with {_LATENT} latent dimensions, batch 256 and rate 2e-4, as the first version "
        "says of its Figures 13 and 14.",
    ),
)


_COURSE_TITLES = {
    "class_accuracy": "class accuracy, %",
    "intra_fd": "FD within classes",
}
_draw_course = partial(
    plot_training,
    metrics=tuple(_COURSE_TITLES),
    names=_COURSE_TITLES,
    log=(_COURSE_TITLES["intra_fd"],),
)


def _create_figure(
    title: str,
    draw: Callable[[RunDirs], Figure],
    dataset: str,
    row_names: Sequence[str],
    tables: tuple[TableSpec, TableSpec],
) -> FigureSpec:
    """Draw runs of the first table, and of the second one in the quick profile."""
    figure, quick = (
        FigureSpec(
            title=title,
            draw=draw,
            runs={
                row_name: table.row_groups[0].get_run(row_name, dataset) for row_name in row_names
            },
            num_seeds=table.num_seeds,
            num_checkpoints=table.num_checkpoints,
        )
        for table in tables
    )
    return replace(figure, quick=quick)


_SHORT_TABLES = CONDITIONAL.with_standard_profile(), CONDITIONAL.with_quick_profile()
_CIFAR_TABLES = CONDITIONAL_CIFAR10, CONDITIONAL_CIFAR10.with_quick_profile()
_PLANE_ROWS = "CGAN", "IID-GAN (1-D)", "IID-GAN (M-D)"
_GRID_ROWS = "CGAN", "MSGAN", "IID-GAN (M-D)"
_ARXIV = "IID-GAN, arXiv 2021"


def _show_course(dataset: str) -> FigureSpec:
    title = f"Accuracy and Frechet distance of classes over training, {dataset}"
    return _create_figure(title, _draw_course, dataset, tuple(_METHODS), _SHORT_TABLES)


CONDITIONAL_FIGURES: dict[str, FigureSpec] = {
    "conditional-course": _show_course("digits"),
    "conditional-course-clothes": _show_course("clothes"),
    "conditional-digits": _create_figure(
        f"Planes of two latents for three digits ({_ARXIV}, Fig. 12, 15)",
        plot_class_planes,
        "digits",
        _PLANE_ROWS,
        _SHORT_TABLES,
    ),
    "conditional-grid": _create_figure(
        f"Samples of each class of clothes, as of CIFAR-10 in {_ARXIV}, Fig. 13, 14",
        plot_class_samples,
        "clothes",
        _GRID_ROWS,
        _SHORT_TABLES,
    ),
    "conditional-traversal": _create_figure(
        f"Single latents for three classes of clothes, as of CIFAR-10 in {_ARXIV}, Fig. 16, 17",
        plot_class_traversals,
        "clothes",
        _PLANE_ROWS,
        _SHORT_TABLES,
    ),
    "conditional-grid-cifar10": _create_figure(
        f"Samples of each class of CIFAR-10 ({_ARXIV}, Fig. 13, 14)",
        plot_class_samples,
        "CIFAR-10",
        _GRID_ROWS,
        _CIFAR_TABLES,
    ),
    "conditional-traversal-cifar10": _create_figure(
        f"Single latents for three classes of CIFAR-10 ({_ARXIV}, Fig. 16, 17)",
        plot_class_traversals,
        "CIFAR-10",
        _PLANE_ROWS,
        _CIFAR_TABLES,
    ),
}
"""Figures of conditional methods; those of digits and clothes show the runs of the table's
standard profile, which two cores can train."""
