"""`iidgan table`: train what a published table lacks, then print it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from iidgan.bench.figures import study_figures
from iidgan.bench.folder import RunFolder
from iidgan.bench.papers import STUDIES
from iidgan.bench.rows import read
from iidgan.bench.study import Study, collect, lacking, tabulate
from iidgan.bench.workers import Job, train_all
from iidgan.cli.parse import parse
from iidgan.cli.progress import Monitor
from iidgan.engine.loop import Stop
from iidgan.errors import InputError, unknown
from iidgan.report import render, to_rich


@dataclass(frozen=True)
class Options:
    """Trains what a table lacks, side by side on all cores, and prints it beside the paper's.

    Interrupted and started again, it goes on where it was.
    """

    name: Annotated[str, tyro.conf.Positional]
    """Name of the table: ring."""
    quick: bool = False
    """Fewer steps: minutes instead of a quarter of an hour."""
    seeds: int | None = None
    """Trainings per row; by default as the table says."""
    train: bool = True
    """Train what is missing; without it, print what there is."""
    format: Literal["rich", "md", "tex", "csv", "json"] = "rich"
    """How the table is printed."""
    results: str = "results"
    """Folder of the rows."""
    runs: str = "runs/tables"
    """Folder of the trainings."""
    workers: int = os.cpu_count() or 1
    """Trainings at a time."""
    device: str = "auto"
    """cpu, cuda, ...; auto takes an accelerator if there is one."""
    executor: Literal["eager", "compiled"] = "eager"
    """How steps are carried out."""


def table_command(arguments: list[str]) -> int:
    options = parse(Options, "iidgan table", arguments)
    study = _study(options)
    path = Path(options.results) / f"{options.name}.jsonl"
    stopped = _train(study, options, path) if options.train else 0
    table = tabulate(study, read(path))
    if options.format == "rich":
        Console().print(to_rich(table))
    else:
        print(render(table, options.format), end="")
    if options.train and not stopped:
        for figure in study_figures(study, Path(options.runs)):
            print(figure, file=sys.stderr)
    return stopped


def _study(options: Options) -> Study:
    if options.name not in STUDIES:
        raise unknown("table", options.name, STUDIES)
    study = STUDIES[options.name]
    if options.seeds is not None:
        if options.seeds < 1:
            raise InputError(f"seeds: {options.seeds} is too small; at least 1")
        study = replace(study, seeds=options.seeds)
    if options.workers < 1:
        raise InputError(f"workers: {options.workers} is too small; at least 1")
    return study.quick() if options.quick else study


def _train(study: Study, options: Options, path: Path) -> int:
    """Trains and collects what is missing; returns 0, or the exit code of an early end."""
    missing = lacking(study, read(path))
    if not missing:
        return 0
    names = [name for name, _ in missing.values()]
    jobs = [
        Job(
            run=run,
            out=Path(options.runs) / study.folder(run_id),
            seeds=study.seeds,
            checkpoint_every=max(run.steps // 12, 1),
            device=options.device,
            executor=options.executor,
        )
        for run_id, (_, run) in missing.items()
    ]
    stop = Stop()
    with stop.listening(), Monitor([job.run.steps for job in jobs], names) as monitor:
        workers = min(options.workers, len(jobs))
        endings = train_all(jobs, workers=workers, news=monitor.tell, stop=stop)
    for job, name, ending in zip(jobs, names, endings):
        if ending in ("finished", "diverged"):
            collect(path, study, RunFolder(job.out).metrics)
        else:
            print(f"{name}: {ending}", file=sys.stderr)
    if stop.signal is not None:
        print("the same command again goes on", file=sys.stderr)
        return 128 + stop.signal
    return 1 if any(ending.startswith("failed") for ending in endings) else 0
