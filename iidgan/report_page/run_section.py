"""A run as a section of a report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from iidgan.config.run import Run
from iidgan.diagnosis import Diagnosis
from iidgan.diagnosis.page import describe_diagnosis
from iidgan.evaluation.arrays import load_arrays
from iidgan.figures.run import make_curve_figures, make_sample_figures
from iidgan.html import Plot, encode_plot
from iidgan.records import MetricRecord, select_last_step
from iidgan.report.summary import MetricSummary, summarize_metrics
from iidgan.report_page.section import Command
from iidgan.training.description import (
    describe_run,
    describe_samples,
    list_component_names,
    list_components,
    list_protocols,
    render_bibtex,
)
from iidgan.training.run_dir import RunDir
from iidgan.utils.jsonl import read_lines

PLOT_TEXTS = {
    "latent": ("Latents", "Codes, prior and samples of one seed, coloured by mode."),
    "samples": ("Samples", "Of one seed, as they were drawn; none was chosen."),
    "reconstructions": ("Reconstructions", "Real images x, each beside G(F(x))."),
    "qq": ("Codes against the prior", "Each dimension of F(x) against N(0, 1), for real x."),
    "losses": ("Losses", "Means over the steps since the last entry of the log."),
    "metrics": ("Metrics and coverage", "At each checkpoint, or more often for coverage."),
}
"""Title and text of each figure, by the stem of its file name."""


@dataclass(frozen=True, kw_only=True)
class RunSection:
    """A run: what was trained and how, curves, samples, diagnosis, metrics, citation.

    Arguments:
        run_dir: The run directory; a training that has not ended is reported as far as it is.
        commands: Commands that train and examine it again.
        diagnosis: Its diagnosis; None: the section says `no_diagnosis` instead.
        no_diagnosis: Why there is no diagnosis.
        seed: Seed whose samples are shown; by default the first that did not diverge.
    """

    kind: ClassVar[Literal["run", "table"]] = "run"

    run_dir: RunDir
    commands: Sequence[Command] = ()
    diagnosis: Diagnosis | None = None
    no_diagnosis: str = ""
    seed: int | None = None

    @property
    def title(self) -> str:
        return f"Run {self.run_dir.path}"

    def describe(self) -> dict[str, Any]:
        """Return what the template shows.

        Raises:
            InputError: A file of the run is missing or damaged, or the seed was not trained.
        """
        run, seeds = self.run_dir.read_run()
        records = self.run_dir.read_metric_records()
        summaries = summarize_metrics(records)
        return {
            "facts": list(self._list_facts(run, seeds, records)),
            "environment": self._list_environment(),
            "metrics": [_describe_summary(summary) for summary in summaries],
            "has_diverged": any(summary.num_diverged for summary in summaries),
            "has_intervals": any(summary.interval for summary in summaries),
            "has_fresh": any(summary.fresh for summary in summaries),
            "protocols": list_protocols(select_last_step(records)),
            "curves": [_encode(*figure) for figure in make_curve_figures(self.run_dir)],
            "samples": list(self._iterate_samples()),
            "diagnosis": None if self.diagnosis is None else describe_diagnosis(self.diagnosis),
            "no_diagnosis": self.no_diagnosis,
            "commands": self.commands,
            "config": json.dumps(run.to_dict(include_paths=False), indent=1),
            "bibtex": render_bibtex([*list_components(run), run.source]),
        }

    def _list_facts(
        self, run: Run, seeds: Sequence[int], records: Sequence[MetricRecord]
    ) -> Iterator[tuple[str, str]]:
        method_name, *term_names = list_component_names(run)
        yield "method", method_name
        if term_names:
            yield "terms", ", ".join(term_names)
        if self._has_samples:
            arrays = load_arrays(self.run_dir.arrays_file)
            yield "samples", describe_samples(arrays["real"].shape[1:])
        yield from describe_run(run, seeds, [run.steps]).items()
        yield "state", self._describe_state()
        diverged = {record.seed: record.diverged for record in records if record.diverged >= 0}
        for seed, step in sorted(diverged.items()):
            yield f"seed {seed}", f"diverged at step {step}"

    @property
    def _has_samples(self) -> bool:
        return self.run_dir.arrays_file.exists()

    def _describe_state(self) -> str:
        """Describe how the training ended, or how far its log goes."""
        events = read_lines(self.run_dir.events_file)
        last_name = events[-1].get("event") if events else None
        if last_name in ("finished", "stopped", "diverged", "collapsed"):
            return f"{last_name} at step {events[-1].get('step')}, {events[-1].get('time')}"
        log = read_lines(self.run_dir.log_file)
        step = max((int(record["step"]) for record in log), default=0)
        return f"not finished; the log ends at step {step}"

    def _list_environment(self) -> list[tuple[str, str]]:
        environment = self.run_dir.read_environment()
        execution = self.run_dir.read_execution()
        shown = {
            name: str(execution[name]) for name in ("executor", "workers") if name in execution
        }
        return [*environment.items(), *shown.items()]

    def _iterate_samples(self) -> Iterator[Plot]:
        if self._has_samples:
            for figure in make_sample_figures(self.run_dir, self.seed):
                yield _encode(*figure)


def _encode(file_name: str, figure: Any) -> Plot:  # noqa: ANN401 - of Matplotlib or Pillow
    return encode_plot(*PLOT_TEXTS[Path(file_name).stem], figure)


def _describe_summary(summary: MetricSummary) -> dict[str, str]:
    interval = summary.interval
    return {
        "metric": summary.metric,
        "value": summary.text,
        "interval": "" if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}",
        "fresh": summary.fresh,
        "seeds": str(summary.num_seeds),
        "diverged": str(summary.num_diverged or ""),
    }
