"""InvertGAN, the predecessor of IID-GAN: L2 norms and weights of 1."""

from __future__ import annotations

from iidgan.core import Method, Reference, Regularised, cites
from iidgan.methods.gan import GAN
from iidgan.terms import CycleTerm, GaussianTerm

PAPER = Reference(
    title="InvertGAN: Reducing Mode Collapse with Multi-dimensional Gaussian Inversion",
    authors="Anonymous",
    year=2021,
    url="https://arxiv.org/abs/2106.00563",
    note="Anonymous manuscript; the URL is that of the paper that supersedes it",
)


@cites(PAPER)
def invert_gan(base: Method | None = None, gaussian: GaussianTerm | None = None) -> Regularised:
    """InvertGAN, the predecessor of IID-GAN, with L2 norms and weights of 1.

    In addition to the adversarial loss, G and F minimise

        E |z - F(G(z))|₂ + E |x - G(F(x))|₂ + |μ|_p + |Σ - I|_p

    with mean μ and covariance Σ of the codes F(x) of a batch, p = 2 and all weights 1. The other
    distances of the manuscript are square roots: `GaussianTerm(distance="w2", root=True,
    weight=1.0)`.

    Arguments:
        base: Method that the terms are added to; `GAN()` by default.
        gaussian: Distance of the codes from the prior; by default the p-norm, as in the tables of
            the manuscript.

    References:
        InvertGAN: Reducing Mode Collapse with Multi-dimensional Gaussian Inversion (anonymous
        manuscript, 2021); the paper that supersedes it is https://arxiv.org/abs/2106.00563

    Examples:
        >>> import iidgan
        >>> cycle, gaussian = iidgan.invert_gan().terms
        >>> cycle.norm, cycle.weight, gaussian.weight
        ('l2', 1.0, 1.0)
    """
    return Regularised(
        method=base or GAN(),
        terms=(
            CycleTerm(norm="l2", weight=1.0),
            gaussian or GaussianTerm(weight=1.0),
        ),
    )
