"""Points in the plane, without a known true distribution."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from iidgan.report import style
from iidgan.report.stats import Floats

REAL_SIZE, GENERATED_SIZE = 25, 3
"""Areas of the points: real ones are visible around the generated ones that cover them."""


def plot_points(points: Floats, real: Floats | None = None, *, title: str = "") -> Figure:
    """Draw generated points in the plane, over real ones in grey if they are given.

    Arguments:
        points: Generated points, with shape (N, 2).
        real: Real points, with shape (n, 2), or None.
        title: Title of the axis.
    """
    figure, (axis,) = style.make_subplots(1, 1, width=4.5, height=4.5)
    real_entries = {} if real is None else {"real": style.make_dot(style.BAD)}
    if real is not None:
        axis.scatter(real[:, 0], real[:, 1], s=REAL_SIZE, color=style.BAD, lw=0)
    (colour,) = style.get_mode_colours(1)
    axis.scatter(points[:, 0], points[:, 1], s=GENERATED_SIZE, color=colour, lw=0)
    set_window(axis, points, points if real is None else real)
    style.label_axis(axis, title=title, x="$x_1$", y="$x_2$")
    style.add_legend(figure, real_entries | {"generated": style.make_dot(colour)})
    return figure


def set_window(axis: Axes, points: Floats, framed_points: Floats) -> None:
    """Show points in a square, as `style.choose_window` does, around the framed ones.

    Arguments:
        axis: The axis.
        points: Points, with shape (N, 2).
        framed_points: Points that are all shown, if they are finite, with shape (n, 2).
    """
    framed_points = framed_points[np.isfinite(framed_points).all(axis=1)]
    if len(framed_points):
        centre = (framed_points.max(axis=0) + framed_points.min(axis=0)) / 2
        half_side = style.choose_window(centre, framed_points, [points])
        axis.set(xlim=centre[0] + np.array([-half_side, half_side]))
        axis.set(ylim=centre[1] + np.array([-half_side, half_side]))
    axis.set_box_aspect(1)
