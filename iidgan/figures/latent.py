"""Pictures of grids of latents: images in a mosaic or an animation, points as curves."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL.Image import Image
from torch import Tensor

from iidgan.errors import InputError
from iidgan.latent.grid import LatentGrid
from iidgan.latent.inversion import Inversion
from iidgan.report import (
    Mosaic,
    make_image_grid,
    plot_mesh,
    plot_mosaics,
    plot_paths,
    plot_points,
)

INCHES_PER_IMAGE = 0.5
MIN_MOSAIC_SIDE, MAX_MOSAIC_SIDE = 3.0, 12.0


def plot_latent_grid(grid: LatentGrid, samples: Tensor) -> Figure:
    """Draw the samples of a grid of latents.

    Arguments:
        grid: The latents.
        samples: Their samples, (rows, columns, *shape): images, or points in the plane.

    Raises:
        InputError: The samples are neither.
    """
    if _are_images(samples):
        return plot_image_rows(
            samples,
            row_axis=grid.row_axis,
            rows=grid.row_names or grid.row_values,
            column_axis=grid.column_axis,
            columns=grid.column_values,
        )
    if samples.dim() != 3 or samples.shape[2] != 2:
        raise InputError(
            f"out: samples of shape {tuple(samples.shape[2:])} cannot be drawn; use .npz instead"
        )
    points = samples.numpy()
    if grid.is_closed:
        points = np.concatenate([points, points[:, :1]], axis=1)
    if grid.row_names:
        return plot_paths(points, grid.row_names)
    return plot_mesh(points, grid.row_axis, grid.row_values)


def plot_image_rows(
    images: Tensor,
    *,
    row_axis: str = "",
    rows: tuple[str, ...] | tuple[float, ...] = (),
    column_axis: str = "",
    columns: tuple[float, ...] = (),
) -> Figure:
    """Draw images in rows and columns.

    Arguments:
        images: Images, (rows, columns, C, H, W).
        row_axis: What changes from row to row, or empty.
        rows: Name of each row, or value of what changes, or empty.
        column_axis: What changes from column to column, or empty.
        columns: Its value in each column, or empty.
    """
    mosaic = Mosaic(
        label="",
        images=images.numpy(),
        x=column_axis,
        y=row_axis,
        at_x=columns,
        at_y=rows,
    )
    side = np.clip(INCHES_PER_IMAGE * images.shape[1], MIN_MOSAIC_SIDE, MAX_MOSAIC_SIDE)
    return plot_mosaics([mosaic], side=float(side))


MAX_RECONSTRUCTIONS = 16
"""Number of images whose reconstructions are shown."""


def plot_reconstructions(stages: Mapping[str, Inversion]) -> Figure:
    """Draw samples and their reconstructions: images below each other, points over each other.

    Arguments:
        stages: Codes of the same samples, by name, such as those before and after refinement; of
            points, the last ones are shown.

    Raises:
        InputError: The samples are neither images nor points in the plane.
    """
    *_, last = stages.values()
    shape = tuple(last.x.shape[1:])
    if len(shape) == 3 and shape[0] in (1, 3):
        rows = {"x": last.x} | {f"G(z) {name}": stage.x_cycled for name, stage in stages.items()}
        images = torch.stack([row[:MAX_RECONSTRUCTIONS] for row in rows.values()])
        return plot_image_rows(images, rows=tuple(name.strip() for name in rows))
    if shape == (2,):
        return plot_points(last.x_cycled.numpy(), last.x.numpy())
    raise InputError(f"images: samples of shape {shape} cannot be drawn; leave it out")


def make_latent_frames(grid: LatentGrid, samples: Tensor) -> list[Image]:
    """Draw one picture per column, which has the images of all rows.

    Where the last column is no neighbour of the first one, the frames run there and back.

    Arguments:
        grid: The latents.
        samples: Their images, (rows, columns, C, H, W).

    Raises:
        InputError: The samples are no images.
    """
    if not _are_images(samples):
        raise InputError("out: only images are animated; use .png or .npz instead of .gif")
    images = samples.numpy()
    frame_columns = math.ceil(math.sqrt(len(images)))
    frames = [make_image_grid(column, frame_columns) for column in images.swapaxes(0, 1)]
    return frames if grid.is_closed else [*frames, *frames[-2:0:-1]]


def _are_images(samples: Tensor) -> bool:
    return samples.dim() == 5 and samples.shape[2] in (1, 3)
