"""The figures of the papers on MNIST and Stacked MNIST.

The quick profiles have narrow nets and the 4,000 training digits of mnist-5k.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from iidgan.config.run import Run
from iidgan.core import Method
from iidgan.data import Mnist, Mnist5k
from iidgan.engine.optim import Adam
from iidgan.figures.comparison import images, latent_planes, training
from iidgan.figures.run import DIGITS
from iidgan.functional.gaussian import Distance
from iidgan.methods import GAN, VAE, VEEGAN, iid_gan
from iidgan.nn import MnistNet
from iidgan.studies.figure_spec import Picture
from iidgan.studies.papers.stacked import STACKED
from iidgan.studies.table_spec import Study
from iidgan.terms import CycleConsistency, GaussianConsistency

_IMAGES, _EPOCHS, _BATCH = 60_000, 300, 256


def _weighted(distance: Distance = "p-norm") -> Method:
    """IID-GAN with the papers' weights for MNIST, (0.5, 0.1), on element-wise means."""
    return iid_gan(
        cycle=CycleConsistency(norm="l1", weight=0.5),
        gaussian=GaussianConsistency(weight=0.1, distance=distance),
    )


_METHODS = {
    "VAE": VAE(),
    "GAN": GAN(),
    "VEEGAN": VEEGAN(),
    "IID-GAN (1-D)": _weighted("w2-1d"),
    "IID-GAN (M-D)": _weighted(),
}

RUNS: dict[str, Run] = {
    label: Run(
        source=Mnist(),
        method=method,
        arch=MnistNet(),
        optimiser=Adam(lr=2e-4),
        batch=_BATCH,
        steps=_EPOCHS * _IMAGES // _BATCH,
    )
    for label, method in _METHODS.items()
}
"""Latent space of two dimensions, 300 epochs."""

QUICK_RUNS: dict[str, Run] = {
    label: replace(
        run,
        source=Mnist5k(),
        arch=MnistNet(width=16),
        optimiser=Adam(lr=1e-3),
        batch=32,
        steps=1_200,
    )
    for label, run in RUNS.items()
    if label in ("VAE", "GAN", "IID-GAN (M-D)")
}

_TRAINING = partial(
    training,
    metrics=DIGITS,
    names=dict(
        zip(
            DIGITS,
            ("digits covered", "bad samples, %", "KL(generated | real)", "KL(real | generated)"),
        )
    ),
)


def _two(runs: dict[str, Run]) -> dict[str, Run]:
    return {label: runs[label] for label in ("IID-GAN (M-D)", "VAE")}


def _samples(study: Study) -> Picture:
    block = study.blocks[0]
    return Picture(
        title="Stacked MNIST and Stacked Fashion, real and generated (IID-GAN, arXiv 2021, "
        "Fig. 18; IVGAN, Fig. 6)",
        runs={
            f"{row}, {data}": block.run(row, data)
            for data in block.data
            for row in ("DCGAN", "IID-GAN (M-D)")
        },
        draw=images,
        seeds=study.seeds,
        checkpoints=study.checkpoints,
    )


_TRAINED = Picture(
    title="Classes, bad samples and divergences over training on MNIST, latent plane (IID-GAN, "
    "IJCAI 2023, Fig. 6)",
    runs=RUNS,
    draw=_TRAINING,
)
_LATENT = Picture(
    title="The latent plane of MNIST, by coordinates and by radius and angle (IID-GAN, arXiv "
    "2021, Fig. 10, 11; IJCAI 2023, Fig. 8)",
    runs=_two(RUNS),
    draw=latent_planes,
)

PICTURES_OF_DIGITS: dict[str, Picture] = {
    "mnist-training": replace(_TRAINED, quick=replace(_TRAINED, runs=QUICK_RUNS, seeds=2)),
    "mnist-latent": replace(_LATENT, quick=replace(_LATENT, runs=_two(QUICK_RUNS), seeds=2)),
    "stacked-samples": replace(_samples(STACKED), quick=_samples(STACKED.shortened())),
}
