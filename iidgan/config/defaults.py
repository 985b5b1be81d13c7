"""Recommended settings for the kind of data."""

from __future__ import annotations

from collections.abc import Sequence

from iidgan.config.author_recipes import AUTHOR_RECIPES
from iidgan.config.preset import Preset
from iidgan.config.presets import PRESETS
from iidgan.config.registry import resolve_component
from iidgan.config.run import Run
from iidgan.core import Method, Source, Term
from iidgan.errors import InputError, unknown_name_error, wrong_type_error

NAMED_PRESETS = {**PRESETS, **{recipe.name: recipe for recipe in AUTHOR_RECIPES.values()}}
"""All presets by name, with the recipes of the authors of methods for points."""


def recommended(
    source: Source | str,
    method: Method | str | None = None,
    terms: Sequence[Term | str] = (),
    *,
    preset: Preset | str | None = None,
) -> Run:
    """Create a run with settings that fit the data, or with those of a preset.

    For vectors, these are the papers' synthetic setting (`points`); for images DCGAN, Adam at
    2e-4, an average of the weights, and weights of IID-GAN's terms that help on digits and on
    clothes (`images`); for stacked images the same with G judged at the codes (`many-modes`). The
    other presets are settings of papers. A method or term given by name
    gets the preset's values, an object keeps its own. D has no batch norm if a term penalises its
    slope at single samples: with batch norm, each logit depends on all samples.

    Arguments:
        source: Name of a source (registered, or `module:Name`), or a source object.
        method: Name of a method (registered, or `module:Name`), or a method object; by default
            that of the preset, which is `iid-gan` unless it is a setting of another one.
        terms: Names or objects of terms to add to the method.
        preset: A preset or its name; by default `points`, `images` or `many-modes`. With one that
            is for images of one size, the source is loaded.

    Returns:
        The run, to be passed to `iidgan.train`; `dataclasses.replace` changes single settings.

    Raises:
        InputError: A name cannot be resolved, an object is of another type, or the source has
            another kind or size of data than the preset is for.

    Examples:
        >>> run = recommended("mnist", "gan", ["cycle", "gaussian"])
        >>> run.method.terms[0].weight, run.method.terms[0].ratio
        (3.0, 10.0)
        >>> type(run.arch).__name__, run.optimiser.lr, run.batch
        ('DCGAN', 0.0002, 64)
        >>> recommended("grid", preset="points").arch
        MLP(latent=2, hidden=(100, 200, 100), activation='relu', init='fan-in')
    """
    if isinstance(terms, str | Term):
        raise InputError(f"terms: expected a list, got {terms!r} alone")
    built_source = resolve_component("sources", source, Source)  # type: ignore[type-abstract]
    chosen_preset = choose_preset(preset, built_source)
    chosen_preset.check_source(built_source)
    return chosen_preset.create_run(built_source, method, terms)


def _recommend_preset(source: Source) -> str:
    """Return the name of the preset for the kind of data."""
    if not source.has_images:
        return "points"
    return "many-modes" if source.per_channel else "images"


def choose_preset(preset: Preset | str | None, source: Source) -> Preset:
    """Return a preset by its name, or the one that is recommended for a source.

    Whether a preset that is named fits the source is checked by `Preset.check_source`.

    Arguments:
        preset: A preset or its name; None for the recommended one.
        source: The source.

    Raises:
        InputError: The name is unknown, or it is neither a name nor a preset.

    Examples:
        >>> from iidgan import Grid, Mnist, StackedMnist
        >>> [choose_preset(None, source).name for source in (Grid(), Mnist(), StackedMnist())]
        ['points', 'images', 'many-modes']
    """
    if preset is None:
        return PRESETS[_recommend_preset(source)]
    if isinstance(preset, Preset):
        return preset
    if not isinstance(preset, str):
        raise wrong_type_error("preset", "a preset or its name", preset)
    if preset not in NAMED_PRESETS:
        raise unknown_name_error("preset", preset, NAMED_PRESETS)
    return NAMED_PRESETS[preset]
