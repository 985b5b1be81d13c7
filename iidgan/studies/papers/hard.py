"""Mixtures on which methods differ: unequal weights and widths, many modes, ten dimensions."""

from __future__ import annotations

from iidgan.config.run import Run
from iidgan.core import Source
from iidgan.data import Mixture, Spiral
from iidgan.studies.columns import Column
from iidgan.studies.papers.common import BASE_RUN, IID_GAN_MD, OTHER_RUNS, VARIANT_RUNS
from iidgan.studies.table_spec import Delta, FreshRow, Profile, Row, RowGroup, TableSpec

_SOURCES: dict[str, tuple[str, Source]] = {
    "Zipf": (
        "2D-Grid with weights proportional to 1, 1/2, 1/3, ..., 1/25",
        Mixture(layout="grid", modes=25, weights="zipf:1"),
    ),
    "Widths": (
        "2D-Grid with standard deviations of 0.02, 0.05 and 0.15 in turn",
        Mixture(layout="grid", modes=25, std=(0.02, 0.05, 0.15)),
    ),
    "10-D": ("2D-Ring in a plane of ten dimensions", Mixture(dim=10)),
    "Hundred": ("Grid of a hundred modes", Mixture(layout="grid", modes=100)),
    "Rare": (
        "2D-Ring with one mode of 0.5 % of the samples, and seven equal ones",
        Mixture(weights="rare:0.005"),
    ),
    "Spiral": ("Two arms of a spiral, without modes", Spiral()),
}
"""Title and source of each data set."""

_OTHER_NAMES = ("WGAN-GP (weight 0.1)", "R3GAN", "PacGAN", "VAE", "IVGAN")
_RUNS: dict[str, Run] = {
    "GAN": BASE_RUN,
    **{name: OTHER_RUNS[name] for name in _OTHER_NAMES},
    "IID-GAN": IID_GAN_MD,
    "IID-GAN+": VARIANT_RUNS["IID-GAN+"],
}

_ROWS: dict[str, Row] = {
    "fresh data": FreshRow(),
    **_RUNS,
    "IID-GAN minus GAN": Delta(after="IID-GAN", before="GAN"),
}

_MODE_METRICS = {
    "modes (half)": ("modes_due_50", 1),
    "modes (fifth)": ("modes_due_20", 1),
    "quality %": ("quality", 1),
    "reverse KL": ("reverse_kl", 4),
    "forward KL": ("forward_kl", 4),
    "sliced W2": ("sliced_w2", 3),
}
_SET_METRICS = {
    "coverage": ("point_coverage", 3),
    "density": ("point_density", 3),
    "sliced W2": ("sliced_w2", 3),
}
"""Name of the metric and decimals, by the title of the column."""


def _make_columns(dataset_name: str) -> dict[str, Column]:
    metrics = _SET_METRICS if dataset_name == "Spiral" else _MODE_METRICS
    return {
        f"{dataset_name} {title}": Column(metric=metric, dataset=dataset_name, decimals=decimals)
        for title, (metric, decimals) in metrics.items()
    }


HARD = TableSpec(
    title="Mixtures of unequal weights and widths, of many modes and in ten dimensions, and a "
    "spiral",
    row_groups=tuple(
        RowGroup(title=f"{name}: {title}", datasets={name: source}, rows=_ROWS)
        for name, (title, source) in _SOURCES.items()
    ),
    columns={title: column for name in _SOURCES for title, column in _make_columns(name).items()},
    quick=Profile(steps=2_400, num_seeds=2),
    standard=Profile(steps=12_000, num_seeds=3),
    notes=(
        "50,000 samples per seed; standard deviation 0.05 unless it says otherwise. Fresh data: "
        "mean of three sets of 50,000 independent samples of the true distribution. Modes with at "
        "least half, or a fifth, of their weight among the good samples; reverse and forward KL "
        "to the weights. Sliced W2: to samples with exact shares. Coverage and density of the "
        "spiral: clipped, of 2,500 samples. IID-GAN minus GAN: mean and standard deviation over "
        "seeds, and in brackets Student's 95 % confidence interval of the mean.",
    ),
)
