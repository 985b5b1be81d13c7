"""Data sets, runs, columns and variants of methods that several tables share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from iidgan.config.run import Run
from iidgan.core import Method, Regularised, Source
from iidgan.data import Grid, Ring
from iidgan.functional.gaussian import Distance
from iidgan.methods import AMAT, GAN, METHODS, VAE, iid_gan, iid_gan_plus, wgan_gp
from iidgan.studies.columns import Column
from iidgan.studies.table_spec import Profile
from iidgan.terms import (
    TERMS,
    CodeNoise,
    CycleTerm,
    GaussianTerm,
    GradientPenalty,
    ZDiscriminator,
)

BASE_RUN = Run(source=Ring(), method=GAN())
"""Setting shared by all methods: networks, Adam, batch size and number of steps."""

DATASETS_AS_PRINTED: dict[str, Source] = {"Ring": Ring(), "Grid": Grid()}
"""Standard deviations as printed in the papers, 0.001 and 0.0025."""

DATASETS_AS_VARIANCES: dict[str, Source] = {"Ring": Ring(std=0.0316), "Grid": Grid(std=0.05)}
"""The printed numbers interpreted as variances."""


def with_method(method: Method) -> Run:
    """Return the common setting with another method.

    Arguments:
        method: The method.

    Examples:
        >>> from iidgan.methods import PacGAN
        >>> run = with_method(PacGAN())
        >>> run.steps, run.batch
        (24000, 100)
    """
    return replace(BASE_RUN, method=method)


def with_distance(method: Method, distance: Distance) -> Method:
    """Return a method with another distance of its Gaussian term.

    Arguments:
        method: A method with terms.
        distance: The distance.

    Examples:
        >>> with_distance(iid_gan(), "w2-1d") == iid_gan(gaussian=GaussianTerm(distance="w2-1d"))
        True
    """
    base, terms = method.base_and_terms
    return Regularised(
        method=base,
        terms=tuple(
            replace(term, distance=distance) if isinstance(term, GaussianTerm) else term
            for term in terms
        ),
    )


QUICK_PROFILE = Profile(steps=2_400, num_seeds=2)
"""Quick profile of the synthetic tables; the steps divide by 12, for figures of earlier steps."""

CYCLE_TERM = CycleTerm()
IID_GAN_MD = with_method(iid_gan())
IID_GAN_1D = with_method(iid_gan(gaussian=GaussianTerm(distance="w2-1d")))


def coverage_columns(dataset_name: str) -> dict[str, Column]:
    """Return the columns of Table 1 for one data set.

    Arguments:
        dataset_name: Name of the data set, in front of the titles.

    Examples:
        >>> list(coverage_columns("Ring"))[2:]
        ['Ring modes (>= 100)', 'Ring quality %', 'Ring reverse KL']
    """
    return {
        f"{dataset_name} modes (>= 1)": Column(metric="modes_1", dataset=dataset_name, decimals=1),
        f"{dataset_name} modes (>= 20)": Column(
            metric="modes_20", dataset=dataset_name, decimals=1
        ),
        f"{dataset_name} modes (>= 100)": Column(
            metric="modes_100", dataset=dataset_name, decimals=1
        ),
        f"{dataset_name} quality %": Column(metric="quality", dataset=dataset_name, decimals=1),
        f"{dataset_name} reverse KL": Column(
            metric="reverse_kl", dataset=dataset_name, decimals=3
        ),
    }


TABLE_1_RUNS: dict[str, Run] = {
    "GAN": BASE_RUN,
    "BiGAN": with_method(METHODS["bigan"]()),
    "Unrolled GAN": with_method(METHODS["unrolled"]()),
    "VEEGAN": with_method(METHODS["veegan"]()),
    "IID-GAN (1-D)": IID_GAN_1D,
    "IID-GAN (M-D)": IID_GAN_MD,
}
"""Rows of Table 1."""

# Modes, quality in % and reverse KL with standard deviations (IID-GAN, arXiv 2021, Table 1;
# InvertGAN, Table 1, prints the same values for its own method).
_PRINTED_VALUES = {
    ("GAN", "Ring"): ((3.6, 0.5), (98.8, 0.6), (0.92, 0.11)),
    ("BiGAN", "Ring"): ((6.8, 1.0), (38.6, 9.5), (0.43, 0.18)),
    ("Unrolled GAN", "Ring"): ((6.4, 2.2), (98.6, 0.5), (0.42, 0.53)),
    ("VEEGAN", "Ring"): ((5.4, 1.2), (38.8, 16.7), (0.40, 0.10)),
    ("IID-GAN (1-D)", "Ring"): ((8.0, 0.0), (97.3, 0.6), (0.18, 0.06)),
    ("IID-GAN (M-D)", "Ring"): ((8.0, 0.0), (99.0, 0.2), (0.17, 0.06)),
    ("InvertGAN", "Ring"): ((8.0, 0.0), (99.0, 0.2), (0.17, 0.06)),
    ("InvertGAN", "Grid"): ((25.0, 0.0), (98.0, 0.4), (0.26, 0.12)),
    ("GAN", "Grid"): ((18.4, 1.6), (98.0, 0.4), (0.75, 0.25)),
    ("BiGAN", "Grid"): ((24.2, 1.2), (83.4, 2.9), (0.26, 0.20)),
    ("Unrolled GAN", "Grid"): ((8.2, 1.7), (98.7, 0.6), (1.27, 0.17)),
    ("VEEGAN", "Grid"): ((20.0, 2.6), (85.0, 5.9), (0.41, 0.10)),
    ("IID-GAN (1-D)", "Grid"): ((25.0, 0.0), (97.8, 0.49), (0.32, 0.09)),
    ("IID-GAN (M-D)", "Grid"): ((25.0, 0.0), (98.0, 0.4), (0.26, 0.12)),
}


def printed_coverage(dataset_name: str) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the printed values of Table 1 for one data set, by row name and column title.

    Arguments:
        dataset_name: `Ring` or `Grid`.

    Returns:
        Means and standard deviations.

    Examples:
        >>> printed_coverage("Ring")["IID-GAN (M-D)", "Ring reverse KL"]
        (0.17, 0.06)
    """
    column_titles = (
        f"{dataset_name} modes (>= 1)",
        f"{dataset_name} quality %",
        f"{dataset_name} reverse KL",
    )
    return {
        (row_name, column_title): value
        for (row_name, value_dataset), values in _PRINTED_VALUES.items()
        if value_dataset == dataset_name
        for column_title, value in zip(column_titles, values)
    }


# Without the Gaussian loss, with other Gaussian losses, and the predecessor.
VARIANT_RUNS: dict[str, Run] = {
    "IID-GAN+": with_method(METHODS["iid-gan+"]()),
    "IID-GAN+, Gaussian noise": with_method(iid_gan_plus(noise=CodeNoise(std=0.1, widening=1.0))),
    "IID-GAN, code noise": with_method(Regularised(method=iid_gan(), terms=(CodeNoise(),))),
    "IID-GAN, no Gaussian loss": with_method(Regularised(method=GAN(), terms=(CYCLE_TERM,))),
    "IID-GAN (W2)": with_method(iid_gan(gaussian=GaussianTerm(distance="w2"))),
    "IID-GAN (KL)": with_method(iid_gan(gaussian=GaussianTerm(distance="kl"))),
    "IID-GAN (Epps-Pulley)": with_method(iid_gan(gaussian=GaussianTerm(distance="epps-pulley"))),
    "IID-GAN (energy)": with_method(iid_gan(gaussian=GaussianTerm(distance="energy"))),
    "IID-GAN (discriminator of z)": with_method(
        Regularised(method=GAN(), terms=(CYCLE_TERM, ZDiscriminator()))
    ),
    "InvertGAN": with_method(METHODS["invert-gan"]()),
}
"""Variants of the IID terms."""


def full_length_runs(row_names: Sequence[str]) -> dict[str, Run]:
    """Return rows with the 300,000 steps (300 epochs) of the papers.

    Arguments:
        row_names: Names of rows of `TABLE_1_RUNS` or `VARIANT_RUNS`.
    """
    runs = TABLE_1_RUNS | VARIANT_RUNS
    return {name: replace(runs[name], steps=300_000) for name in row_names}


_METHOD_TITLES = {
    "lsgan": "LSGAN",
    "wgan": "WGAN",
    "wgan-gp": "WGAN-GP",
    "sngan": "SNGAN",
    "pacgan": "PacGAN",
    "mad-gan": "MAD-GAN",
    "d2gan": "D2GAN",
    "aae": "AAE",
    "mrgan": "MRGAN",
    "mdgan": "MDGAN",
    "dist-gan": "Dist-GAN",
    "mggan": "MGGAN",
    "amat": "AMAT",
    "adv-latent": "AdvLatGAN",
    "r3gan": "R3GAN",
    "ivgan": "IVGAN",
}
# The published rows of AMAT start with two discriminators; its authors' trainers with one.
_PUBLISHED_METHODS = {**METHODS, "amat": AMAT}
_TERM_TITLES = {"gdpp": "GDPP", "bures": "BuresGAN", "mode-seeking": "MSGAN"}

OTHER_RUNS: dict[str, Run] = {
    # Without warm-up the VAE suffers posterior collapse on Ring, whose covariance is isotropic.
    "VAE": with_method(VAE(warm_up=0.05)),
    **{title: with_method(_PUBLISHED_METHODS[name]()) for name, title in _METHOD_TITLES.items()},
    # The weight in its authors' script for two-dimensional data.
    "WGAN-GP (weight 0.1)": with_method(wgan_gp(penalty=GradientPenalty(weight=0.1))),
    **{
        title: with_method(Regularised(method=GAN(), terms=(TERMS[name](),)))
        for name, title in _TERM_TITLES.items()
    },
}
"""The other methods that the papers compare with, and R3GAN."""
