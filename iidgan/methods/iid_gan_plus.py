r"""IID-GAN+: IID-GAN whose codes are clouds, and whose terms prevail in the end.

With \(c(t)\) that grows from 1 to c over the run, and clouds \(\tilde F(x)\) around the codes,
G and F minimise besides the adversarial loss

.. math:: \frac{\lambda_{re}}{c(t)} E |z - \tilde F(G(z))|_1
          + \lambda_{re} c(t) E |x - G(\tilde F(x))|_1
          + \lambda_{Gau} c(t) L_{Gau}(\tilde F(x_1), \dots, \tilde F(x_n))

These are two additions to IID-GAN, for what it leaves open on narrow modes:

* The losses see each code through noise with Student's tails that is wider where the prior is
  thinner (`CodeNoise`). G is tied to the data on a cloud around the code of each mode, and far
  from all codes, rather than at that code alone; and clouds with the same share of the prior are
  what makes modes of the same share of the samples.
* The weights of x - G(F(x)) and of the Gaussian loss grow over the run, from the paper's to
  `GROWTH` times these, and that of z - F(G(z)) falls as much. At first the adversarial loss
  spreads G over the modes; in the end the reconstruction places its samples, which a D that has
  become as steep as the modes are narrow would scatter around them.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437; noise and growth are additions of this library.
"""

from __future__ import annotations

from dataclasses import replace

from iidgan.core import Method, Regularised, cites
from iidgan.methods.iid_gan import iid_gan
from iidgan.terms import CodeNoise, CycleConsistency, GaussianConsistency
from iidgan.terms.references import IID_GAN

GROWTH = 30.0
"""To how many times the paper's the weights grow."""


@cites(replace(IID_GAN, note="Code noise and growing weights are additions of iidgan"))
def iid_gan_plus(base: Method | None = None, noise: CodeNoise | None = None) -> Regularised:
    """Creates IID-GAN+, or another base method with its terms."""
    grown = iid_gan(
        base,
        cycle=CycleConsistency(growth=GROWTH),
        gaussian=GaussianConsistency(growth=GROWTH),
    )
    return Regularised(method=grown, terms=(noise or CodeNoise(std=0.1, widening=1.0, tails=3),))
