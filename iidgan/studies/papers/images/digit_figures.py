"""Published figures of MNIST and Stacked MNIST.

The quick profiles have narrow networks and the 4,000 training digits of mnist-5k.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from iidgan.config.presets import PRESETS
from iidgan.config.run import Run
from iidgan.data import Mnist, Mnist5k
from iidgan.engine.optim import Adam
from iidgan.figures.comparison import plot_images, plot_latent_planes, plot_training
from iidgan.figures.run import DIGIT_METRICS
from iidgan.methods import GAN, VAE, VEEGAN
from iidgan.nn import MnistNet
from iidgan.studies.figure_spec import FigureSpec
from iidgan.studies.papers.common import with_distance
from iidgan.studies.papers.images.stacked import STACKED
from iidgan.studies.table_spec import TableSpec

_PRESET = PRESETS["ijcai-mnist"]
_IID_GAN = _PRESET.create_method("iid-gan")

_MNIST_METHODS = {
    "VAE": VAE(),
    "GAN": GAN(),
    "VEEGAN": VEEGAN(),
    "IID-GAN (1-D)": with_distance(_IID_GAN, "w2-1d"),
    "IID-GAN (M-D)": _IID_GAN,
}

MNIST_RUNS: dict[str, Run] = {
    label: _PRESET.create_run(Mnist(), method) for label, method in _MNIST_METHODS.items()
}
"""Runs by label, with two latent dimensions and 300 epochs."""

QUICK_MNIST_RUNS: dict[str, Run] = {
    label: replace(
        run,
        source=Mnist5k(),
        arch=MnistNet(width=16),
        optimiser=Adam(lr=1e-3),
        batch=32,
        steps=1_200,
    )
    for label, run in MNIST_RUNS.items()
    if label in ("VAE", "GAN", "IID-GAN (M-D)")
}

_KL_TITLE = "KL(codes | prior)"
_draw_training = partial(
    plot_training,
    metrics=DIGIT_METRICS,
    names=dict(
        zip(
            DIGIT_METRICS,
            ("digits covered", "bad samples, %", "KL(generated | real)", "KL(real | generated)"),
        )
    ),
)


_draw_codes = partial(
    plot_training, metrics=("gaussian_kl",), names={"gaussian_kl": _KL_TITLE}, log=(_KL_TITLE,)
)


def _select_encoder_runs(runs: dict[str, Run]) -> dict[str, Run]:
    return {label: run for label, run in runs.items() if label != "GAN"}


def _select_latent_runs(runs: dict[str, Run]) -> dict[str, Run]:
    return {label: runs[label] for label in ("IID-GAN (M-D)", "VAE")}


def _stacked_samples(table: TableSpec) -> FigureSpec:
    group = table.row_groups[0]
    return FigureSpec(
        title="Stacked MNIST and Stacked Fashion, real and generated (IID-GAN, arXiv 2021, "
        "Fig. 18; IVGAN, Fig. 6)",
        runs={
            f"{row_name}, {dataset_name}": group.get_run(row_name, dataset_name)
            for dataset_name in group.datasets
            for row_name in ("DCGAN", "IID-GAN (M-D)")
        },
        draw=plot_images,
        num_seeds=table.num_seeds,
        num_checkpoints=table.num_checkpoints,
    )


_TRAINING_FIGURE = FigureSpec(
    title="Classes, bad samples and divergences over training on MNIST, latent plane (IID-GAN, "
    "IJCAI 2023, Fig. 6)",
    runs=MNIST_RUNS,
    draw=_draw_training,
)
_CODES_FIGURE = FigureSpec(
    title="Divergence of the codes of MNIST from the prior over training (IID-GAN, arXiv 2021, "
    "Fig. 6b)",
    runs=_select_encoder_runs(MNIST_RUNS),
    draw=_draw_codes,
)
_LATENT_FIGURE = FigureSpec(
    title="The latent plane of MNIST, by coordinates and by radius and angle (IID-GAN, arXiv "
    "2021, Fig. 10, 11; IJCAI 2023, Fig. 8)",
    runs=_select_latent_runs(MNIST_RUNS),
    draw=plot_latent_planes,
)

DIGIT_FIGURES: dict[str, FigureSpec] = {
    "mnist-training": replace(
        _TRAINING_FIGURE, quick=replace(_TRAINING_FIGURE, runs=QUICK_MNIST_RUNS, num_seeds=2)
    ),
    "mnist-codes": replace(
        _CODES_FIGURE,
        quick=replace(_CODES_FIGURE, runs=_select_encoder_runs(QUICK_MNIST_RUNS), num_seeds=2),
    ),
    "mnist-latent": replace(
        _LATENT_FIGURE,
        quick=replace(_LATENT_FIGURE, runs=_select_latent_runs(QUICK_MNIST_RUNS), num_seeds=2),
    ),
    "stacked-samples": replace(
        _stacked_samples(STACKED), quick=_stacked_samples(STACKED.with_quick_profile())
    ),
}
