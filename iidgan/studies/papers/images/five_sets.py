"""What the IID terms bring on images: five data sets, methods of one setting each.

The standard profile is for two cores, the full one needs an accelerator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from iidgan.config.presets import PRESETS
from iidgan.config.run import Run
from iidgan.core import Method, Source
from iidgan.data import FashionMnist, Mnist, Mnist5k, Prepared, StackedFashion, StackedMnist
from iidgan.engine.optim import Adam
from iidgan.methods import GAN, PacGAN, iid_gan, r3gan
from iidgan.studies.columns import Column, score_columns
from iidgan.studies.papers.common import with_distance
from iidgan.studies.table_spec import Profile, RowGroup, TableSpec
from iidgan.terms import R1, R2, CycleTerm, GaussianTerm

_PRESET = PRESETS["images"]
_IID_GAN = _PRESET.create_method("iid-gan")

_CODES_ROW = "IID-GAN (M-D), G at codes"

IMAGE_METHODS: dict[str, Method] = {
    "DCGAN": GAN(),
    "IID-GAN (M-D)": _IID_GAN,
    _CODES_ROW: PRESETS["many-modes"].create_method("iid-gan"),
    "IID-GAN (M-D), d/M": iid_gan(
        cycle=CycleTerm(norm="l1", weight=3.0), gaussian=GaussianTerm(weight=3.0)
    ),
    "IID-GAN (1-D)": with_distance(_IID_GAN, "w2-1d"),
    "IID-GAN+": _PRESET.create_method("iid-gan+"),
    "PacGAN": PacGAN(),
    "R3GAN loss": r3gan(R1(weight=1.0), R2(weight=1.0)),
    "WGAN-GP": _PRESET.create_method("wgan-gp"),
}
"""Methods by row name, with the weights of the preset `images`; d/M is the ratio of the paper, and
G is at codes in the preset `many-modes`."""

RELATIVE_COSTS = {"IID-GAN (M-D)": 1.96, _CODES_ROW: 1.41}
"""CPU seconds of a step of a method, of those of a step of its GAN, in the standard profile."""

METRICS_NOTE = (
    "Stacked images: 26,000 samples per seed, assigned to 1,000 modes by a classifier of single "
    "channels; a mode counts with one sample; KL (nats) to the uniform distribution. Bad: samples "
    "of which the classifier is less than 75 % sure. Clipped coverage, of training images, and "
    "FD, the Frechet distance: on features of efficientnet-lite0."
)

_SMALL_DIGITS: dict[str, Source] = {
    "stacked digits": StackedMnist(base="mnist-5k"),
    "digits": Mnist5k(),
}
_DATASETS: dict[str, Source] = {
    "stacked digits": StackedMnist(),
    "stacked clothes": StackedFashion(),
    "clothes": FashionMnist(),
    "digits": Mnist(),
    "emoji": Prepared(name="emoji", expected_size=32),
}
_STACKED = ("stacked digits", "stacked clothes")
_LABELLED = ("clothes", "digits")


def standard_run(method: Method) -> Run:
    """Return a run for two cores: a quarter of DCGAN's width, small batches, a higher rate.

    Arguments:
        method: The method.

    Examples:
        >>> run = standard_run(GAN())
        >>> run.arch.width, run.batch, run.optimiser.lr
        (16, 32, 0.001)
    """
    run = _PRESET.create_run(StackedMnist(), method)
    narrow_arch = replace(run.arch, latent=32, width=16)  # type: ignore[type-var]
    # The half-life of the average of the weights stays 10,000 images.
    ema = round(0.5 ** (32 / 10_000), 5)
    return replace(run, arch=narrow_arch, batch=32, optimiser=Adam(lr=1e-3), ema=ema)


def _columns(dataset: str) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    if dataset in _STACKED:
        columns[f"{dataset} modes"] = Column(metric="stacked_modes", dataset=dataset, decimals=1)
        columns[f"{dataset} KL"] = Column(metric="stacked_kl", dataset=dataset, decimals=3)
    elif dataset in _LABELLED:
        columns[f"{dataset} bad, %"] = Column(metric="digits_bad", dataset=dataset, decimals=1)
    scores = score_columns(dataset, {"clipped coverage": 3, "FD": 1}, num_samples=5_000)
    return columns | scores


def _row_groups(rows: Mapping[str, Run], datasets: Mapping[str, Source]) -> tuple[RowGroup, ...]:
    gan = rows["DCGAN"]
    longer_trainings = (
        RowGroup(
            title=f"as much CPU time as {row_name}",
            datasets=datasets,
            rows={"DCGAN": replace(gan, steps=round(cost * gan.steps))},
            relative_steps=cost,
        )
        for row_name, cost in RELATIVE_COSTS.items()
    )
    equally_long = RowGroup(title="equally long trainings", datasets=datasets, rows=rows)
    return equally_long, *longer_trainings


_STANDARD_GROUPS = _row_groups(
    {name: standard_run(method) for name, method in IMAGE_METHODS.items()},
    _DATASETS | _SMALL_DIGITS,
)

IMAGES = TableSpec(
    title="Five sets of images, with and without the IID terms",
    row_groups=_row_groups(
        {
            name: _PRESET.create_run(StackedMnist(), method)
            for name, method in IMAGE_METHODS.items()
        },
        _DATASETS,
    ),
    columns={
        title: column for dataset in _DATASETS for title, column in _columns(dataset).items()
    },
    num_seeds=3,
    num_checkpoints=1,
    standard=Profile(steps=5_000, num_seeds=3, row_groups=_STANDARD_GROUPS, num_checkpoints=1),
    quick=Profile(
        steps=500, num_seeds=2, row_groups=_STANDARD_GROUPS, num_checkpoints=1, num_samples=1_000
    ),
    notes=(
        METRICS_NOTE,
        "In the quick and the standard profile, digits are those of mnist-5k, and networks have a "
        "width of 16.",
    ),
)
