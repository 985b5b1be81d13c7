"""Pictures of conditional generators: samples of each class, planes of latents, traversals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from matplotlib.figure import Figure
from torch import Tensor

from iidgan.errors import InputError
from iidgan.figures.comparison import RunDirs
from iidgan.latent.grid import cartesian_plane, traverse_latents
from iidgan.report import Mosaic, plot_mosaics
from iidgan.training.export import load as load_model
from iidgan.training.model import Model

MAX_CLASSES = 10
"""Number of classes that a picture shows, the first ones."""
PLANE_CLASSES = 3
"""Number of classes whose planes and traversals are shown."""


def plot_class_samples(run_dirs: RunDirs, columns: int = 10) -> Figure:
    """Draw samples of each class in a row, with the same latents in each of them.

    Arguments:
        run_dirs: Conditional runs on images, by label.
        columns: Number of samples of a class.
    """

    def draw(model: Model) -> list[Mosaic]:
        latents, _ = model.split_codes(model.sample_prior(columns))
        names = _first_names(model, MAX_CLASSES)
        rows = [model.generate(model.encode(latents, name)) for name in names]
        return [Mosaic(label="", images=torch.stack(rows).numpy(), at_y=names)]

    return _plot_models(run_dirs, draw, columns=min(len(run_dirs), 3))


def plot_class_planes(run_dirs: RunDirs, side: int = 20) -> Figure:
    """Draw the samples of a class in the plane of the first two latents, from -2 to 2.

    Arguments:
        run_dirs: Conditional runs on images with at least two latents, by label.
        side: Number of images in each row and column.
    """
    values = torch.linspace(-2, 2, side)

    def draw(model: Model) -> list[Mosaic]:
        z = cartesian_plane(torch.zeros(model.latent), (0, 1), values).z
        return [
            Mosaic(
                label=name,
                images=_generate_class(model, z, name).numpy(),
                x="$z_1$",
                y="$z_2$",
                at_x=values.tolist(),
                at_y=values.flip(0).tolist(),
            )
            for name in _first_names(model, PLANE_CLASSES)
        ]

    return _plot_models(run_dirs, draw, columns=PLANE_CLASSES)


def plot_class_traversals(run_dirs: RunDirs, num_latents: int = 5, columns: int = 9) -> Figure:
    """Draw samples of a class while one latent changes in equal steps from -2 to 2.

    Arguments:
        run_dirs: Conditional runs on images, by label.
        num_latents: Number of latents, one per row, the first ones.
        columns: Number of steps.
    """
    values = torch.linspace(-2, 2, columns)

    def draw(model: Model) -> list[Mosaic]:
        latents, _ = model.split_codes(model.sample_prior(1))
        dims = range(min(num_latents, model.latent))
        grid = traverse_latents(latents[0], dims, values)
        return [
            Mosaic(
                label=name,
                images=_generate_class(model, grid.z, name).numpy(),
                at_x=values.tolist(),
                at_y=grid.row_names,
            )
            for name in _first_names(model, PLANE_CLASSES)
        ]

    return _plot_models(run_dirs, draw, columns=PLANE_CLASSES)


def _plot_models(
    run_dirs: RunDirs, draw: Callable[[Model], Sequence[Mosaic]], *, columns: int
) -> Figure:
    """Draw mosaics of each run, whose labels start with that of the run."""
    mosaics: list[Mosaic] = []
    for label, run_dir in run_dirs.items():
        for mosaic in draw(load_model(run_dir.path, plugins=run_dir.plugins)):
            title = ", ".join(filter(None, (label, mosaic.label)))
            mosaics.append(replace(mosaic, label=title))
    return plot_mosaics(mosaics, columns=columns)


def _first_names(model: Model, num: int) -> list[str]:
    if model.classes is None:
        raise InputError(f"run: {model!r} is not conditional, so it has no classes to show")
    return list(model.classes.names[:num])


def _generate_class(model: Model, z: Tensor, name: str) -> Tensor:
    """Generate the samples of a grid of latents, (rows, columns, M)."""
    codes = model.encode(z, name)
    return model.generate(codes.flatten(0, 1)).unflatten(0, z.shape[:2])
