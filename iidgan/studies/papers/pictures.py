"""The figures of the papers, here those on synthetic data. `PICTURES` is the only list."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from iidgan.config.run import Run
from iidgan.figures.comparison import latents, quantiles, samples, squares, stages, training
from iidgan.nn import Shrunk
from iidgan.studies.figure_spec import Picture
from iidgan.studies.papers.common import LITERAL, M_D, ONE_D, OTHER_METHODS, OURS, QUICK, TABLE_1
from iidgan.studies.papers.digits import PICTURES_OF_DIGITS
from iidgan.studies.papers.normality import TESTED

_INVERTED = {"VAE": OTHER_METHODS["VAE"]} | {
    name: (TABLE_1 | OURS)[name]
    for name in (
        "BiGAN",
        "VEEGAN",
        "IID-GAN, no Gaussian loss",
        "IID-GAN (1-D)",
        "IID-GAN (M-D)",
    )
}
_LOSSES = {"p-norm": M_D, "W2, 1-D": ONE_D} | {
    name.removeprefix("IID-GAN ").strip("()"): run
    for name, run in OURS.items()
    if name.startswith("IID-GAN (")
}
_CURVES = {
    "modes_100": "modes with 100 samples",
    "quality": "good samples, %",
    "reverse_kl": "reverse KL",
}
_SUCCESSORS = {name: OURS[name] for name in ("InvertGAN", "IID-GAN+")}
_SHARES = (1 / 12, 1 / 4, 1 / 2, 1.0)


def _on(data: str, runs: dict[str, Run]) -> dict[str, Run]:
    return {label: replace(run, source=LITERAL[data]) for label, run in runs.items()}


def _badly_begun(run: Run) -> Run:
    return replace(run, arch=Shrunk(backbone=run.arch))


def _with_quick(picture: Picture) -> Picture:
    """Adds the quick profile of the synthetic tables: fewer steps, two trainings at most."""
    runs = {label: replace(run, steps=QUICK.steps) for label, run in picture.runs.items()}
    return replace(
        picture, quick=replace(picture, runs=runs, seeds=min(picture.seeds, QUICK.seeds))
    )


_PICTURES: dict[str, Picture] = {
    **{
        f"latents-{data.lower()}": Picture(
            title=f"Codes, prior and samples on 2D-{data} (IID-GAN, IJCAI 2023, Fig. 3; arXiv "
            "2021, Fig. 2 and 4: on Ring, and M-D by W2 rather than the p-norm)",
            runs=_on(data, _INVERTED),
            draw=latents,
            seeds=1,
        )
        for data in LITERAL
    },
    "qq": Picture(
        title="QQ-plots of the codes on 2D-Ring (IID-GAN, IJCAI 2023, Fig. 5)",
        runs=_on("Ring", {name: TABLE_1[name] for name in TESTED}),
        draw=quantiles,
        seeds=1,
    ),
    "poor-start": Picture(
        title="2D-Grid from a generator that starts in one place (IID-GAN, arXiv 2021, Fig. 5)",
        runs=_on("Grid", {"1-D": _badly_begun(ONE_D), "M-D": _badly_begun(M_D)}),
        draw=partial(stages, shares=_SHARES),
        seeds=1,
        keep=12,
    ),
    **{
        f"gaussian-losses-{data.lower()}": Picture(
            title=f"Quality and reverse KL over training on 2D-{data}, for each Gaussian loss "
            "(IID-GAN, IJCAI 2023, Fig. 9; arXiv 2021, Fig. 8: on Ring)",
            runs=_on(data, _LOSSES),
            draw=partial(training, metrics=tuple(_CURVES), names=_CURVES),
        )
        for data in LITERAL
    },
    **{
        f"samples-{data.lower()}": Picture(
            title=f"Samples of every method on 2D-{data} (IID-GAN, IJCAI 2023, Fig. 4; arXiv "
            "2021, Fig. 9)",
            runs=_on(data, TABLE_1 | _SUCCESSORS | OTHER_METHODS),
            draw=samples,
            seeds=1,
        )
        for data in LITERAL
    },
    "square": Picture(
        title="Fitting a square with interventions (IVGAN, Example 1)", draw=squares
    ),
}

PICTURES = {name: _with_quick(picture) for name, picture in _PICTURES.items()} | PICTURES_OF_DIGITS
