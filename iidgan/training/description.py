"""A run in words: what was trained, how it was measured, and what to cite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from iidgan.config.plugins import get_type_name
from iidgan.config.registry import get_reference
from iidgan.config.run import Run
from iidgan.core import Reference, Source
from iidgan.records import MetricRecord


def list_components(run: Run) -> tuple[object, ...]:
    """List the method of a run and its terms.

    Arguments:
        run: The run.
    """
    method, terms = run.method.base_and_terms
    return method, *terms


def list_component_names(run: Run) -> list[str]:
    """List the names of the method of a run and of its terms.

    Arguments:
        run: The run.

    Examples:
        >>> import iidgan
        >>> list_component_names(iidgan.Run(method=iidgan.iid_gan()))
        ['gan', 'cycle', 'gaussian']
    """
    return [get_type_name(type(component)) for component in list_components(run)]


def describe_samples(shape: Sequence[int]) -> str:
    """Describe the samples of a shape, and their range.

    Arguments:
        shape: Shape of one sample.

    Examples:
        >>> describe_samples((2,))
        'shape (2,), in the units of the data'
    """
    unit = "in [-1, 1]" if len(shape) == 3 else "in the units of the data"
    return f"shape {tuple(shape)}, {unit}"


def describe_run(run: Run, seeds: Sequence[int], steps: Sequence[int]) -> dict[str, str]:
    """Return facts of a training, by name.

    Arguments:
        run: The run.
        seeds: Its seeds.
        steps: Steps at which these are.

    Examples:
        >>> import iidgan
        >>> describe_run(iidgan.Run(), seeds=[0, 1], steps=[24_000, 24_000])["steps"]
        '24000'
    """
    return {
        "data": _describe_source(run.source),
        "latents": f"N(0, I) in {run.arch.latent} dimensions",
        "backbone": get_type_name(type(run.arch)),
        "steps": ", ".join(map(str, dict.fromkeys(steps))),
        "batch": str(run.batch),
        "seeds": ", ".join(map(str, seeds)),
        "run id": run.id,
    }


def _describe_source(source: Source) -> str:
    """Return the name of a source, followed by that of its data set or file, if it has one."""
    type_name = get_type_name(type(source))
    name = getattr(source, "name", "") or PurePath(getattr(source, "path", "")).name
    has_other_name = isinstance(name, str) and name not in ("", type_name)
    return f"{type_name} {name}" if has_other_name else type_name


def list_references(components: Iterable[object]) -> dict[str, Reference]:
    """List the publications of components, each once, by the first name that cites it.

    Arguments:
        components: Methods, terms, sources, ...
    """
    references: dict[str, Reference] = {}
    for component in components:
        reference = get_reference(component)
        if reference is not None and reference not in references.values():
            references[get_type_name(type(component)).rpartition(":")[2]] = reference
    return references


def render_bibtex(components: Iterable[object]) -> str:
    """Render the publications of components as BibTeX; empty without any.

    Arguments:
        components: Methods, terms, sources, ...
    """
    references = list_references(components)
    return "\n".join(reference.to_bibtex(key) for key, reference in references.items())


def list_protocols(records: Iterable[MetricRecord]) -> dict[str, str]:
    """List the protocols of records, as JSON, by the names of their metrics.

    Arguments:
        records: Metric records.
    """
    metrics_by_protocol: dict[str, list[str]] = {}
    for record in records:
        protocol = json.dumps(dict(record.protocol), sort_keys=True)
        metrics_by_protocol.setdefault(protocol, []).append(record.metric)
    return {
        ", ".join(dict.fromkeys(metrics)): protocol
        for protocol, metrics in metrics_by_protocol.items()
    }
