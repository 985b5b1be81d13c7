"""Recommended settings for a data set."""

from __future__ import annotations

from iidgan.config.run import Run
from iidgan.core import Method, Regularised, Source, Term
from iidgan.engine.optim import Adam
from iidgan.methods.iid_gan_plus import GROWTH
from iidgan.nn import DCGAN
from iidgan.terms import R1, R2, CycleConsistency, GaussianConsistency, GradientPenalty


def recommended(source: Source, method: Method) -> Run:
    """Fits defaults to the kind of data.

    For vectors, the papers' synthetic setting. For images, DCGAN with Adam at 2e-4 (Radford et
    al., 2015), and the weights that IID-GAN's authors give for MNIST, 0.5 and 0.1, on element-wise
    means, wherever the method's terms have their defaults. Where a term penalises D's slope at
    single samples, D has no batch norm, in which every logit depends on all samples.
    """
    if not source.images:
        return Run(source=source, method=method)
    alone = any(isinstance(term, SLOPES) for term in method.flat[1])
    return Run(
        source=source,
        method=_for_images(method),
        arch=DCGAN(width=32, norm="none" if alone else "batch"),
        optimiser=Adam(lr=2e-4),
        batch=64,
        steps=20_000,
    )


SLOPES = (GradientPenalty, R1, R2)


_MEANS = CycleConsistency(norm="l1", weight=0.5)


FOR_IMAGES: dict[Term, Term] = {
    CycleConsistency(): _MEANS,
    CycleConsistency(norm="l1"): _MEANS,
    GaussianConsistency(): GaussianConsistency(weight=0.1),
    # What grows for the sake of narrow modes stays as it is where there are none.
    CycleConsistency(growth=GROWTH): _MEANS,
    GaussianConsistency(growth=GROWTH): GaussianConsistency(weight=0.1),
}


def _for_images(method: Method) -> Method:
    base, terms = method.flat
    fitting = tuple(FOR_IMAGES.get(term, term) for term in terms)
    return method if fitting == terms else Regularised(method=base, terms=fitting)
