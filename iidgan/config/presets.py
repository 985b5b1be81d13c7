"""Presets: named settings, of one table of a paper or of the library, for a kind of data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from iidgan.config.registry import resolve_component
from iidgan.config.run import Run
from iidgan.core import Backbone, Method, Reference, Regularised, Source, Term
from iidgan.core.references import IID_GAN
from iidgan.engine.optim import Adam, Optimiser
from iidgan.errors import InputError
from iidgan.methods.invert_gan import PAPER as INVERT_GAN
from iidgan.nn import DCGAN, DCGANSN, MLP, SNGANCNN, ArxivCIFAR, ArxivSTL, MnistNet
from iidgan.nn.references import IID_GAN_2021
from iidgan.terms import (
    R1,
    R2,
    TERMS,
    CycleTerm,
    GaussianTerm,
    GradientPenalty,
    InstanceNoise,
    Intervention,
)
from iidgan.terms.intervention import PAPER as IVGAN

ADAPTED_METHODS = ("iid-gan", "iid-gan+", "ivgan")
"""Registered methods whose terms take the values of a preset. The weights of the others, such as
InvertGAN, are part of their definition."""

SLOPE_PENALTIES = (GradientPenalty, R1, R2)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named setting of terms, networks, optimiser and length, for any method.

    A method or term that is given by name gets the values of the preset, one that is given as an
    object keeps its own, and a method without terms gets the networks and the optimiser only.

    Arguments:
        name: Name of the preset.
        title: What it is a setting of.
        origins: Where the values come from, by field: a section or table of the publication, or
            `ours` and a reason where that is silent.
        terms: Terms with the values of this setting; terms of other kinds have their defaults.
        arch: Backbone.
        optimiser: Optimiser of every player.
        batch: Samples per batch and seed.
        steps: Number of steps.
        ema: Decay per step of the average of the weights that samples are drawn with; 0: none.
        ema_rampup: Half-life of that average, at most, as a share of the steps so far; 0: no
            limit.
        method: Name of the method that it was published for, the default with this preset.
        data: Names of the data sets that it was published for; empty: any.
        has_images: Whether it is for images, rather than points.
        side: Side of the images in pixels; None: any.
        reference: The publication; None if the setting is of this library.

    Examples:
        >>> from iidgan import Mnist
        >>> run = PRESETS["ijcai-mnist"].create_run(Mnist(), "gan", ["gaussian"])
        >>> run.arch.latent, run.method.terms[0].weight
        (2, 0.1)
    """

    name: str
    title: str
    origins: Mapping[str, str]
    terms: tuple[Term, ...] = ()
    arch: Backbone
    optimiser: Optimiser
    batch: int
    steps: int
    ema: float = 0.0
    ema_rampup: float = 0.0
    method: str = "iid-gan"
    data: tuple[str, ...] = ()
    has_images: bool = True
    side: int | None = None
    reference: Reference | None = None

    def create_run(
        self, source: Source, method: Method | str | None = None, terms: Sequence[Term | str] = ()
    ) -> Run:
        """Create a run; whether the source fits is not checked, and it need not be there yet.

        D has no batch norm if a term penalises its slope at single samples: with batch norm, each
        logit depends on all samples.

        Arguments:
            source: The source.
            method: Method object, registered name or `module:Name`; by default the method that
                the preset was published for.
            terms: Objects or names of terms to add to the method.

        Raises:
            InputError: A name cannot be resolved, or an object is of another type.
        """
        built_method = self.create_method(self.method if method is None else method)
        if terms:
            base, own_terms = built_method.base_and_terms
            added_terms = [self.create_term(term) for term in terms]
            built_method = Regularised(method=base, terms=(*own_terms, *added_terms))
        return Run(
            source=source,
            method=built_method,
            arch=fit_norm(self.arch, built_method),
            optimiser=self.optimiser,
            batch=self.batch,
            steps=self.steps,
            ema=self.ema,
            ema_rampup=self.ema_rampup,
        )

    def create_method(self, method: Method | str) -> Method:
        """Create a method with the preset's values of its terms; an object is left as it is.

        Arguments:
            method: Method object, registered name or `module:Name`.

        Raises:
            InputError: The name cannot be resolved, or it is neither a name nor a method.
        """
        built_method = resolve_component("methods", method, Method)  # type: ignore[type-abstract]
        if not isinstance(method, str) or method not in ADAPTED_METHODS or not self.terms:
            return built_method
        base, terms = built_method.base_and_terms
        return Regularised(method=base, terms=tuple(map(self._adapt, terms)))

    def create_term(self, term: Term | str) -> Term:
        """Create a term with the preset's values; an object is left as it is.

        Arguments:
            term: Term object, registered name or `module:Name`.

        Raises:
            InputError: The name cannot be resolved, or it is neither a name nor a term.
        """
        built_term = resolve_component("terms", term, Term, field="terms")  # type: ignore[type-abstract]
        return self._adapt(built_term) if isinstance(term, str) and term in TERMS else built_term

    def _adapt(self, term: Term) -> Term:
        """Return the preset's term of the same kind, if it has one."""
        return next((own for own in self.terms if type(own) is type(term)), term)

    def check_source(self, source: Source) -> None:
        """Check that a source has the kind and size of data that the preset is for.

        Arguments:
            source: The source, which is loaded if the preset is for images of one size.

        Raises:
            InputError: It has another kind or size, or cannot be loaded.
        """
        if source.has_images != self.has_images:
            kind, other_kind = ("points", "images") if source.has_images else ("images", "points")
            raise InputError(
                f"preset: {self.name!r} is for {kind}, and the source has {other_kind}; "
                "iidgan list presets shows the others"
            )
        if self.side is None:
            return
        height, width = source.load().shape[-2:]
        if (height, width) != (self.side, self.side):
            raise InputError(
                f"preset: {self.name!r} is for images of {self.side} x {self.side} pixels, got "
                f"{height} x {width}; iidgan prepare NAME --size {self.side} resizes them, and "
                "iidgan list presets shows the others"
            )


def fit_norm(arch: Backbone, method: Method) -> Backbone:
    """Return a backbone without batch norm in D if a term penalises D's slope at single samples.

    Arguments:
        arch: The backbone; one without an option `norm` is left as it is.
        method: The method.

    Examples:
        >>> from iidgan import GAN, r3gan
        >>> fit_norm(DCGAN(), GAN()).norm, fit_norm(DCGAN(), r3gan()).norm
        ('batch', 'none')
    """
    has_penalty = any(isinstance(term, SLOPE_PENALTIES) for term in method.base_and_terms[1])
    has_option = any(field.name == "norm" for field in fields(arch))  # type: ignore[arg-type]
    return replace(arch, norm="none") if has_penalty and has_option else arch  # type: ignore[type-var]


def iid_terms(cycle: float, gaussian: float) -> tuple[Term, ...]:
    """Return IID-GAN's terms for images: element means, and d / M as the weight of x.

    Arguments:
        cycle: Weight of the cycle term, lambda_re.
        gaussian: Weight of the Gaussian term, lambda_Gau.
    """
    return CycleTerm(norm="l1", weight=cycle), GaussianTerm(weight=gaussian)


IMAGE_TERMS: tuple[Term, ...] = (
    # Weights of the means of |z - F(G(z))|, |x - G(F(x))| (3 x 10) and of the Gaussian loss. With
    # a DCGAN of width 16 and 1,500 steps, two seeds cover 968 and 972 of the 1,000 modes of
    # stacked digits, against 342 and 349 with d / M = 96 as the ratio, and 677 and 830 without
    # the terms; of stacked clothes 785 and 749, against 847 and 825, and 580 and 630. So d / M is
    # too much for digits, where it halves what a plain GAN covers, and 10 helps on both.
    CycleTerm(norm="l1", weight=3.0, ratio=10.0),
    GaussianTerm(weight=3.0),
)

_NO_EMA = "ours: none, as no average is mentioned"
_IJCAI_TERMS = "appendix B.3; p-norm: section 5.2; d / M: equation 7; ours: element means"
_IJCAI_RATE = "ours: as in the code of the authors' next paper, AdvLatGAN"
_ARXIV_RATE = "ours: rate as in arXiv 2021, section 5.2; betas, linear decay"
_ARXIV_BATCH = "ours: as in arXiv 2021, section 5.2"
_IJCAI_LARGE = {
    "terms": _IJCAI_TERMS,
    "latent": "appendix B.3",
    "optimiser": _IJCAI_RATE,
    "batch": "appendix B.3",
    "steps": "section 5.2, appendix B.3",
    "ema": _NO_EMA,
}
_ARXIV = {
    "optimiser": "rate: section 5.2 (page 8); ours: betas, linear decay",
    "batch": "section 5.2 (page 8)",
    "steps": "section 5.2 (page 8), appendix E (page 13); section 5.2 also says 300 epochs",
    "ema": _NO_EMA,
}

_IJCAI_CELEBA = Preset(
    name="ijcai-celeba",
    title="CelebA, Table 5",
    origins=_IJCAI_LARGE | {"arch": "appendix B.2, Tables 9 and 10"},
    terms=iid_terms(0.01, 0.1),
    arch=SNGANCNN(latent=128),
    optimiser=Adam(lr=2e-4, betas=(0.0, 0.9)),
    batch=128,
    steps=100_000,
    data=("celeba",),
    side=64,
    reference=IID_GAN,
)

_ALL = (
    Preset(
        name="points",
        title="2D-Ring and 2D-Grid, Table 1",
        origins={
            "terms": "appendix B.1",
            "arch": "section 5.1",
            "latent": "section 5.1",
            "optimiser": "ours: the paper gives none",
            "batch": "appendix B.1",
            "steps": "the batches of Figure 3; Table 1 has 300 epochs, 300,000 steps",
            "ema": _NO_EMA,
        },
        arch=MLP(),
        optimiser=Adam(),
        batch=100,
        steps=24_000,
        data=("ring", "grid"),
        has_images=False,
        reference=IID_GAN,
    ),
    Preset(
        name="images",
        title="Default for images",
        origins={
            "terms": "ours: trials on stacked digits and stacked clothes",
            "arch": "ours: Radford et al., 2015, at half the width",
            "latent": "ours",
            "optimiser": "Radford et al., 2015: rate and beta1; ours: linear decay",
            "batch": "ours",
            "steps": "ours",
            "ema": "ours: half-life of 10,000 images as in StyleGAN2, ramp as in StyleGAN2-ADA",
        },
        terms=IMAGE_TERMS,
        arch=DCGAN(width=32),
        optimiser=Adam(lr=2e-4),
        batch=64,
        steps=20_000,
        ema=0.9956,
        ema_rampup=0.05,
    ),
    Preset(
        name="ijcai-mnist",
        title="MNIST, Figures 6 and 8",
        origins={
            "terms": _IJCAI_TERMS,
            "arch": "ours: InfoGAN's for MNIST, as the paper has none",
            "latent": "appendix B.3",
            "optimiser": _ARXIV_RATE,
            "batch": _ARXIV_BATCH,
            "steps": "appendix B.3: 300 epochs of 60,000 images",
            "ema": _NO_EMA,
        },
        terms=iid_terms(0.5, 0.1),
        arch=MnistNet(latent=2),
        optimiser=Adam(lr=2e-4),
        batch=256,
        steps=300 * 60_000 // 256,
        data=("mnist",),
        side=28,
        reference=IID_GAN,
    ),
    Preset(
        name="ijcai-stacked",
        title="Stacked MNIST, Table 3",
        origins={
            "terms": _IJCAI_TERMS,
            "arch": "section 5.2: as in Radford et al., 2015; ours: 32 pixels",
            "latent": "appendix B.3",
            "optimiser": _ARXIV_RATE,
            "batch": _ARXIV_BATCH,
            "steps": "appendix B.3: 50 epochs; ours: of 128,000 images, as in PacGAN",
            "ema": _NO_EMA,
        },
        terms=iid_terms(3.0, 3.0),
        arch=DCGAN(latent=100, width=64),
        optimiser=Adam(lr=2e-4),
        batch=256,
        steps=50 * 128_000 // 256,
        data=("stacked-mnist",),
        side=32,
        reference=IID_GAN,
    ),
    Preset(
        name="ijcai-cifar10",
        title="CIFAR-10, Table 4",
        origins=_IJCAI_LARGE
        | {"arch": "appendix B.2, Tables 7 and 8; section 5.2 says that the backbone is SNGAN"},
        terms=iid_terms(0.01, 0.1),
        arch=DCGANSN(latent=128),
        optimiser=Adam(lr=2e-4, betas=(0.5, 0.9)),
        batch=128,
        steps=100_000,
        data=("cifar10",),
        side=32,
        reference=IID_GAN,
    ),
    Preset(
        name="ijcai-stl10",
        title="STL-10, Table 4",
        origins=_IJCAI_LARGE | {"arch": "ours: that of CIFAR-10, at 48 pixels as in AdvLatGAN"},
        terms=iid_terms(0.01, 0.1),
        arch=DCGANSN(latent=128),
        optimiser=Adam(lr=2e-4, betas=(0.5, 0.9)),
        batch=128,
        steps=100_000,
        data=("stl10",),
        side=48,
        reference=IID_GAN,
    ),
    _IJCAI_CELEBA,
    replace(
        _IJCAI_CELEBA,
        name="ijcai-lsun-church",
        title="LSUN church, Table 5",
        data=("lsun-church",),
    ),
    Preset(
        name="arxiv-cifar",
        title="CIFAR-10 and CIFAR-100, Table 2",
        origins=_ARXIV
        | {
            "terms": "appendix E (page 13); p-norm: section 5.2 (page 8); d / M: section 4.2; "
            "ours: element means",
            "arch": "appendix G, Tables 9, 10 and 11 (page 15)",
            "latent": "appendix G, Table 9 (page 15)",
        },
        terms=iid_terms(3.0, 3.0),
        arch=ArxivCIFAR(latent=100),
        optimiser=Adam(lr=2e-4),
        batch=256,
        steps=100_000,
        data=("cifar10", "cifar100"),
        side=32,
        reference=IID_GAN_2021,
    ),
    Preset(
        name="arxiv-stl10",
        title="STL-10, Table 4",
        origins=_ARXIV
        | {
            "terms": "ours: those of CIFAR, as the paper has none for STL-10",
            "arch": "appendix G, Tables 12, 13 (page 15) and 14 (page 16), whose images have 32 "
            "pixels; section 5.2 (page 9) says 64",
            "latent": "appendix G, Table 13 (page 15)",
        },
        terms=iid_terms(3.0, 3.0),
        arch=ArxivSTL(latent=20),
        optimiser=Adam(lr=2e-4),
        batch=256,
        steps=100_000,
        data=("stl10",),
        side=32,
        reference=IID_GAN_2021,
    ),
    Preset(
        name="invertgan",
        title="CIFAR-10, CIFAR-100 and STL-10, Table 2",
        origins={
            "terms": "equations 5 and 10, without weights; p-norm: section 5.2",
            "arch": "appendix A.2, Tables 3 and 4; ours: D as in arXiv 2021, Table 14",
            "latent": "appendix A.2, Table 3",
            "optimiser": _ARXIV_RATE,
            "batch": "section 5.2",
            "steps": "section 5.2",
            "ema": _NO_EMA,
        },
        terms=(CycleTerm(norm="l2", weight=1.0), GaussianTerm(weight=1.0)),
        arch=ArxivSTL(latent=20),
        optimiser=Adam(lr=2e-4),
        batch=64,
        steps=100_000,
        method="invert-gan",
        data=("cifar10", "cifar100", "stl10"),
        side=32,
        reference=INVERT_GAN,
    ),
    Preset(
        name="ivgan",
        title="MNIST, CIFAR-10, STL-10 and LSUN church, Table 1; Stacked MNIST, Table 2",
        origins={
            "terms": "mu: section 4; lambda: the authors' code, as are 4 blocks, a row of Table "
            "3; ours: noise that decreases linearly instead of in steps; cycle and Gaussian terms "
            "of other methods: as for images",
            "arch": "64 pixels: section 4; DCGAN of width 64: the authors' code",
            "latent": "section 4",
            "optimiser": "Adam: section 4; constant rate and betas: the authors' code",
            "batch": "the authors' code",
            "steps": "section 4, Table 2; ours for other sets: the same",
            "ema": _NO_EMA,
        },
        terms=(
            Intervention(blocks=4, classify=0.5, reconstruct=0.25),
            InstanceNoise(std=0.05, until=0.5),
            *IMAGE_TERMS,
        ),
        arch=DCGAN(latent=100, width=64),
        optimiser=Adam(lr=2e-4, schedule="constant"),
        batch=64,
        steps=100_000,
        method="ivgan",
        data=("mnist", "cifar10", "stl10", "lsun-church", "stacked-mnist"),
        side=64,
        reference=IVGAN,
    ),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}
"""All presets by name."""
