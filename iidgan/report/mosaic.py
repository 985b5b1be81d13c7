"""Images on a lattice, such as one in latent space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from iidgan.errors import InputError
from iidgan.report import style
from iidgan.report.grid import make_image_grid
from iidgan.report.stats import Floats

MAX_TICKS = 5


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    """Images on a lattice.

    Arguments:
        label: Title.
        images: As for `make_image_grid`, but with shape (rows, columns, C, H, W); the first row is
            on top.
        x: Name of what changes from left to right, or empty.
        y: Name of what changes from top to bottom, or empty.
        at_x: Value of x in each column, or empty.
        at_y: Value of y in each row, or its name, or empty.

    Raises:
        InputError: A shape does not fit the others.

    Examples:
        >>> images = np.zeros((2, 3, 1, 8, 8))
        >>> Mosaic(label="GAN", images=images, x="$z_1$", at_x=[-1.0, 1.0])
        Traceback (most recent call last):
        iidgan.errors.InputError: at_x: expected 3 values or none, got 2
    """

    label: str
    images: Floats
    x: str = ""
    y: str = ""
    at_x: Sequence[float] = ()
    at_y: Sequence[float] | Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.images.ndim != 5:
            raise InputError(
                f"images: expected shape (rows, columns, C, H, W), got {self.images.shape}"
            )
        num_rows, num_columns = self.images.shape[:2]
        for name, values, num_images in (
            ("at_x", self.at_x, num_columns),
            ("at_y", self.at_y, num_rows),
        ):
            if len(values) not in (0, num_images):
                raise InputError(
                    f"{name}: expected {num_images} values or none, got {len(values)}"
                )


def plot_mosaics(items: Sequence[Mosaic], *, columns: int = 2, side: float = 4.2) -> Figure:
    """Draw one axis per lattice.

    Arguments:
        items: The lattices.
        columns: Number of axes per row.
        side: Width of an axis in inches.

    Raises:
        InputError: There are no lattices.
    """
    max_aspect = max((item.images.shape[0] / item.images.shape[1] for item in items), default=1.0)
    figure, axes = style.make_subplots(len(items), columns, width=side, height=side * max_aspect)
    for axis, item in zip(axes, items):
        num_rows, num_columns, *image_shape = item.images.shape
        sheet = np.asarray(
            make_image_grid(item.images.reshape(-1, *image_shape), num_columns, scale=1)
        )
        axis_extent = (-0.5, num_columns - 0.5, num_rows - 0.5, -0.5)
        axis.imshow(
            sheet,
            cmap="gray",
            vmin=0,
            vmax=255,
            extent=axis_extent,
            aspect="auto",
            interpolation="none",
        )
        axis.set_box_aspect(num_rows / num_columns)
        style.label_axis(axis, x=item.x, y=item.y)
        axis.set_title(item.label, fontsize=style.MEDIUM)
        _set_ticks(axis, item)
    figure.draw_without_rendering()
    return figure


def _set_ticks(axis: Axes, item: Mosaic) -> None:
    for values, coordinate in ((item.at_x, axis.xaxis), (item.at_y, axis.yaxis)):
        tick_indices = _choose_ticks(values)
        coordinate.set_ticks(tick_indices, [_format_tick(values[tick]) for tick in tick_indices])
        coordinate.set_tick_params(length=2 if len(values) else 0)


def _choose_ticks(values: Sequence[float] | Sequence[str]) -> list[int]:
    """Choose the positions that are labelled: names all are, of numbers a few."""
    if not values or isinstance(values[0], str):
        return list(range(len(values)))
    return sorted({round(i * (len(values) - 1) / (MAX_TICKS - 1)) for i in range(MAX_TICKS)})


def _format_tick(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"
