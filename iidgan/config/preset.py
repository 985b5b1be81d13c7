"""A preset: named settings for a kind of data, which apply to any method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from iidgan.config.registry import resolve_component
from iidgan.config.run import Run
from iidgan.core import Backbone, Method, Reference, Regularised, Source, Term
from iidgan.engine.optim import Optimiser
from iidgan.errors import InputError
from iidgan.terms import R1, R2, TERMS, GradientPenalty

ADAPTED_METHODS = (
    "iid-gan",
    "iid-gan+",
    "conditional-iid-gan",
    "ivgan",
    "iv-dcgan",
    "iv-lsgan",
    "r3gan",
)
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
        method: Method that it was published for, or its name: the default with this preset.
        lr_factors: Factors of the learning rate by player of that method.
        data: Names of the data sets that it was published for; empty: any.
        has_images: Whether it is for images, rather than points.
        side: Side of the images in pixels; None: any.
        reference: The publication; None if the setting is of this library.
        code: Address of the authors' code, if values are from there.

    Examples:
        >>> from iidgan import PRESETS, Mnist
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
    method: Method | str = "iid-gan"
    lr_factors: tuple[tuple[str, float], ...] = ()
    data: tuple[str, ...] = ()
    has_images: bool = True
    side: int | None = None
    reference: Reference | None = None
    code: str = ""

    @property
    def method_name(self) -> str:
        """Name of the method, or of the preset if its method has options of its own."""
        return self.method if isinstance(self.method, str) else self.name

    def describe_origins(self) -> str:
        """Return where the values come from, in one sentence."""
        parts = "; ".join(f"{name}: {origin}" for name, origin in self.origins.items())
        return f"{self.title}{f' ({self.code})' if self.code else ''}: {parts}."

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
            lr_factors=self.lr_factors if method is None else (),
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
        if not isinstance(term, str) or term not in TERMS:
            return built_term
        return replace(self._adapt(built_term), **_list_own_values(built_term))

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


def _list_own_values(term: Term) -> dict[str, Any]:
    """List the options in which a term differs from its defaults: what its name stands for."""
    values = {field.name: getattr(term, field.name) for field in fields(term)}
    return {
        field.name: values[field.name]
        for field in fields(term)
        if values[field.name] != field.default
    }


def fit_norm(arch: Backbone, method: Method) -> Backbone:
    """Return a backbone without batch norm in D if a term penalises D's slope at single samples.

    Arguments:
        arch: The backbone; one without an option `norm` is left as it is.
        method: The method.

    Examples:
        >>> from iidgan import DCGAN, GAN, r3gan
        >>> fit_norm(DCGAN(), GAN()).norm, fit_norm(DCGAN(), r3gan()).norm
        ('batch', 'none')
    """
    has_penalty = any(isinstance(term, SLOPE_PENALTIES) for term in method.base_and_terms[1])
    has_option = any(field.name == "norm" for field in fields(arch))  # type: ignore[arg-type]
    return replace(arch, norm="none") if has_penalty and has_option else arch  # type: ignore[type-var]
