"""`iidgan figure`: the figures of a run, or a published one with the trainings it shows."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro
from matplotlib.figure import Figure

from iidgan.cli.announcement import announce_missing, announce_training
from iidgan.cli.complete_table import complete_table
from iidgan.cli.detach import detach_command
from iidgan.cli.options import (
    PluginOptions,
    TrainMissingOptions,
    monitor_jobs,
    report_outcomes,
    resolve_seed_count,
)
from iidgan.cli.parse import parse_options
from iidgan.errors import InputError, unknown_name_error
from iidgan.figures.run import draw_figures
from iidgan.report import save_figure
from iidgan.sample_sets.feature_set import DEFAULT_FEATURES
from iidgan.studies.figure_spec import FigureSpec, ScoreFigureSpec
from iidgan.studies.papers import FIGURES
from iidgan.studies.requirements import Requirements
from iidgan.studies.train_missing import Workspace, train_runs
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import remove_partials


@dataclass(frozen=True, kw_only=True)
class FigureOptions(TrainMissingOptions, PluginOptions):
    """Draw the figures of a run into its directory, or a published figure by its name.

    Published figures (iidgan list figures) first train what they lack, as tables do. What is
    missing, such as a data set, is listed before anything is trained.
    """

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """Run directory, or name of a published figure."""
    quick: bool = False
    """Published figures: fewer or shorter runs, or smaller networks."""
    seeds: int | None = None
    """Published figures: number of seeds per run; by default that of the figure."""
    features: str | None = None
    """Published figures of FID: network whose features it reads, efficientnet-lite0 (the default),
    inception (the papers'), or any that `iidgan evaluate --features` takes."""
    seed: int | None = None
    """Figures of a run: seed to show; by default the first that did not diverge."""
    out: str | None = None
    """Folder for the figures; by default the run directory, or docs/results."""


def figure_command(arguments: list[str]) -> int:
    """Run `iidgan figure` and return its exit code.

    Arguments:
        arguments: Words of the command line after `figure`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(FigureOptions, "iidgan figure", arguments)
    if options.name in FIGURES:
        spec = _select_figure(options)
        if options.detach:
            return detach_command("figure", arguments, options)
        if isinstance(spec, ScoreFigureSpec):
            return _draw_scores(spec, options)
        return _draw_runs(spec, options)
    for option_name in ("quick", "seeds", "features", "detach"):
        if getattr(options, option_name):
            raise InputError(
                f"{option_name}: applies to published figures only, not to those of a run"
            )
    if not Path(options.name).exists() and "/" not in options.name:
        raise unknown_name_error("figure", options.name, FIGURES)
    run_dir = RunDir(Path(options.name), options.plugin)
    if run_dir.run_file.exists():
        remove_partials(run_dir.path)
    for figure_path in draw_figures(run_dir, Path(options.out or options.name), options.seed):
        print(figure_path)
    return 0


def _select_figure(options: FigureOptions) -> FigureSpec | ScoreFigureSpec:
    spec = FIGURES[options.name]
    if options.seed is not None:
        raise InputError("seed: applies to figures of a run only; use --seeds for their number")
    if options.plugin:
        raise InputError("plugin: applies to figures of a run only, not to published figures")
    if options.quick and spec.runs:
        assert spec.quick is not None, "every figure with runs has a quick profile"
        spec = spec.quick
    if isinstance(spec, ScoreFigureSpec):
        table = spec.table.with_features(options.features or DEFAULT_FEATURES)
        num_seeds = resolve_seed_count(options.seeds, table.num_seeds)
        return replace(spec, table=replace(table, num_seeds=num_seeds))
    if options.features is not None:
        raise InputError(f"features: {options.name} has no score on features; leave it out")
    return replace(spec, num_seeds=resolve_seed_count(options.seeds, spec.num_seeds))


def _draw_scores(spec: ScoreFigureSpec, options: FigureOptions) -> int:
    """Train and measure what is missing, draw what is measured, and return the exit code."""
    workspace, exit_code = options.create_workspace(), 0
    if options.train:
        exit_code = complete_table(options.name, spec.table, options, workspace, kind="figure")
    if exit_code > 1:  # something is lacking, or it was stopped: rerunning resumes
        return exit_code
    records = workspace.load_records()
    _save(spec.draw(records), spec.title, options)
    if labels := ", ".join(spec.list_incomplete(records)):
        print(f"not measured for all seeds and checkpoints: {labels}", file=sys.stderr)
    return exit_code


def _draw_runs(spec: FigureSpec, options: FigureOptions) -> int:
    """Train what is missing, draw what is trained, and return the exit code."""
    workspace = options.create_workspace()
    exit_code = _train_missing(spec, options, workspace) if options.train else 0
    if exit_code > 1:  # something is lacking, or it was stopped: rerunning resumes
        return exit_code
    run_dirs = spec.find_run_dirs(workspace)
    missing_labels = ", ".join(label for label in spec.runs if label not in run_dirs)
    if missing_labels and not run_dirs:
        raise InputError(f"train: none of the runs is trained to completion: {missing_labels}")
    _save(spec.draw(run_dirs), spec.title, options)
    if missing_labels:
        print(
            f"missing from the figure (not trained to completion): {missing_labels}",
            file=sys.stderr,
        )
    return exit_code


def _save(figure: Figure, title: str, options: FigureOptions) -> None:
    """Save a published figure, and print its path and its title."""
    profile_suffix = "-quick" if options.quick else ""
    out_path = Path(options.out or "docs/results") / f"{options.name}{profile_suffix}.png"
    print(save_figure(figure, out_path))
    print(title, file=sys.stderr)


def _train_missing(spec: FigureSpec, options: FigureOptions, workspace: Workspace) -> int:
    """Return 0, or the exit code if something is lacking, was stopped or failed."""
    jobs = spec.missing_runs(workspace)
    if missing := Requirements.of_jobs(jobs, ()).list_missing():
        announce_missing(f"figure: {options.name}", missing)
        return 2
    if not jobs:
        return 0
    announce_training(jobs, workspace)
    with monitor_jobs(jobs, options) as (on_progress, stop):
        outcomes = train_runs(
            jobs,
            workspace,
            on_progress=on_progress,
            stop=stop,
            keep_checkpoints=spec.keep_checkpoints,
            num_checkpoints=spec.num_checkpoints,
        )
    return report_outcomes(outcomes, stop)
