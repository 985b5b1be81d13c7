r"""IVGAN: interventions on codes of data, and instance noise before the discriminator.

With a base loss \(V(D, G)\) of samples with noise, f a head on D's features that predicts which
block i of a code was replaced, and \(\tilde x = G(O_i(E(x)))\),

.. math:: \min_{D, f} V_D + \mu \, CE(f(\tilde x), i), \quad
    \min_G V_G - \mu \, CE(f(\tilde x), i)
    + \lambda (|x - G(E(x))|_1 + |O_i(E(x)) - E(\tilde x)|_1)

References:
    Intervention Generative Adversarial Networks (Liang et al., 2020),
    https://arxiv.org/abs/2008.03712
"""

from __future__ import annotations

from iidgan.core import Method, Regularised, cites
from iidgan.methods.gan import GAN
from iidgan.terms.instance_noise import InstanceNoise
from iidgan.terms.intervention import PAPER, Intervention


@cites(PAPER)
def iv_gan(
    base: Method | None = None,
    intervention: Intervention | None = None,
    noise: InstanceNoise | None = None,
) -> Regularised:
    """Create IVGAN with least squares, or with another method whose discriminator has features.

    The authors divide 100 latent dimensions into 4 blocks; their noise decreases in steps over the
    first half of a run, their least squares have targets 1, -1 and, for G, 0, and the learning
    rate of their E is 50 times that of the others.
    """
    return Regularised(
        method=base or GAN(loss="least-squares"),
        terms=(intervention or Intervention(), noise or InstanceNoise(std=0.05, until=0.5)),
    )
