"""The model card of a shared run: what was trained, how it was measured, and how to use it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from iidgan._version import __version__
from iidgan.config.plugins import get_type_name
from iidgan.config.registry import get_reference
from iidgan.core import Reference
from iidgan.records import MetricRecord, select_last_step
from iidgan.report.summary import summarize_metrics
from iidgan.training.model import TrainedNetworks

SAMPLES_FILE = "samples.png"
PROVENANCE = ("iidgan", "torch", "device")
"""What the card says of the machine that measured."""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The text of a model card, Markdown after a header in YAML.

    Arguments:
        name: Name of the repository, `user/name`.
        networks: The networks that are shared.
        records: Metric records of the run.
        licence: Identifier of the licence of the weights, such as `mit` or `cc-by-4.0`.
        has_picture: Whether `SAMPLES_FILE` is beside the card.
    """

    name: str
    networks: TrainedNetworks
    records: Sequence[MetricRecord]
    licence: str | None = None
    has_picture: bool = False

    def render(self) -> str:
        """Return the text."""
        sections = [
            self._render_header(),
            f"# {self.name.rpartition('/')[2]}\n\n{self._describe()}",
            f"![Samples]({SAMPLES_FILE})" if self.has_picture else "",
            self._render_usage(),
            self._render_metrics(),
            f"## Licence\n\n{self._describe_licence()}",
            f"## Citation\n\n{self._render_citation()}",
        ]
        return "\n\n".join(filter(None, sections)) + "\n"

    def _render_header(self) -> str:
        header: dict[str, object] = {"library_name": "iidgan"}
        if self.licence is not None:
            header["license"] = self.licence
        if self._has_images:
            header["pipeline_tag"] = "unconditional-image-generation"
        header["tags"] = [*dict.fromkeys(("gan", "mode-collapse", *self._component_names))]
        lines = [f"{key}: {json.dumps(value)}" for key, value in header.items()]  # JSON is YAML
        return "\n".join(["---", *lines, "---"])

    @property
    def _has_images(self) -> bool:
        return len(self.networks.shape) == 3

    @property
    def _components(self) -> tuple[object, ...]:
        method, terms = self.networks.point.run.method.base_and_terms
        return method, *terms

    @property
    def _component_names(self) -> list[str]:
        return [get_type_name(type(component)) for component in self._components]

    def _describe(self) -> str:
        point = self.networks.point
        method_name, *term_names = self._component_names
        terms = f" with the terms {', '.join(f'`{name}`' for name in term_names)}" * bool(
            term_names
        )
        facts = {
            "data": f"`{get_type_name(type(point.run.source))}`",
            "samples": f"shape {self.networks.shape}, "
            + ("in [-1, 1]" if self._has_images else "in the units of the data"),
            "latents": f"N(0, I) in {point.run.arch.latent} dimensions",
            "backbone": f"`{get_type_name(type(point.run.arch))}`",
            "steps": ", ".join(map(str, dict.fromkeys(point.steps))),
            "batch": point.run.batch,
            "seeds": ", ".join(map(str, point.seeds)),
            "run id": f"`{point.run.id}`",
        }
        if self.networks.classes is not None:
            facts["classes"] = ", ".join(self.networks.classes.names)
        rows = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
        return (
            f"A generator that iidgan {__version__} trained: "
            f"the method `{method_name}`{terms}. `config.json` has every option of the run.\n\n"
            f"| | |\n|---|---|\n{rows}"
        )

    def _render_usage(self) -> str:
        inverse = "\nz = model.invert(x)  # codes of samples" if "F" in self.networks.nets else ""
        label = ""
        if self.networks.classes is not None:
            label = f", label={json.dumps(self.networks.classes.names[0])}"
        return (
            "## Use\n\n```sh\npip install 'iidgan[hub]'\n```\n\n```python\nimport iidgan\n\n"
            f"model = iidgan.from_pretrained({json.dumps(self.name)})\n"
            f"x = model.sample(16{label}){inverse}\n```"
        )

    def _render_metrics(self) -> str:
        records = select_last_step(self.records)
        if not records:
            return "## Metrics\n\nNone was measured."
        rows = "\n".join(
            f"| {item.metric} | {item.text} | {item.num_seeds} |"
            for item in summarize_metrics(records)
        )
        provenance = ", ".join(
            f"{name} {value}" for name in PROVENANCE if (value := records[0].provenance.get(name))
        )
        return (
            "## Metrics\n\nMean ± standard deviation over seeds, at the last step "
            f"({provenance}).\n\n| metric | value | seeds |\n|---|---|---|\n{rows}\n\n"
            f"How each was measured:\n\n{_render_protocols(records)}"
        )

    def _describe_licence(self) -> str:
        if self.licence is None:
            return "The publisher has named no licence for these weights."
        return f"The weights: `{self.licence}`. The library: MIT."

    def _render_citation(self) -> str:
        entries = _list_references(self._components)
        bibtex = "\n".join(reference.to_bibtex(key) for key, reference in entries.items())
        return f"```bibtex\n{bibtex}\n```" if bibtex else "The method names no publication."


def _render_protocols(records: Iterable[MetricRecord]) -> str:
    """List the protocols, each with its metrics."""
    metrics_by_protocol: dict[str, list[str]] = {}
    for record in records:
        protocol = json.dumps(dict(record.protocol), sort_keys=True)
        metrics_by_protocol.setdefault(protocol, []).append(record.metric)
    return "\n".join(
        f"* {', '.join(dict.fromkeys(metrics))}: `{protocol}`"
        for protocol, metrics in metrics_by_protocol.items()
    )


def _list_references(components: Iterable[object]) -> dict[str, Reference]:
    """List the publications of components, each once, by the first name that cites it."""
    references: dict[str, Reference] = {}
    for component in components:
        reference = get_reference(component)
        if reference is not None and reference not in references.values():
            references[get_type_name(type(component)).rpartition(":")[2]] = reference
    return references
