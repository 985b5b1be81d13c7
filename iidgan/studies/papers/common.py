"""What the synthetic tables share: data, settings, and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from iidgan.config.run import Run
from iidgan.core import Method, Regularised, Source
from iidgan.data import Grid, Ring
from iidgan.methods import GAN, METHODS, VAE, iid_gan, iid_gan_plus, wgan_gp
from iidgan.studies.table_spec import Column, Quick
from iidgan.terms import (
    TERMS,
    CodeNoise,
    CycleConsistency,
    GaussianConsistency,
    GradientPenalty,
    ZDiscriminator,
)

BASE = Run(source=Ring(), method=GAN())
"""The setting of every method: the same nets, the same Adam, the same steps."""

LITERAL: dict[str, Source] = {"Ring": Ring(), "Grid": Grid()}
"""Standard deviations as the papers print them, 0.001 and 0.0025."""

VARIANCE: dict[str, Source] = {"Ring": Ring(std=0.0316), "Grid": Grid(std=0.05)}
"""The same numbers read as variances."""


def of(method: Method) -> Run:
    """The common setting with another method."""
    return replace(BASE, method=method)


QUICK = Quick(steps=2_400, seeds=2)
"""The quick profile of all of it; its steps have twelfths, by which figures look back."""

CYCLE = CycleConsistency()
M_D = of(iid_gan())
ONE_D = of(iid_gan(gaussian=GaussianConsistency(distance="w2-1d")))


def coverage(data: str) -> dict[str, Column]:
    """The columns of Table 1 on one data set."""
    return {
        f"{data} modes (>= 1)": Column(metric="modes_1", data=data, decimals=1),
        f"{data} modes (>= 20)": Column(metric="modes_20", data=data, decimals=1),
        f"{data} modes (>= 100)": Column(metric="modes_100", data=data, decimals=1),
        f"{data} quality %": Column(metric="quality", data=data, decimals=1),
        f"{data} reverse KL": Column(metric="reverse_kl", data=data, decimals=3),
    }


TABLE_1: dict[str, Run] = {
    "GAN": BASE,
    "BiGAN": of(METHODS["bigan"]()),
    "Unrolled GAN": of(METHODS["unrolled"]()),
    "VEEGAN": of(METHODS["veegan"]()),
    "IID-GAN (1-D)": ONE_D,
    "IID-GAN (M-D)": M_D,
}
"""The rows of Table 1."""

# Modes, quality in % and reverse KL with their deviations (IID-GAN, arXiv 2021, Table 1;
# InvertGAN, Table 1, has the same of its own method).
_PRINTED = {
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


def published(data: str) -> dict[tuple[str, str], tuple[float, float]]:
    """The printed values of Table 1 on one data set, by row and column; blocks take their own."""
    headings = f"{data} modes (>= 1)", f"{data} quality %", f"{data} reverse KL"
    return {
        (row, heading): value
        for (row, there), values in _PRINTED.items()
        if there == data
        for heading, value in zip(headings, values)
    }


# Without the Gaussian loss, with other Gaussian losses, and what came before.
OURS: dict[str, Run] = {
    "IID-GAN+": of(METHODS["iid-gan+"]()),
    "IID-GAN+, Gaussian noise": of(iid_gan_plus(noise=CodeNoise(std=0.1, widening=1.0))),
    "IID-GAN, code noise": of(Regularised(method=iid_gan(), terms=(CodeNoise(),))),
    "IID-GAN, no Gaussian loss": of(Regularised(method=GAN(), terms=(CYCLE,))),
    "IID-GAN (W2)": of(iid_gan(gaussian=GaussianConsistency(distance="w2"))),
    "IID-GAN (KL)": of(iid_gan(gaussian=GaussianConsistency(distance="kl"))),
    "IID-GAN (Epps-Pulley)": of(iid_gan(gaussian=GaussianConsistency(distance="epps-pulley"))),
    "IID-GAN (energy)": of(iid_gan(gaussian=GaussianConsistency(distance="energy"))),
    "IID-GAN (discriminator of z)": of(Regularised(method=GAN(), terms=(CYCLE, ZDiscriminator()))),
    "InvertGAN": of(METHODS["invert-gan"]()),
}
"""The term, varied."""


def longest(names: Sequence[str]) -> dict[str, Run]:
    """Rows of the papers' 300 epochs."""
    return {name: replace((TABLE_1 | OURS)[name], steps=300_000) for name in names}


_NAMES = {
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
_ADDENDS = {"gdpp": "GDPP", "bures": "BuresGAN", "mode-seeking": "MSGAN"}

OTHER_METHODS: dict[str, Run] = {
    # Without it the codes of a VAE carry nothing on Ring, whose covariance is isotropic.
    "VAE": of(VAE(warm_up=0.05)),
    **{title: of(METHODS[name]()) for name, title in _NAMES.items()},
    # What its authors' script has for data in the plane.
    "WGAN-GP (weight 0.1)": of(wgan_gp(penalty=GradientPenalty(weight=0.1))),
    **{
        title: of(Regularised(method=GAN(), terms=(TERMS[name](),)))
        for name, title in _ADDENDS.items()
    },
}
"""What else the papers compare with, and R3GAN."""
