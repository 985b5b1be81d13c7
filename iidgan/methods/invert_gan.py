r"""InvertGAN, the forerunner of IID-GAN: plain L2 norms, square-root distances, weights of 1.

.. math:: E \|z - F(G(z))\|_2 + E \|x - G(F(x))\|_2 + W_2(N(\mu, \Sigma), N(0, I))

with mean and covariance of the codes F(x) of a batch.

References:
    InvertGAN: Reducing Mode Collapse with Multi-dimensional Gaussian Inversion (anonymous
    manuscript); the paper that supersedes it is https://arxiv.org/abs/2106.00563
"""

from __future__ import annotations

from iidgan.core import Method, Reference, Regularised, cites
from iidgan.methods.gan import GAN
from iidgan.terms import CycleConsistency, GaussianConsistency

PAPER = Reference(
    title="InvertGAN: Reducing Mode Collapse with Multi-dimensional Gaussian Inversion",
    authors="anonymous manuscript, superseded by IID-GAN (Li, Shi and Yan)",
    year=2021,
    url="https://arxiv.org/abs/2106.00563",
)


@cites(PAPER)
def invert_gan(base: Method | None = None) -> Regularised:
    """Creates InvertGAN, or another base method with its terms."""
    return Regularised(
        method=base or GAN(),
        terms=(
            CycleConsistency(norm="l2", weight=1.0),
            GaussianConsistency(distance="w2", root=True, weight=1.0),
        ),
    )
