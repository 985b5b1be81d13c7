r"""InvertGAN, the predecessor of IID-GAN: L2 norms and weights of 1.

.. math:: E \|z - F(G(z))\|_2 + E \|x - G(F(x))\|_2 + \|\mu\|_p + \|\Sigma - I\|_p

with mean and covariance of the codes F(x) of a batch.

References:
    InvertGAN: Reducing Mode Collapse with Multi-dimensional Gaussian Inversion (anonymous
    manuscript); the paper that supersedes it is https://arxiv.org/abs/2106.00563
"""

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
    """Create InvertGAN (p-norm, as in its tables), or add its terms to another base method.

    The other distances of the manuscript are square roots: `GaussianTerm(distance="w2",
    root=True, weight=1.0)`.
    """
    return Regularised(
        method=base or GAN(),
        terms=(
            CycleTerm(norm="l2", weight=1.0),
            gaussian or GaussianTerm(weight=1.0),
        ),
    )
