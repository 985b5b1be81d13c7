"""IID-GAN+: IID-GAN with noisy codes, and terms whose weights increase over the run."""

from __future__ import annotations

from dataclasses import replace

from iidgan.core import Method, Regularised, cites
from iidgan.core.references import IID_GAN
from iidgan.methods.iid_gan import iid_gan
from iidgan.terms import CodeNoise, CycleTerm, GaussianTerm

GROWTH = 30.0
"""Factor by which the weights grow over the run, relative to the paper's."""


@cites(replace(IID_GAN, note="Code noise and growing weights are additions of iidgan"))
def iid_gan_plus(base: Method | None = None, noise: CodeNoise | None = None) -> Regularised:
    """IID-GAN+: IID-GAN with noisy codes, and weights that grow over the run.

    With c(t) that grows from 1 to `GROWTH` = 30 over the run, and noisy codes F̃(x), G and F
    minimise in addition to the adversarial loss

        λ_re / c(t) E |z - F̃(G(z))|₁ + λ_re c(t) E |x - G(F̃(x))|₁
        + λ_Gau c(t) L_Gau(F̃(x_1), ..., F̃(x_n))

    These two additions to IID-GAN improve it on narrow modes:

    * Student's noise is added to the codes in all losses, with a larger scale where the density of
      the prior is low (`CodeNoise`). It constrains G on a cloud around the code of each mode and
      far away from all codes, rather than at the codes only; and modes whose clouds have equal
      shares of the prior get equal shares of the samples.
    * The weights of x - G(F(x)) and of the Gaussian loss grow over the run, from the paper's
      values to 30 times these, and that of z - F(G(z)) decreases by the same factor. At first the
      adversarial loss spreads G over the modes; in the end the reconstruction determines the
      positions of samples, which a D that is steep around narrow modes would scatter.

    Arguments:
        base: Method that the terms are added to; `GAN()` by default.
        noise: Noise on the codes; by default Student's noise with three degrees of freedom.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437; noise and growth are original to this
        library.

    Examples:
        >>> import iidgan
        >>> base, terms = iidgan.iid_gan_plus().base_and_terms
        >>> [type(term).__name__ for term in terms]
        ['CycleTerm', 'GaussianTerm', 'CodeNoise']
        >>> terms[0].weight, terms[0].growth
        (3.0, 30.0)
    """
    method = iid_gan(
        base,
        cycle=CycleTerm(growth=GROWTH),
        gaussian=GaussianTerm(growth=GROWTH),
    )
    return Regularised(method=method, terms=(noise or CodeNoise(std=0.1, widening=1.0, tails=3),))
