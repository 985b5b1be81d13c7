"""IVGAN: interventions on codes of data, and instance noise before the discriminator."""

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
    """IVGAN: interventions on codes of data, and instance noise before D.

    With a base loss V(D, G) of samples with noise, E an encoder, O_i the intervention that
    replaces block i of a code, f a head on D's features that predicts which block was replaced,
    and x̃ = G(O_i(E(x))):

    * D and f minimise `V_D + μ CE(f(x̃), i)`;
    * G minimises `V_G - μ CE(f(x̃), i) + λ (|x - G(E(x))|₁ + |O_i(E(x)) - E(x̃)|₁)`.

    The authors divide 100 latent dimensions into 4 blocks; their noise decreases in steps over the
    first half of a run, and the learning rate of their E is 50 times that of the others,
    `lr_factors=(("E", 50.0),)`. Their scripts differ from their paper, and from this default, in
    more, as `iv_dcgan` and `iv_lsgan` do.

    Arguments:
        base: Method that the terms are added to, whose D has features; by default the
            least-squares GAN.
        intervention: Interventions on codes and their losses.
        noise: Noise on the inputs of D; by default of standard deviation 0.05, decreasing to 0 in
            the first half of the run.

    References:
        Intervention Generative Adversarial Networks (Liang et al., 2020),
        https://arxiv.org/abs/2008.03712

    Examples:
        >>> import iidgan
        >>> method = iidgan.iv_gan(intervention=iidgan.Intervention(blocks=4))
        >>> [type(term).__name__ for term in method.terms]
        ['Intervention', 'InstanceNoise']
        >>> method.method.loss
        'least-squares'
    """
    return Regularised(
        method=base or GAN(loss="least-squares"),
        terms=(intervention or Intervention(), noise or InstanceNoise(std=0.05, until=0.5)),
    )


def _as_in_scripts(base: Method) -> Regularised:
    return iv_gan(base, Intervention(blocks=None, e_reconstruct=False, clean=True))


@cites(PAPER)
def iv_dcgan() -> Regularised:
    """IVDCGAN: IVGAN with the non-saturating loss, as in its authors' scripts.

    As `iv_gan`, but E minimises the classifier's loss alone, which reads samples without noise,
    and codes have 4 blocks where their dimension allows.

    References:
        Intervention Generative Adversarial Networks (Liang et al., 2020),
        https://arxiv.org/abs/2008.03712, and https://github.com/zhangliangyu32/IVGAN

    Examples:
        >>> import iidgan
        >>> method = iidgan.iv_dcgan()
        >>> method.method.loss, method.terms[0].e_reconstruct
        ('non-saturating', False)
    """
    return _as_in_scripts(GAN())


@cites(PAPER)
def iv_lsgan() -> Regularised:
    """IVLSGAN: IVGAN with least squares, as in its authors' scripts.

    As `iv_dcgan`, with squared distances of D to 1, -1 and, for G, 0, which are not halved.

    References:
        Intervention Generative Adversarial Networks (Liang et al., 2020),
        https://arxiv.org/abs/2008.03712, and https://github.com/zhangliangyu32/IVGAN

    Examples:
        >>> import iidgan
        >>> iidgan.iv_lsgan().method.loss
        'pearson'
    """
    return _as_in_scripts(GAN(loss="pearson"))
