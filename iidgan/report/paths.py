"""Curves in the plane: images of the lines of a latent space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from iidgan.report import style
from iidgan.report.points import set_window
from iidgan.report.stats import Floats

MAX_NAMED = 30
"""Largest number of names in a legend: more leave no room for the curves, whose colours repeat."""


def plot_paths(paths: Floats, names: Sequence[str]) -> Figure:
    """Draw curves through points in the plane, with a circle where each one starts.

    Arguments:
        paths: Points of the curves, with shape (curves, points, 2).
        names: Names of the curves, of which the legend has the first `MAX_NAMED`.
    """
    figure, (axis,) = style.make_subplots(1, 1, width=4.5, height=4.5)
    colours = style.get_mode_colours(len(paths))
    for path, colour in zip(paths, colours):
        axis.plot(path[:, 0], path[:, 1], color=colour, lw=1.2, marker=".", ms=4)
        axis.plot(*path[0], color=colour, marker="o", ms=6, mfc="none")
    all_points = paths.reshape(-1, 2)
    set_window(axis, all_points, all_points)
    style.label_axis(axis, x="$x_1$", y="$x_2$")
    named_colours = zip(names[:MAX_NAMED], colours)
    entries = {name: Line2D([], [], color=colour) for name, colour in named_colours}
    style.add_legend(figure, entries)
    return figure


def plot_mesh(mesh: Floats, row_axis: str, row_values: Sequence[float]) -> Figure:
    """Draw the lines of a grid in the plane: rows by the colour of their value, columns in grey.

    Arguments:
        mesh: Points of the grid, with shape (rows, columns, 2).
        row_axis: What changes from row to row.
        row_values: Its value in each row.
    """
    figure, (axis,) = style.make_subplots(1, 1, width=4.5, height=4.5)
    for column in mesh.transpose(1, 0, 2):
        axis.plot(column[:, 0], column[:, 1], color=style.BAD, lw=0.8)
    colours = [colormaps["viridis"](share) for share in np.linspace(0, 0.9, len(mesh))]
    for row, colour in zip(mesh, colours):
        axis.plot(row[:, 0], row[:, 1], color=colour, lw=1.2, marker=".", ms=4)
    all_points = mesh.reshape(-1, 2)
    set_window(axis, all_points, all_points)
    style.label_axis(axis, x="$x_1$", y="$x_2$")
    entries = {
        f"{row_axis} = {row_values[row]:.3g}": Line2D([], [], color=colours[row])
        for row in (0, len(mesh) // 2, -1)
    }
    style.add_legend(figure, entries)
    return figure
