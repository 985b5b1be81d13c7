"""Points in the plane, where no truth is known."""

from __future__ import annotations

from matplotlib.figure import Figure

from iidgan.report import style
from iidgan.report.stats import Floats


def scatter(points: Floats, real: Floats | None = None) -> Figure:
    """Draws generated points (N, 2), over real ones in grey where these are given."""
    figure, (axis,) = style.subplots(1, 1, width=4.5, height=4.5)
    if real is not None:
        axis.scatter(real[:, 0], real[:, 1], s=4, color=style.BAD, lw=0, label="real")
    x, y = points.T
    axis.scatter(x, y, s=4, color=style.mode_colours(1)[0], lw=0, label="generated")
    axis.set_aspect("equal", adjustable="datalim")
    style.label(axis, x="$x_1$", y="$x_2$")
    if real is not None:
        axis.legend(loc="upper right", markerscale=3)
    return figure
