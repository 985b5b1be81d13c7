r"""IID-GAN: the inverses of real data should look like independent samples of the prior.

If \(G\) is complete, then \(F = G^{-1}\) maps independent real samples to independent samples of
\(N(0, I)\). So in addition to the adversarial loss, G and F minimise

.. math:: \lambda_{re} L_{re}(G, F) + \lambda_{Gau} L_{Gau}(F(x_1), \dots, F(x_n))

where \(L_{re}\) makes F the inverse of G and \(L_{Gau}\) is a distance of a batch of codes from
\(N(0, I)\).

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437
"""

from __future__ import annotations

from iidgan.core import Method, Regularised, cites
from iidgan.core.references import IID_GAN
from iidgan.methods.gan import GAN
from iidgan.terms import CycleTerm, GaussianTerm


@cites(IID_GAN)
def iid_gan(
    base: Method | None = None,
    cycle: CycleTerm | None = None,
    gaussian: GaussianTerm | None = None,
) -> Regularised:
    """Create IID-GAN (M-D, p-norm, weights 3 and 10), or add its terms to another base method.

    The papers give these weights for two-dimensional data and latents, with L1 norms. For images,
    whose norms are hundreds of times as large, use element-wise means, `norm="l1"`.
    """
    return Regularised(
        method=base or GAN(),
        terms=(cycle or CycleTerm(), gaussian or GaussianTerm()),
    )
