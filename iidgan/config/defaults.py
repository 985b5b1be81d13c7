"""Recommended settings for the kind of data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from iidgan.config.registry import create_component
from iidgan.config.run import Run
from iidgan.core import Method, Regularised, Source, Term
from iidgan.engine.optim import Adam
from iidgan.errors import InputError, wrong_type_error
from iidgan.methods import iid_gan, iid_gan_plus
from iidgan.nn import DCGAN
from iidgan.terms import R1, R2, CycleTerm, GaussianTerm, GradientPenalty

PartT = TypeVar("PartT", Source, Method, Term)


def recommended(
    source: Source | str, method: Method | str = "iid-gan", terms: Sequence[Term | str] = ()
) -> Run:
    """Create a run with settings that fit the kind of data.

    For vectors: the papers' synthetic setting. For images: DCGAN, Adam at 2e-4 (Radford et al.,
    2015) and, for methods and terms given by name, the weights that IID-GAN's authors give for
    MNIST, 0.5 and 0.1, on element-wise means. A method or term object keeps all its values. D has
    no batch norm if a term penalises its slope at single samples: with batch norm, each logit
    depends on all samples.

    Arguments:
        source: Name of a source (registered, or `module:Name`), or a source object.
        method: Name of a method (registered, or `module:Name`), or a method object.
        terms: Names or objects of terms to add to the method.

    Returns:
        The run, to be passed to `iidgan.train`; `dataclasses.replace` changes single settings.

    Raises:
        InputError: A name cannot be resolved, or an object is of another type.

    References:
        Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
        Networks (Radford, Metz and Chintala, 2015), https://arxiv.org/abs/1511.06434

    Examples:
        >>> run = recommended("mnist", "gan", ["cycle", "gaussian"])
        >>> run.method.terms[0].weight
        0.5
        >>> type(run.arch).__name__, run.optimiser.lr, run.batch
        ('DCGAN', 0.0002, 64)
    """
    if isinstance(terms, str | Term):
        raise InputError(f"terms: expected a list, got {terms!r} alone")
    source = _create_part("source", source, Source, {})  # type: ignore[type-abstract]
    image_methods, image_terms = (IMAGE_METHODS, IMAGE_TERMS) if source.has_images else ({}, {})
    built_method = _create_part("method", method, Method, image_methods)  # type: ignore[type-abstract]
    if terms:
        base, own_terms = built_method.base_and_terms
        new_terms = [_create_part("terms", term, Term, image_terms) for term in terms]  # type: ignore[type-abstract]
        built_method = Regularised(method=base, terms=(*own_terms, *new_terms))
    if not source.has_images:
        return Run(source=source, method=built_method)
    has_penalty = any(isinstance(term, SLOPE_PENALTIES) for term in built_method.base_and_terms[1])
    return Run(
        source=source,
        method=built_method,
        arch=DCGAN(width=32, norm="none" if has_penalty else "batch"),
        optimiser=Adam(lr=2e-4),
        batch=64,
        steps=20_000,
    )


SLOPE_PENALTIES = (GradientPenalty, R1, R2)


def _image_cycle() -> CycleTerm:
    return CycleTerm(norm="l1", weight=0.5)


def _image_gaussian() -> GaussianTerm:
    return GaussianTerm(weight=0.1)


IMAGE_TERMS: Mapping[str, Callable[[], Term]] = {
    "cycle": _image_cycle,
    "gaussian": _image_gaussian,
}
"""Factories of the terms whose weights for images are not their defaults, by registered name."""


def _image_iid_gan() -> Regularised:
    return iid_gan(cycle=_image_cycle(), gaussian=_image_gaussian())


def _image_iid_gan_plus() -> Regularised:
    """Create IID-GAN+ with constant weights: they grow for narrow modes, which images lack."""
    base, terms = _image_iid_gan().base_and_terms
    code_noise = iid_gan_plus().base_and_terms[1][-1]
    return Regularised(method=base, terms=(*terms, code_noise))


IMAGE_METHODS: Mapping[str, Callable[[], Method]] = {
    "iid-gan": _image_iid_gan,
    "iid-gan+": _image_iid_gan_plus,
}
"""Factories of the methods whose weights for images are not their defaults, by registered name."""


def _create_part(
    field: str,
    value: PartT | str,
    part_type: type[PartT],
    image_factories: Mapping[str, Callable[[], PartT]],
) -> PartT:
    """Return an object as it is; create a named one, by its image factory if it has one."""
    kind = part_type.__name__.lower()
    if isinstance(value, str):
        if value in image_factories:
            return image_factories[value]()
        return create_component(f"{kind}s", value, part_type)
    if not isinstance(value, part_type):
        raise wrong_type_error(field, f"a {kind} or its name", value)
    return value
