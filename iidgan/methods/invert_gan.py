r"""InvertGAN, the forerunner of IID-GAN: plain L2 norms, and weights of 1.

.. math:: E \|z - F(G(z))\|_2 + E \|x - G(F(x))\|_2 + \|\mu\|_p + \|\Sigma - I\|_p

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
    authors="Anonymous",
    year=2021,
    url="https://arxiv.org/abs/2106.00563",
    note="Anonymous manuscript; the URL is that of the paper that supersedes it",
)


@cites(PAPER)
def invert_gan(
    base: Method | None = None, gaussian: GaussianConsistency | None = None
) -> Regularised:
    """Creates InvertGAN (p-norm, as its tables), or another base method with its terms.

    The manuscript's other distances are square roots: `GaussianConsistency(distance="w2",
    root=True, weight=1.0)`.
    """
    return Regularised(
        method=base or GAN(),
        terms=(
            CycleConsistency(norm="l2", weight=1.0),
            gaussian or GaussianConsistency(weight=1.0),
        ),
    )
