"""Generated images where they belong: on a lattice in latent space, or side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from iidgan.errors import InputError
from iidgan.report import style
from iidgan.report.grid import image_grid
from iidgan.report.stats import Floats

TICKS = 5


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    """Images on a lattice.

    Arguments:
        label: What they are.
        images: As for `image_grid`, with shape (rows, columns, C, H, W); the first row is on top.
        x: What changes from left to right; nothing if empty.
        y: What changes from top to bottom.
        at_x: Its value in each column; none if empty.
        at_y: Its value in each row.

    Raises:
        InputError: A shape does not fit the others.
    """

    label: str
    images: Floats
    x: str = ""
    y: str = ""
    at_x: Sequence[float] = ()
    at_y: Sequence[float] = ()

    def __post_init__(self) -> None:
        if self.images.ndim != 5:
            raise InputError(
                f"images: shape {self.images.shape} does not fit; "
                "expected (rows, columns, C, H, W)"
            )
        for name, at, count in zip(("at_x", "at_y"), (self.at_x, self.at_y), self._columns_rows):
            if len(at) not in (0, count):
                raise InputError(f"{name}: {len(at)} values do not fit {count} images in a line")

    @property
    def _columns_rows(self) -> tuple[int, int]:
        return self.images.shape[1], self.images.shape[0]


def mosaics(items: Sequence[Mosaic], *, columns: int = 2, side: float = 4.2) -> Figure:
    """Draws one axis per lattice, each `side` inches wide.

    Raises:
        InputError: There is no lattice.
    """
    tallest = max((item.images.shape[0] / item.images.shape[1] for item in items), default=1.0)
    figure, axes = style.subplots(len(items), columns, width=side, height=side * tallest)
    for axis, item in zip(axes, items):
        rows, across, *shape = item.images.shape
        sheet = np.asarray(image_grid(item.images.reshape(-1, *shape), across, scale=1))
        extent = (-0.5, across - 0.5, rows - 0.5, -0.5)
        axis.imshow(
            sheet,
            cmap="gray",
            vmin=0,
            vmax=255,
            extent=extent,
            aspect="auto",
            interpolation="none",
        )
        axis.set_box_aspect(rows / across)
        style.label(axis, x=item.x, y=item.y)
        axis.set_title(item.label, fontsize=style.MEDIUM)
        _mark(axis, item)
    figure.draw_without_rendering()
    return figure


def _mark(axis: Axes, item: Mosaic) -> None:
    for values, place in ((item.at_x, axis.xaxis), (item.at_y, axis.yaxis)):
        ticks = np.unique(np.linspace(0, max(len(values) - 1, 0), TICKS).round().astype(int))
        shown = ticks if len(values) else ticks[:0]
        place.set_ticks(shown, [f"{values[tick]:.3g}" for tick in shown])
        place.set_tick_params(length=2 if len(values) else 0)
