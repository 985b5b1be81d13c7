r"""IID-GAN+: IID-GAN whose inverse is a cloud around each code.

IID-GAN with the noise of `CodeNoise` on all that its losses see of F: G is tied to the data on a
cloud around the code of each mode rather than at that code alone, so that its samples lie closer
to the modes and less of the prior is spent between them.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437; the noise is an addition of this library.
"""

from __future__ import annotations

from iidgan.core import Method, Regularised, cites
from iidgan.methods.iid_gan import iid_gan
from iidgan.terms import CodeNoise
from iidgan.terms.papers import IID_GAN


@cites(IID_GAN)
def iid_gan_plus(base: Method | None = None, noise: CodeNoise | None = None) -> Regularised:
    """Creates IID-GAN with noise on the codes, or another base method with its terms."""
    return Regularised(method=iid_gan(base), terms=(noise or CodeNoise(),))
