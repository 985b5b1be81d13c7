"""Conditional GANs: G and D of a method get the class of each sample."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from torch import nn

from iidgan.core import (
    Batch,
    ClassSampling,
    Conditioning,
    Losses,
    LossFn,
    Method,
    Nets,
    NetworkFactory,
    Player,
    Reference,
    Regularised,
    cites,
)
from iidgan.core.references import IID_GAN
from iidgan.errors import InputError
from iidgan.methods.gan import GAN
from iidgan.methods.r3gan import RelativisticGAN
from iidgan.methods.sngan import SNGAN
from iidgan.methods.wgan import Wasserstein
from iidgan.nn.conditional import ConditionalFactory, DiscriminatorKind
from iidgan.terms import (
    AuxiliaryClassifier,
    CycleTerm,
    GaussianTerm,
    InverseClassifier,
    ModeSeeking,
)
from iidgan.terms.classification import AC_GAN
from iidgan.terms.mode_seeking import PAPER as MSGAN

CGAN_PAPER = Reference(
    title="Conditional Generative Adversarial Nets",
    authors="Mehdi Mirza and Simon Osindero",
    year=2014,
    url="https://arxiv.org/abs/1411.1784",
)
PROJECTION_PAPER = Reference(
    title="cGANs with Projection Discriminator",
    authors="Takeru Miyato and Masanori Koyama",
    year=2018,
    url="https://arxiv.org/abs/1802.05637",
)

CONDITIONAL_BASES = (GAN, SNGAN, Wasserstein, RelativisticGAN)
"""Methods that `Conditional` works with: their D judges single samples, and no network has
outputs for latents."""


@dataclass(frozen=True)
class _ConditionedLoss:
    """A loss whose D reads the classes of the batch."""

    loss: LossFn
    method: Conditional

    def __call__(self, nets: Nets, batch: Batch) -> Losses:
        return self.loss(self.method.wrap_networks(nets, batch), batch)


@cites(CGAN_PAPER)
@dataclass(frozen=True, kw_only=True)
class Conditional(Method):
    """A conditional GAN, in which G generates, and D judges, samples of a given class.

        min_G max_D E log D(x, c) + E log(1 - D(G(z, c), c))

    or any other losses of a method. Generated samples get the classes of the real ones in the
    batch, so that losses that compare the two, such as relativistic ones and gradient penalties
    between them, compare samples of one class. How networks read c is in
    `iidgan.nn.conditional.ConditionalFactory`.

    References:
        * Conditional Generative Adversarial Nets (Mirza and Osindero, 2014),
          https://arxiv.org/abs/1411.1784
        * cGANs with Projection Discriminator (Miyato and Koyama, 2018),
          https://arxiv.org/abs/1802.05637
        * Collapse by Conditioning: Training Class-conditional GANs with Limited Data (Shahbazi,
          Danelljan, Paudel and Van Gool, 2022), https://arxiv.org/abs/2201.06578, for the
          transition

    Examples:
        >>> import iidgan
        >>> method = iidgan.Conditional(method=iidgan.r3gan().method, discriminator="projection")
        >>> [player.name for player in method.players]
        ['D', 'G']
    """

    method: Method = field(default_factory=GAN)
    """Method without classes, whose losses are taken."""
    discriminator: DiscriminatorKind = "concat"
    """How D reads the class: concatenated to the sample, as an inner product with the features, or
    not at all."""
    classes: ClassSampling = "uniform"
    """Whether batches have all classes equally often, or as often as the data have them."""
    transition: tuple[float, float] | None = None
    """Shares of the run at which the transition from an unconditional method to a conditional one
    begins and ends, against collapse on few data; by default there is none."""

    def __post_init__(self) -> None:
        if not isinstance(self.method, CONDITIONAL_BASES):
            raise InputError(
                f"method: {type(self.method).__name__} has no conditional form here; use one of "
                + ", ".join(base.__name__ for base in CONDITIONAL_BASES)
            )
        self.conditioning  # noqa: B018 - checks the transition

    @property
    def conditioning(self) -> Conditioning:
        return Conditioning(self.classes, self.transition)

    @property
    def players(self) -> tuple[Player, ...]:
        return tuple(
            replace(player, loss=_ConditionedLoss(player.loss, self))
            for player in self.method.players
        )

    def adapt_factory(self, factory: NetworkFactory) -> NetworkFactory:
        return ConditionalFactory(
            factory.backbone, factory.shape, factory.num_classes, self.discriminator
        )

    def wrap_networks(self, nets: Nets, batch: Batch) -> Nets:
        if batch.c is None:
            raise InputError("batch: a conditional method needs the classes `c`, got None")
        if self.discriminator == "unconditional":
            return nets
        return nets.with_condition("D", batch.c)

    @property
    def has_centred_logits(self) -> bool:
        return self.method.has_centred_logits

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        if factory.num_classes < 1:
            raise InputError(
                f"networks: a conditional method needs classes, got {factory.num_classes}"
            )
        return self.method.networks(self.adapt_factory(factory))


@cites(CGAN_PAPER)
def cgan(
    classes: ClassSampling = "uniform", transition: tuple[float, float] | None = None
) -> Conditional:
    """CGAN: the conditional GAN, whose G and D get the class beside latent and sample.

    Arguments:
        classes: `uniform` or `data`, the frequencies of the classes.
        transition: As for `Conditional`.

    References:
        Conditional Generative Adversarial Nets (Mirza and Osindero, 2014),
        https://arxiv.org/abs/1411.1784

    Examples:
        >>> import iidgan
        >>> iidgan.cgan().discriminator
        'concat'
    """
    return Conditional(classes=classes, transition=transition)


@cites(MSGAN)
def msgan(
    classes: ClassSampling = "uniform",
    transition: tuple[float, float] | None = None,
    mode_seeking: ModeSeeking | None = None,
) -> Regularised:
    """MSGAN: the conditional GAN, with mode seeking between samples of one class.

    Arguments:
        classes: `uniform` or `data`, the frequencies of the classes.
        transition: As for `Conditional`.
        mode_seeking: The term; by default with weight 1.

    References:
        Mode Seeking Generative Adversarial Networks for Diverse Image Synthesis (Mao, Lee, Tseng,
        Ma and Yang, 2019), https://arxiv.org/abs/1903.05628

    Examples:
        >>> import iidgan
        >>> iidgan.msgan().terms
        (ModeSeeking(every=1, weight=1.0),)
    """
    return Regularised(method=cgan(classes, transition), terms=(mode_seeking or ModeSeeking(),))


@cites(PROJECTION_PAPER)
def pd_gan(
    classes: ClassSampling = "uniform", transition: tuple[float, float] | None = None
) -> Conditional:
    """PD-GAN: D's logit has an inner product of class and features; hinge loss, spectral norm.

    Arguments:
        classes: `uniform` or `data`, the frequencies of the classes.
        transition: As for `Conditional`.

    References:
        cGANs with Projection Discriminator (Miyato and Koyama, 2018),
        https://arxiv.org/abs/1802.05637

    Examples:
        >>> import iidgan
        >>> iidgan.pd_gan().method
        SNGAN(critic_steps=1, discriminator='spectral')
    """
    return Conditional(
        method=SNGAN(), discriminator="projection", classes=classes, transition=transition
    )


@cites(AC_GAN)
def ac_gan(
    classes: ClassSampling = "uniform",
    transition: tuple[float, float] | None = None,
    classifier: AuxiliaryClassifier | None = None,
) -> Regularised:
    """AC-GAN: D also classifies samples, and G is trained so that D recognises their class.

    Arguments:
        classes: `uniform` or `data`, the frequencies of the classes.
        transition: As for `Conditional`.
        classifier: The term; by default with weight 1.

    References:
        Conditional Image Synthesis With Auxiliary Classifier GANs (Odena, Olah and Shlens, 2016),
        https://arxiv.org/abs/1610.09585

    Examples:
        >>> import iidgan
        >>> [player.trains for player in iidgan.ac_gan().players]
        [('D', 'C'), ('G',)]
    """
    base = Conditional(discriminator="unconditional", classes=classes, transition=transition)
    return Regularised(method=base, terms=(classifier or AuxiliaryClassifier(),))


@cites(IID_GAN)
def conditional_iid_gan(
    classes: ClassSampling = "uniform",
    transition: tuple[float, float] | None = None,
    cycle: CycleTerm | None = None,
    gaussian: GaussianTerm | None = None,
    classifier: InverseClassifier | None = None,
    discriminator: DiscriminatorKind = "projection",
) -> Regularised:
    """Conditional IID-GAN: F maps samples to latents, which are Gaussian, and to classes.

    The cycle is over codes [z; c], and F classifies real and generated samples. The papers do not
    say how G and D read the class, nor what trains F to classify.

    Arguments:
        classes: `uniform` or `data`, the frequencies of the classes.
        transition: As for `Conditional`.
        cycle: The cycle consistency; by default with weight 3.
        gaussian: The Gaussian consistency of latents; by default with weight 10.
        classifier: The classification by F; by default of real and generated samples, with
            weight 1.
        discriminator: As for `Conditional`.

    References:
        * IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
          2023), https://www.ijcai.org/proceedings/2023/437, section 4.4
        * IID-GAN (Li, Shi, Chen and Yan, 2021), https://arxiv.org/abs/2106.00563v1, appendix C

    Examples:
        >>> import iidgan
        >>> [type(term).__name__ for term in iidgan.conditional_iid_gan().terms]
        ['CycleTerm', 'GaussianTerm', 'InverseClassifier']
    """
    base = Conditional(discriminator=discriminator, classes=classes, transition=transition)
    terms = (
        cycle or CycleTerm(),
        gaussian or GaussianTerm(),
        classifier or InverseClassifier(samples="both"),
    )
    return Regularised(method=base, terms=terms)
