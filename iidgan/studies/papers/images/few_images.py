"""Training on few images: augmentations and the IID terms, on DCGAN and StyleGAN2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from iidgan.config.presets import PRESETS
from iidgan.config.run import Run
from iidgan.core import Method, Regularised, Source, Term
from iidgan.data import FashionMnist, Prepared, Subset
from iidgan.engine.optim import Adam
from iidgan.methods import GAN, stylegan2_ada_cifar
from iidgan.nn import StyleGAN2
from iidgan.studies.columns import Column, score_columns
from iidgan.studies.table_spec import Profile, RowGroup, TableSpec
from iidgan.terms import ADA, R1, DiffAugment

NUMBERS = (100, 500, 2_000)
"""Numbers of training images."""

_DATASETS: Mapping[str, Source] = {
    f"{num:,} {name}": Subset(source=source, num=num)
    for name, source in {
        "clothes": FashionMnist(),
        "emoji": Prepared(name="emoji", expected_size=32),
    }.items()
    for num in NUMBERS
}
_DCGAN, _STYLEGAN2 = PRESETS["images"], PRESETS["stylegan2"]


def _with_terms(name: str, run: Run, ada: ADA, iid_terms: tuple[Term, ...]) -> dict[str, Run]:
    """Return a run without and with each of the added terms, by the name of the row."""
    added_terms: Mapping[str, tuple[Term, ...]] = {
        "": (),
        ", DiffAugment": (DiffAugment(),),
        ", ADA": (ada,),
        ", IID terms": iid_terms,
    }
    return {
        f"{name}{suffix}": replace(run, method=_regularise(run.method, terms))
        for suffix, terms in added_terms.items()
    }


def _regularise(method: Method, terms: tuple[Term, ...]) -> Method:
    base, own_terms = method.base_and_terms
    return Regularised(method=base, terms=(*own_terms, *terms)) if terms else method


def _create_rows(dcgan: Run, stylegan2: Run, *, ada_kimg: tuple[float, float]) -> dict[str, Run]:
    dcgan_ada, stylegan2_ada = (ADA(kimg=kimg) for kimg in ada_kimg)
    return {
        **_with_terms("DCGAN", dcgan, dcgan_ada, _DCGAN.terms),
        **_with_terms("StyleGAN2", stylegan2, stylegan2_ada, _STYLEGAN2.terms),
    }


def _create_columns() -> dict[str, Column]:
    scores = {"clipped coverage": 3, "FD": 1, "near copies": 3}
    return {
        title: column
        for dataset in _DATASETS
        for title, column in score_columns(dataset, scores, num_samples=5_000).items()
    }


# The weight of R1 is that of StyleGAN2-ADA for CIFAR-10, whose images are as small.
_STYLEGAN2_RUN = _STYLEGAN2.create_run(Subset(), stylegan2_ada_cifar(r1=R1(weight=0.01, every=16)))
_SMALL_BATCH = 16
# The half-life of the average of the weights stays 10,000 images, as in the preset of images.
_SMALL_EMA = round(0.5 ** (_SMALL_BATCH / 10_000), 5)
_SMALL_GROUP = RowGroup(
    datasets=_DATASETS,
    rows=_create_rows(
        replace(
            _DCGAN.create_run(Subset(), GAN()),
            arch=replace(_DCGAN.arch, latent=32, width=16),  # type: ignore[type-var]
            batch=_SMALL_BATCH,
            optimiser=Adam(lr=1e-3),
            ema=_SMALL_EMA,
        ),
        replace(
            _STYLEGAN2_RUN,
            arch=StyleGAN2(latent=32, width=8, max_width=64, mapping_layers=2),
            batch=_SMALL_BATCH,
            ema=_SMALL_EMA,
        ),
        ada_kimg=(20.0, 20.0),
    ),
)

FEW_IMAGES = TableSpec(
    title="Training on few images",
    row_groups=(
        RowGroup(
            datasets=_DATASETS,
            rows=_create_rows(
                _DCGAN.create_run(Subset(), GAN()), _STYLEGAN2_RUN, ada_kimg=(100.0, 500.0)
            ),
        ),
    ),
    columns=_create_columns(),
    num_seeds=3,
    num_checkpoints=1,
    standard=Profile(steps=10_000, num_seeds=3, row_groups=(_SMALL_GROUP,), num_checkpoints=1),
    quick=Profile(
        steps=200, num_seeds=2, row_groups=(_SMALL_GROUP,), num_checkpoints=1, num_samples=1_000
    ),
    notes=(
        "Networks are trained on 100, 500 or 2,000 images, and compared with all images of the "
        "set, from which these were chosen at random. Near copies: the share of samples that are "
        "less than a third as far from the nearest training image as from the second nearest.",
        "DCGAN has the preset images, and StyleGAN2 the preset stylegan2 with the method "
        "stylegan2-ada-cifar. In the quick and the standard profile, DCGAN has a width of 16, "
        "StyleGAN2 one of 8 to 64, and batches have 16 images; p of ADA can rise from 0 to 1 in "
        "20,000 images, and in 100,000 or, of StyleGAN2, 500,000 otherwise.",
    ),
)
