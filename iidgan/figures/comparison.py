"""Figures that compare runs: points of their first seed, and curves of all seeds."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iidgan.core import Source
from iidgan.errors import InputError
from iidgan.evaluation.arrays import load_arrays
from iidgan.figures.run import (
    REGISTERED_CURVES,
    load_metric_series,
    make_latent_panel,
    make_qq,
    make_series,
)
from iidgan.functional import intervention
from iidgan.latent.grid import cartesian_plane, polar_plane
from iidgan.report import (
    LatentPanel,
    Mosaic,
    Series,
    plot_curve_grid,
    plot_generated,
    plot_latent_panels,
    plot_mosaics,
    plot_qq,
    plot_square_fitting,
    save_figure,
)
from iidgan.training.export import load as load_model
from iidgan.training.replay import sample_checkpoint
from iidgan.training.run_dir import RunDir

MAX_MOSAIC_COLUMNS = 3
RunDirs = Mapping[str, RunDir]
"""Run directories of finished runs, by the label of their method."""


def plot_latents(run_dirs: RunDirs) -> Figure:
    """Draw codes, prior, samples and mode shares, one row per run.

    Arguments:
        run_dirs: Runs on a mixture of Gaussians in the plane, by label.
    """
    return plot_latent_panels(_make_latent_panels(run_dirs))


def plot_samples(run_dirs: RunDirs) -> Figure:
    """Draw generated samples, one panel per run.

    Arguments:
        run_dirs: Runs on a mixture of Gaussians in the plane, by label.
    """
    return plot_generated(_make_latent_panels(run_dirs))


def _make_latent_panels(run_dirs: RunDirs) -> list[LatentPanel]:
    return [
        make_latent_panel(load_arrays(run_dir.arrays_file), label, 0)
        for label, run_dir in run_dirs.items()
    ]


def plot_quantiles(run_dirs: RunDirs) -> Figure:
    """Draw QQ plots of the codes, one panel per run; every run needs an inverse.

    Arguments:
        run_dirs: The runs by label.
    """
    return plot_qq(
        [
            make_qq(load_arrays(run_dir.arrays_file), label, 0)
            for label, run_dir in run_dirs.items()
        ]
    )


def plot_training(
    run_dirs: RunDirs,
    metrics: Sequence[str] = REGISTERED_CURVES,
    names: Mapping[str, str] = MappingProxyType({}),
    log: Collection[str] = (),
) -> Figure:
    """Draw metrics over training, all runs in each panel.

    Arguments:
        run_dirs: The runs.
        metrics: Names of the metrics.
        names: Titles of metrics whose own names are unclear.
        log: Titles of metrics with a logarithmic scale.
    """
    series_by_title: dict[str, list[Series]] = {}
    for label, run_dir in run_dirs.items():
        run_series = load_metric_series(run_dir, label, run_dir.read_run()[1])
        for metric in metrics:
            title = names.get(metric, metric)
            series_by_title.setdefault(title, []).extend(run_series.get(metric, ()))
    return plot_curve_grid(
        {title: series for title, series in series_by_title.items() if series}, log=log
    )


def plot_score(title: str, points: Mapping[str, Mapping[tuple[int, int], float]]) -> Figure:
    """Draw a score that was measured at several steps of each run, all runs in one panel.

    Arguments:
        title: Title of the score.
        points: Its values by step and seed, by the label of their run.

    Raises:
        InputError: There is no value.
    """
    series = [
        make_series(label, run_points, sorted({seed for _, seed in run_points}))
        for label, run_points in points.items()
        if run_points
    ]
    if not series:
        raise InputError(f"train: {title} is not measured yet; leave out --no-train")
    return plot_curve_grid({title: series})


def plot_stages(run_dirs: RunDirs, shares: Sequence[float]) -> Figure:
    """Draw generated samples at several steps of each run, given as shares of its length.

    Arguments:
        run_dirs: Runs on a mixture of Gaussians in the plane, by label.
        shares: Shares in (0, 1], at whose steps the runs have checkpoints.
    """
    panels = []
    for label, run_dir in run_dirs.items():
        num_steps = run_dir.read_run()[0].steps
        for share in shares:
            step = round(share * num_steps)
            arrays = sample_checkpoint(run_dir, step)
            panels.append(make_latent_panel(arrays, f"{label}, step {step:,}", 0))
    return plot_generated(panels)


def plot_squares(run_dirs: RunDirs) -> Figure:
    """Draw the example of two squares, which needs no training.

    Arguments:
        run_dirs: Not used; other published figures show runs.
    """
    shifts = torch.linspace(0, 1, 51)
    of_two, of_four = intervention.shifted_square_divergences(shifts)
    return plot_square_fitting(shifts.numpy(), of_two.numpy(), of_four.numpy())


def plot_images(run_dirs: RunDirs, side: int = 10) -> Figure:
    """Draw `side` x `side` generated images of each run, after real ones of its data set.

    Arguments:
        run_dirs: Runs on images, by label.
        side: Number of images in each row and column.
    """
    mosaics_by_source: dict[Source, list[Mosaic]] = {}
    for label, run_dir in run_dirs.items():
        arrays, source = load_arrays(run_dir.arrays_file), run_dir.read_run()[0].source
        real_mosaic = _make_square_mosaic("real", arrays["real"], side)
        mosaics = mosaics_by_source.setdefault(source, [real_mosaic])
        mosaics.append(_make_square_mosaic(label, arrays["generated"][0], side))
    rows = list(mosaics_by_source.values())
    columns = min(len(rows[0]), MAX_MOSAIC_COLUMNS)
    return plot_mosaics(list(chain(*rows)), columns=columns, side=3.6)


def _make_square_mosaic(label: str, images: NDArray[Any], side: int) -> Mosaic:
    square = images[: side**2].reshape(side, side, *images.shape[1:])
    return Mosaic(label=label, images=square)


def plot_latent_planes(run_dirs: RunDirs, side: int = 17) -> Figure:
    """Draw the images of a latent plane: on a Cartesian grid, and by radius and angle.

    Arguments:
        run_dirs: Runs on images with two latent dimensions, by label.
        side: Number of images in each row and column.
    """
    line = torch.linspace(-2, 2, side)
    radii, angles = torch.linspace(0, 3, side), torch.linspace(0, 2 * math.pi, side)
    origin = torch.zeros(2)
    cartesian_z = cartesian_plane(origin, (0, 1), line).z
    polar_z = polar_plane(origin, (0, 1), radii, angles).z.transpose(0, 1)
    mosaics = []
    for label, run_dir in run_dirs.items():
        model = load_model(run_dir.path, plugins=run_dir.plugins)
        for kind, z, (x_label, x_values), (y_label, y_values) in (
            ("Cartesian", cartesian_z, ("$z_1$", line), ("$z_2$", line.flip(0))),
            ("polar", polar_z, ("radius |z|", radii), ("angle in degrees", angles.rad2deg())),
        ):
            images = model.generate(z.reshape(-1, 2)).unflatten(0, (side, side)).numpy()
            mosaics.append(
                Mosaic(
                    label=f"{label}, {kind}",
                    images=images,
                    x=x_label,
                    y=y_label,
                    at_x=x_values.tolist(),
                    at_y=y_values.tolist(),
                )
            )
    return plot_mosaics(mosaics)


def save_figures(run_dirs: RunDirs, out_dir: Path) -> Iterator[Path]:
    """Save the figures of a small table's runs, and yield their paths.

    Arguments:
        run_dirs: Runs on a mixture of Gaussians in the plane, by label.
        out_dir: Folder of the figures.
    """
    yield save_figure(plot_latents(run_dirs), out_dir / "latent.png")
    yield save_figure(plot_samples(run_dirs), out_dir / "samples.png")
    yield save_figure(plot_training(run_dirs), out_dir / "metrics.png")
