"""Stacked MNIST: a thousand modes (IID-GAN, IJCAI 2023, Table 3; IVGAN, Table 2).

The full profile needs an accelerator. The others have narrow networks and digits of mnist-5k; in
the standard one, methods have the weights of the preset `images`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from iidgan.config.presets import PRESETS
from iidgan.config.run import Run
from iidgan.core import Method, Source
from iidgan.data import StackedFashion, StackedMnist
from iidgan.engine.optim import Adam
from iidgan.functional import histogram
from iidgan.methods import GAN, MRGAN, VEEGAN, Unrolled, iv_gan, lsgan
from iidgan.studies.columns import Column
from iidgan.studies.papers.common import with_distance
from iidgan.studies.papers.images.five_sets import IMAGE_METHODS, standard_run
from iidgan.studies.table_spec import Profile, PublishedValues, RowGroup, TableSpec
from iidgan.terms import InstanceNoise, Intervention

FULL_DATASETS: dict[str, Source] = {"MNIST": StackedMnist(), "Fashion": StackedFashion()}
QUICK_DATASETS: dict[str, Source] = {
    "MNIST": StackedMnist(base="mnist-5k"),
    "Fashion": StackedFashion(),
}
"""The same with the 4,000 training digits of mnist-5k."""

_PRESET = PRESETS["ijcai-stacked"]
_IID_GAN = _PRESET.create_method("iid-gan")
QUICK_STEPS = 1_000
_NARROW_TITLE = "DCGAN of width 16, latent 32, batch 32, Adam 1e-3; digits of mnist-5k"
_UNROLLED = Unrolled(lr=2e-4, pace=1.0)


STACKED_METHODS: dict[str, Method] = {
    "GAN (minimax)": GAN(loss="saturating"),
    "DCGAN": GAN(),
    "LSGAN": lsgan(),
    "VEEGAN": VEEGAN(),
    "Unrolled GAN": _UNROLLED,
    "PacGAN": IMAGE_METHODS["PacGAN"],
    "MRGAN": MRGAN(),
    "IID-GAN (1-D)": with_distance(_IID_GAN, "w2-1d"),
    "IID-GAN (M-D)": _IID_GAN,
    "IVGAN": iv_gan(
        intervention=Intervention(blocks=4), noise=InstanceNoise(std=0.03, until=2 / 3)
    ),
    "R3GAN loss": IMAGE_METHODS["R3GAN loss"],
}
"""Methods by row name. They differ in the loss; D of the last one has no batch norm."""


_STANDARD_METHODS = {
    **IMAGE_METHODS,
    **{name: method for name, method in STACKED_METHODS.items() if name not in IMAGE_METHODS},
    "Unrolled GAN": replace(_UNROLLED, lr=1e-3, schedule="linear"),
}


def full_run(method: Method) -> Run:
    """Return a run with the preset of the paper, and networks in bfloat16.

    Arguments:
        method: The method.

    Examples:
        >>> run = full_run(GAN())
        >>> run.arch.width, run.batch, run.steps
        (64, 256, 25000)
    """
    return replace(_PRESET.create_run(StackedMnist(), method), precision="bfloat16")


def quick_run(method: Method) -> Run:
    """Return a run with a quarter of the width, an eighth of the batch, and a higher rate.

    Arguments:
        method: The method.
    """
    run = full_run(method)
    narrow_arch = replace(run.arch, latent=32, width=16)  # type: ignore[type-var]
    return replace(run, arch=narrow_arch, batch=32, optimiser=Adam(lr=1e-3), precision="float32")


def quick_group(
    methods: Mapping[str, Method],
    datasets: Mapping[str, Source],
    published: PublishedValues | None = None,
) -> RowGroup:
    """Return the rows of a quick profile.

    Arguments:
        methods: Methods by row name.
        datasets: Data sets by name.
        published: Printed values.
    """
    return RowGroup(
        title=_NARROW_TITLE,
        datasets=datasets,
        rows={name: quick_run(method) for name, method in methods.items()},
        published=published or {},
    )


# Modes and KL to the uniform distribution. IID-GAN, Table 3, which takes its first three rows from
# PresGAN; IVGAN, Table 2, which takes DCGAN, VEEGAN and Unrolled GAN from the VEEGAN paper.
_PRINTED_VALUES: dict[str, tuple[float, float | None]] = {
    "GAN (minimax)": (392.0, None),
    "DCGAN": (99.0, 3.40),
    "VEEGAN": (761.8, 2.173),
    "Unrolled GAN": (48.7, 4.32),
    "PacGAN": (992.0, 0.277),
    "IID-GAN (1-D)": (996.4, 0.152),
    "IID-GAN (M-D)": (999.7, 0.101),
    "IVGAN": (1000.0, None),
    "R3GAN loss": (1000.0, 0.0781),
}


_KL_FLOOR = histogram.kl_floor(1000, StackedMnist.num_evaluated)


def kl_column_title(dataset_name: str) -> str:
    """Return the title of the column of the KL to the uniform distribution, with its floor.

    The floor is the expected KL of as many samples of the uniform distribution itself.

    Arguments:
        dataset_name: Name of the data set, in front of the title.

    Examples:
        >>> kl_column_title("MNIST")
        'MNIST KL (floor 0.0193)'
    """
    return f"{dataset_name} KL (floor {_KL_FLOOR:.4f})"


def dataset_columns(dataset_name: str) -> dict[str, Column]:
    """Return the columns of the table for one data set.

    Arguments:
        dataset_name: Name of the data set, in front of the titles.

    Examples:
        >>> list(dataset_columns("MNIST"))[0]
        'MNIST modes'
    """
    return {
        f"{dataset_name} modes": Column(metric="stacked_modes", dataset=dataset_name, decimals=1),
        kl_column_title(dataset_name): Column(
            metric="stacked_kl", dataset=dataset_name, decimals=3
        ),
        f"{dataset_name} KL to training": Column(
            metric="stacked_kl_train", dataset=dataset_name, decimals=3
        ),
        f"{dataset_name} classifier FID": Column(
            metric="classifier_fid", dataset=dataset_name, decimals=1
        ),
    }


def _published_values() -> PublishedValues:
    published: dict[tuple[str, str], tuple[float, float | None]] = {}
    for row_name, (num_modes, kl) in _PRINTED_VALUES.items():
        published[row_name, "MNIST modes"] = (num_modes, None)
        if kl is not None:
            published[row_name, kl_column_title("MNIST")] = (kl, None)
    return published


STACKED = TableSpec(
    title="Stacked MNIST and Stacked Fashion (IID-GAN, IJCAI 2023, Table 3; IVGAN, Table 2)",
    row_groups=(
        RowGroup(
            datasets=FULL_DATASETS,
            rows={name: full_run(method) for name, method in STACKED_METHODS.items()},
            published=_published_values(),
        ),
    ),
    columns=dataset_columns("MNIST") | dataset_columns("Fashion"),
    quick=Profile(
        steps=QUICK_STEPS,
        num_seeds=3,
        row_groups=(
            quick_group(
                {name: STACKED_METHODS[name] for name in ("DCGAN", "IID-GAN (M-D)")},
                QUICK_DATASETS,
                published=_published_values(),
            ),
        ),
        num_checkpoints=1,
    ),
    standard=Profile(
        steps=5_000,
        num_seeds=3,
        row_groups=(
            RowGroup(
                title=_NARROW_TITLE,
                datasets=QUICK_DATASETS,
                rows={name: standard_run(method) for name, method in _STANDARD_METHODS.items()},
                published=_published_values(),
            ),
        ),
        num_checkpoints=1,
    ),
    notes=(
        "26,000 samples per seed, assigned to 1,000 modes by a classifier of single channels; a "
        "mode counts with one sample. KL (nats): from the histogram of the samples to the uniform "
        "distribution, or to that of the 128,000 training images. Floor: mean KL of as many "
        "samples of the uniform distribution itself. Classifier FID: on the features of that "
        "classifier; not comparable to other FIDs.",
    ),
)
