"""IID-GAN: the inverses of real data should look like independent samples of the prior."""

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
    """IID-GAN: F inverts G, and codes of real data look like samples of the prior.

    If G is complete, then F = G⁻¹ maps independent real samples to independent samples of the
    prior N(0, I). So in addition to the adversarial loss, G and F minimise

        λ_re L_re(G, F) + λ_Gau L_Gau(F(x_1), ..., F(x_n))

    where L_re, the cycle consistency, makes F the inverse of G, and L_Gau is a distance of a batch
    of codes from N(0, I), by default `|μ|₂ + |Σ - I|₂` of their mean and covariance. The papers
    give weights of 3 and 10 for two-dimensional data and latents, with L1 norms. For images, whose
    norms are hundreds of times as large, use element-wise means, `CycleTerm(norm="l1")`.

    Arguments:
        base: Method that the terms are added to; `GAN()` by default.
        cycle: The term L_re; by default with weight 3.
        gaussian: The term L_Gau; by default with weight 10.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437

    Examples:
        >>> import iidgan
        >>> method = iidgan.iid_gan(gaussian=iidgan.GaussianTerm(distance="w2"))
        >>> [(type(term).__name__, term.weight) for term in method.terms]
        [('CycleTerm', 3.0), ('GaussianTerm', 10.0)]
        >>> [player.trains for player in method.players]
        [('D',), ('G', 'F')]
    """
    return Regularised(
        method=base or GAN(),
        terms=(cycle or CycleTerm(), gaussian or GaussianTerm()),
    )
