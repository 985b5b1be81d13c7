"""Published figures of images: samples of methods, and FID over training.

They share runs with the papers' tables of images. The quick profiles, of minutes on two cores,
show that everything works: they have narrow networks, and stand-ins for data that do not install.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from iidgan.config.run import Run
from iidgan.core import Source
from iidgan.data import FashionMnist, Mnist5k, StackedFashion, StackedMnist
from iidgan.figures.comparison import plot_images
from iidgan.studies.columns import ScoreColumn
from iidgan.studies.figure_spec import FigureSpec, ScoreFigureSpec
from iidgan.studies.papers.images.arxiv import ARXIV_TABLE_2
from iidgan.studies.papers.images.ijcai import IJCAI_TABLE_5
from iidgan.studies.papers.images.invert_gan import INVERT_GAN_TABLE_2
from iidgan.studies.papers.images.iv_gan import IV_GAN_TABLE_1, IV_GAN_TABLE_3
from iidgan.studies.table_spec import RowGroup, TableSpec

QUICK_STEPS = 400

_STACKED: dict[str, Source] = {
    "stacked digits": StackedMnist(base="mnist-5k"),
    "stacked clothes": StackedFashion(),
}
_GREY: dict[str, Source] = {"digits": Mnist5k(), "clothes": FashionMnist()}
"""Stand-ins of the quick profiles: colour images of 32 pixels, and grey ones of 28."""


def _take_runs(
    group: RowGroup, datasets: Mapping[str, Source], row_names: Sequence[str]
) -> dict[str, Run]:
    """Return the runs of rows of a table on data sets, those of one data set together."""
    shown_group = replace(group, datasets=datasets)
    return {
        f"{row_name}, {dataset_name}": shown_group.get_run(row_name, dataset_name)
        for dataset_name in datasets
        for row_name in row_names
    }


def _shorten(table: TableSpec) -> TableSpec:
    """Return the quick profile of a table with the steps of quick figures."""
    return replace(table, quick=replace(table.quick, steps=QUICK_STEPS)).with_quick_profile()


def _show_samples(
    title: str,
    table: TableSpec,
    dataset_names: Sequence[str],
    row_names: Sequence[str],
    stand_ins: Mapping[str, Source],
    slow_row_names: Sequence[str] = (),
) -> FigureSpec:
    """Show samples of rows of a table; the quick profile leaves out the slow ones."""
    (group,) = table.row_groups
    figure = FigureSpec(
        title=title,
        runs=_take_runs(group, {name: group.datasets[name] for name in dataset_names}, row_names),
        draw=plot_images,
        num_seeds=1,
        needs_classifier=False,
    )
    (quick_group,) = _shorten(table).row_groups
    quick_row_names = [name for name in row_names if name not in slow_row_names]
    quick_runs = _take_runs(quick_group, stand_ins, quick_row_names)
    return replace(figure, quick=replace(figure, runs=quick_runs, num_checkpoints=1))


def _show_fid(
    title: str,
    table: TableSpec,
    dataset_name: str,
    labels: Mapping[str, str],
    stand_in_name: str,
    slow_row_names: Sequence[str] = (),
) -> ScoreFigureSpec:
    """Show FID over training, of rows of a table by their label."""
    quick_labels = {row: label for row, label in labels.items() if row not in slow_row_names}
    quick_table = _take_rows(_shorten(table), dataset_name, quick_labels)
    return ScoreFigureSpec(
        title=title,
        table=_take_rows(table, dataset_name, labels),
        quick=ScoreFigureSpec(title=title, table=_replace_data(quick_table, stand_in_name)),
    )


def _take_rows(table: TableSpec, dataset_name: str, labels: Mapping[str, str]) -> TableSpec:
    """Return rows of a table by their label, on one of its data sets."""
    (group,) = table.row_groups
    shown_group = replace(
        group,
        datasets={dataset_name: group.datasets[dataset_name]},
        rows={label: group.rows[row_name] for row_name, label in labels.items()},
        published={},
    )
    return replace(table.restrict_to(dataset_names=[dataset_name]), row_groups=(shown_group,))


def _replace_data(table: TableSpec, stand_in_name: str) -> TableSpec:
    """Return a table of scores on a stand-in in place of its only data set."""
    (group,), shown_name = table.row_groups, stand_in_name.capitalize()
    columns = [
        replace(column, dataset=shown_name)
        for column in table.columns.values()
        if isinstance(column, ScoreColumn)
    ]
    return replace(
        table,
        columns={column.title: column for column in columns},
        row_groups=(replace(group, datasets={shown_name: _GREY[stand_in_name]}),),
    )


_IV_GAN_ROWS = ("DCGAN", "LSGAN", "MRGAN", "WGAN-GP", "IVDCGAN", "IVLSGAN")
_IV_GAN_LABELS = {name: name for name in _IV_GAN_ROWS}
_SLOW_IV_GAN_ROWS = ("WGAN-GP", "IVDCGAN")
_INVERT_GAN_ROWS = ("GAN", "BiGAN", "Unrolled GAN", "VEEGAN", "InvertGAN")

IMAGE_FIGURES: dict[str, FigureSpec | ScoreFigureSpec] = {
    "ijcai-samples": _show_samples(
        "CelebA and LSUN church, real and generated (IID-GAN, IJCAI 2023, Fig. 10)",
        IJCAI_TABLE_5,
        ("CelebA", "LSUN"),
        ("IID-GAN",),
        _STACKED,
    ),
    **{
        f"arxiv-{dataset_name.lower().replace('-', '')}": _show_samples(
            f"{dataset_name}, real and generated (IID-GAN, arXiv 2021, Fig. {number})",
            ARXIV_TABLE_2,
            (dataset_name,),
            ("IID-GAN (1-D)", "IID-GAN (M-D)"),
            {stand_in_name: _STACKED[stand_in_name]},
        )
        for dataset_name, number, stand_in_name in (
            ("CIFAR-10", 19, "stacked digits"),
            ("CIFAR-100", 20, "stacked clothes"),
        )
    },
    **{
        f"invertgan-{dataset_name.lower().replace('-', '')}": _show_samples(
            f"{dataset_name}, real images and samples of five methods (InvertGAN, Fig. {number})",
            INVERT_GAN_TABLE_2,
            (dataset_name,),
            _INVERT_GAN_ROWS,
            {"stacked clothes": _STACKED["stacked clothes"]},
            slow_row_names=("Unrolled GAN",),
        )
        for dataset_name, number in (("CIFAR-10", 8), ("CIFAR-100", 9), ("STL-10", 10))
    },
    "ivgan-samples": _show_samples(
        "MNIST, CIFAR-10, LSUN church and STL-10, real and generated (IVGAN, Fig. 4)",
        IV_GAN_TABLE_1,
        ("MNIST", "CIFAR-10", "LSUN church", "STL-10"),
        ("IVLSGAN",),
        _GREY,
    ),
    "ivgan-fid-cifar10": _show_fid(
        "FID over training on CIFAR-10 (IVGAN, Fig. 5, left)",
        IV_GAN_TABLE_1,
        "CIFAR-10",
        _IV_GAN_LABELS,
        "clothes",
        _SLOW_IV_GAN_ROWS,
    ),
    "ivgan-fid-church": _show_fid(
        "FID over training on LSUN church (IVGAN, Fig. 5, right)",
        IV_GAN_TABLE_1,
        "LSUN church",
        _IV_GAN_LABELS,
        "digits",
        _SLOW_IV_GAN_ROWS,
    ),
    "ivgan-ablation": _show_fid(
        "FID over training on CIFAR-10, with and without the intervention loss (IVGAN, Fig. 7)",
        IV_GAN_TABLE_3,
        "CIFAR-10",
        {"4 blocks, mu 0.5": "IVLSGAN", "4 blocks, mu 0": "IVLSGAN without the loss (mu 0)"},
        "clothes",
    ),
}
"""Figures by name. Those of conditional GANs (IJCAI, Fig. 7; arXiv, Fig. 7 and 12 to 17) are not
there: the tables `conditional` and `conditional-cifar10` have numbers in their place."""
