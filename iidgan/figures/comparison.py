"""Figures that set several runs beside each other: seed 0 where points are shown, else all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iidgan.core import Source
from iidgan.figures.run import SHOWN, load_arrays, metric_series, panel_of, qq_of
from iidgan.functional import intervention
from iidgan.report import (
    Mosaic,
    Series,
    curve_grid,
    generations,
    latent_panels,
    mosaics,
    qq_plot,
    save,
    square_fitting,
)
from iidgan.training.model import load as load_model
from iidgan.training.replay import arrays_at
from iidgan.training.run_dir import RunFolder

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


def training(
    folders: Folders,
    metrics: Sequence[str] = SHOWN,
    names: Mapping[str, str] = MappingProxyType({}),
) -> Figure:
    """Draws metrics over training, all runs in each panel.

    Arguments:
        folders: The runs.
        metrics: Which metrics.
        names: What to call a metric, where its own name does not say enough.
    """
    found: dict[str, list[Series]] = {}
    for label, folder in folders.items():
        series = metric_series(folder, label, folder.read()[1])
        for metric in metrics:
            found.setdefault(names.get(metric, metric), []).extend(series.get(metric, ()))
    return curve_grid({name: series for name, series in found.items() if series})


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


def images(folders: Folders, side: int = 10) -> Figure:
    """Draws generated samples, `side` x `side` of each run, after real ones of its data set."""
    shown: dict[Source, list[Mosaic]] = {}
    for label, folder in folders.items():
        arrays, source = load_arrays(folder), folder.read()[0].source
        panels = shown.setdefault(source, [_square("real", arrays["real"], side)])
        panels.append(_square(label, arrays["generated"][0], side))
    lines = list(shown.values())
    return mosaics(list(chain(*lines)), columns=len(lines[0]), side=3.6)


def _square(label: str, images: NDArray[Any], side: int) -> Mosaic:
    return Mosaic(label=label, images=images[: side**2].reshape(side, side, *images.shape[1:]))


def latent_planes(folders: Folders, side: int = 17) -> Figure:
    """Draws what lies where in a latent plane: by coordinates, and by radius and angle."""
    line = torch.linspace(-2, 2, side)
    radii, angles = torch.linspace(0, 3, side), torch.linspace(0, 2 * math.pi, side)
    distance, angle = torch.meshgrid(radii, angles, indexing="xy")
    flat = torch.stack(torch.meshgrid(line, line.flip(0), indexing="xy"), -1)
    bent = distance[..., None] * torch.stack((angle.cos(), angle.sin()), -1)
    items = []
    for label, folder in folders.items():
        model = load_model(folder.path)
        for kind, z, x, y in (
            ("Cartesian", flat, ("$z_1$", line), ("$z_2$", line.flip(0))),
            ("polar", bent, ("radius |z|", radii), ("angle in degrees", angles.rad2deg())),
        ):
            images = model.generate(z.reshape(-1, 2)).unflatten(0, (side, side)).numpy()
            lattice = Mosaic(label=f"{label}, {kind}", images=images, x=x[0], y=y[0])
            items.append(replace(lattice, at_x=x[1].tolist(), at_y=y[1].tolist()))
    return mosaics(items)


def draw_all(folders: Folders, out: Path) -> Iterator[Path]:
    """Saves what shows the runs of a small table, and gives the path of each figure."""
    yield save(latents(folders), out / "latent.png")
    yield save(samples(folders), out / "samples.png")
    yield save(training(folders), out / "metrics.png")
