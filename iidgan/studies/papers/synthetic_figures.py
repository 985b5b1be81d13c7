"""Published figures on synthetic data; `FIGURES` adds those on digits and on other images."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from iidgan.config.run import Run
from iidgan.figures.comparison import (
    plot_latents,
    plot_quantiles,
    plot_samples,
    plot_squares,
    plot_stages,
    plot_training,
)
from iidgan.functional.gaussian import Distance
from iidgan.methods import invert_gan
from iidgan.nn import CollapsedInit
from iidgan.studies.figure_spec import FigureSpec, ScoreFigureSpec
from iidgan.studies.papers.common import (
    DATASETS_AS_PRINTED,
    IID_GAN_1D,
    IID_GAN_MD,
    OTHER_RUNS,
    QUICK_PROFILE,
    TABLE_1_RUNS,
    VARIANT_RUNS,
    with_method,
)
from iidgan.studies.papers.images.conditional import CONDITIONAL_FIGURES
from iidgan.studies.papers.images.digit_figures import DIGIT_FIGURES
from iidgan.studies.papers.images.figures import IMAGE_FIGURES
from iidgan.studies.papers.normality import TESTED_ROWS
from iidgan.terms import GaussianTerm

_ENCODER_RUNS = {"VAE": OTHER_RUNS["VAE"]} | {
    name: (TABLE_1_RUNS | VARIANT_RUNS)[name]
    for name in (
        "BiGAN",
        "VEEGAN",
        "IID-GAN, no Gaussian loss",
        "IID-GAN (1-D)",
        "IID-GAN (M-D)",
    )
}
_GAUSSIAN_LOSS_RUNS = {"p-norm": IID_GAN_MD, "W2, 1-D": IID_GAN_1D} | {
    name.removeprefix("IID-GAN ").strip("()"): run
    for name, run in VARIANT_RUNS.items()
    if name.startswith("IID-GAN (")
}
_CURVE_TITLES = {
    "modes_100": "modes with 100 samples",
    "quality": "good samples, %",
    "reverse_kl": "reverse KL",
}
_INVERT_GAN_DISTANCES: dict[str, Distance] = {"W2, 1-D": "w2-1d", "W2, M-D": "w2"}
_INVERT_GAN_RUNS = {
    label: with_method(invert_gan(gaussian=GaussianTerm(distance=distance, root=True, weight=1.0)))
    for label, distance in _INVERT_GAN_DISTANCES.items()
}
_SUCCESSOR_RUNS = {name: VARIANT_RUNS[name] for name in ("InvertGAN", "IID-GAN+")}
_TRAINING_FRACTIONS = (1 / 12, 1 / 4, 1 / 2, 1.0)


def _on_dataset(dataset_name: str, runs: dict[str, Run]) -> dict[str, Run]:
    source = DATASETS_AS_PRINTED[dataset_name]
    return {label: replace(run, source=source) for label, run in runs.items()}


def _show_poor_start(title: str, runs: dict[str, Run]) -> FigureSpec:
    """Show stages of runs whose generator starts in one place."""
    return FigureSpec(
        title=title,
        runs={
            label: replace(run, arch=CollapsedInit(backbone=run.arch))
            for label, run in runs.items()
        },
        draw=partial(plot_stages, shares=_TRAINING_FRACTIONS),
        num_seeds=1,
        keep_checkpoints=12,
    )


def _add_quick_profile(figure: FigureSpec) -> FigureSpec:
    """Add the quick profile of the synthetic tables: fewer steps, and at most two seeds."""
    runs = {label: replace(run, steps=QUICK_PROFILE.steps) for label, run in figure.runs.items()}
    num_seeds = min(figure.num_seeds, QUICK_PROFILE.num_seeds)
    return replace(figure, quick=replace(figure, runs=runs, num_seeds=num_seeds))


_FULL_FIGURES: dict[str, FigureSpec] = {
    **{
        f"latents-{dataset_name.lower()}": FigureSpec(
            title=f"Codes, prior and samples on 2D-{dataset_name} (IID-GAN, IJCAI 2023, Fig. 3; "
            "arXiv 2021, Fig. 2 and 4: on Ring, and M-D by W2 rather than the p-norm)",
            runs=_on_dataset(dataset_name, _ENCODER_RUNS),
            draw=plot_latents,
            num_seeds=1,
        )
        for dataset_name in DATASETS_AS_PRINTED
    },
    "qq": FigureSpec(
        title="QQ-plots of the codes on 2D-Ring (IID-GAN, IJCAI 2023, Fig. 5)",
        runs=_on_dataset("Ring", {name: TABLE_1_RUNS[name] for name in TESTED_ROWS}),
        draw=plot_quantiles,
        num_seeds=1,
    ),
    "poor-start": _show_poor_start(
        "2D-Grid from a generator that starts in one place (IID-GAN, arXiv 2021, Fig. 5)",
        _on_dataset("Grid", {"1-D": IID_GAN_1D, "M-D": IID_GAN_MD}),
    ),
    "poor-start-ring": _show_poor_start(
        "2D-Ring from a generator that starts in one place (InvertGAN, comparison of Fig. 5 on "
        "Ring)",
        _on_dataset("Ring", _INVERT_GAN_RUNS),
    ),
    **{
        f"gaussian-losses-{dataset_name.lower()}": FigureSpec(
            title=f"Quality and reverse KL over training on 2D-{dataset_name}, for each Gaussian "
            "loss (IID-GAN, IJCAI 2023, Fig. 9; arXiv 2021, Fig. 8: on Ring)",
            runs=_on_dataset(dataset_name, _GAUSSIAN_LOSS_RUNS),
            draw=partial(plot_training, metrics=tuple(_CURVE_TITLES), names=_CURVE_TITLES),
        )
        for dataset_name in DATASETS_AS_PRINTED
    },
    **{
        f"samples-{dataset_name.lower()}": FigureSpec(
            title=f"Samples of every method on 2D-{dataset_name} (IID-GAN, IJCAI 2023, Fig. 4; "
            "arXiv 2021, Fig. 9)",
            runs=_on_dataset(dataset_name, TABLE_1_RUNS | _SUCCESSOR_RUNS | OTHER_RUNS),
            draw=plot_samples,
            num_seeds=1,
        )
        for dataset_name in DATASETS_AS_PRINTED
    },
    "square": FigureSpec(
        title="Fitting a square with interventions (IVGAN, Example 1)", draw=plot_squares
    ),
}

FIGURES: dict[str, FigureSpec | ScoreFigureSpec] = {
    **{name: _add_quick_profile(figure) for name, figure in _FULL_FIGURES.items()},
    **DIGIT_FIGURES,
    **CONDITIONAL_FIGURES,
    **IMAGE_FIGURES,
}
