"""Figures that set several runs beside each other: seed 0 where points are shown, else all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from matplotlib.figure import Figure

from iidgan.bench.figures import SHOWN, load_arrays, metric_series, panel_of, qq_of
from iidgan.bench.folder import RunFolder
from iidgan.bench.past import arrays_at
from iidgan.functional import intervention
from iidgan.report import (
    Series,
    curve_grid,
    generations,
    latent_panels,
    qq_plot,
    save,
    square_fitting,
)

Folders = Mapping[str, RunFolder]
"""Folders of finished runs, by the label of their method."""


def latents(folders: Folders) -> Figure:
    """Draws codes, prior, samples and shares of modes, a row per run."""
    return latent_panels([panel_of(load_arrays(f), label, 0) for label, f in folders.items()])


def samples(folders: Folders) -> Figure:
    """Draws generated samples, a panel per run."""
    return generations([panel_of(load_arrays(f), label, 0) for label, f in folders.items()])


def quantiles(folders: Folders) -> Figure:
    """Draws QQ-plots of the codes, a column per run that has an inverse."""
    return qq_plot([qq_of(load_arrays(f), label, 0) for label, f in folders.items()])


def training(folders: Folders, metrics: Sequence[str] = SHOWN) -> Figure:
    """Draws metrics over training, all runs in each panel."""
    found: dict[str, list[Series]] = {}
    for label, folder in folders.items():
        for name, series in metric_series(folder, label, folder.read()[1]).items():
            if name in metrics:
                found.setdefault(name, []).extend(series)
    return curve_grid(found)


def stages(folders: Folders, shares: Sequence[float]) -> Figure:
    """Draws generated samples at several steps of each run, given as shares of its length."""
    panels = []
    for label, folder in folders.items():
        steps = folder.read()[0].steps
        for share in shares:
            step = round(share * steps)
            arrays = arrays_at(folder, step)
            panels.append(panel_of(arrays, f"{label}, step {step:,}", 0))
    return generations(panels)


def squares(folders: Folders) -> Figure:
    """Draws the example of two squares, for which nothing is trained."""
    shifts = torch.linspace(0, 1, 51)
    two, four = intervention.square_fitting(shifts)
    return square_fitting(shifts.numpy(), two.numpy(), four.numpy())


def draw_all(folders: Folders, out: Path) -> Iterator[Path]:
    """Saves what shows the runs of a small table, and gives the path of each figure."""
    yield save(latents(folders), out / "latent.png")
    yield save(samples(folders), out / "samples.png")
    yield save(training(folders), out / "metrics.png")
