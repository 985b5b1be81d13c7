"""The model card of a shared run: what was trained, how it was measured, and how to use it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from iidgan._version import __version__
from iidgan.config.run import Run
from iidgan.records import MetricRecord, select_last_step
from iidgan.report.summary import summarize_metrics
from iidgan.training.description import (
    describe_run,
    describe_samples,
    list_component_names,
    list_components,
    list_protocols,
    render_bibtex,
)
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
        header["tags"] = [
            *dict.fromkeys(("gan", "mode-collapse", *list_component_names(self._run)))
        ]
        lines = [f"{key}: {json.dumps(value)}" for key, value in header.items()]  # JSON is YAML
        return "\n".join(["---", *lines, "---"])

    @property
    def _has_images(self) -> bool:
        return len(self.networks.shape) == 3

    @property
    def _run(self) -> Run:
        return self.networks.point.run

    def _describe(self) -> str:
        point = self.networks.point
        method_name, *term_names = list_component_names(self._run)
        terms = f" with the terms {', '.join(f'`{name}`' for name in term_names)}" * bool(
            term_names
        )
        facts = {
            "samples": describe_samples(self.networks.shape),
            **describe_run(self._run, point.seeds, point.steps),
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
        protocols = "\n".join(
            f"* {metrics}: `{protocol}`" for metrics, protocol in list_protocols(records).items()
        )
        return (
            "## Metrics\n\nMean ± standard deviation over seeds, at the last step "
            f"({provenance}).\n\n| metric | value | seeds |\n|---|---|---|\n{rows}\n\n"
            f"How each was measured:\n\n{protocols}"
        )

    def _describe_licence(self) -> str:
        if self.licence is None:
            return "The publisher has named no licence for these weights."
        return f"The weights: `{self.licence}`. The library: MIT."

    def _render_citation(self) -> str:
        bibtex = render_bibtex(list_components(self._run))
        return f"```bibtex\n{bibtex}\n```" if bibtex else "The method names no publication."
