"""Points in the plane, without a known true distribution."""

from __future__ import annotations

from matplotlib.figure import Figure

from iidgan.report import style
from iidgan.report.stats import Floats


def plot_points(points: Floats, real: Floats | None = None) -> Figure:
    """Draw generated points (N, 2), over real ones in grey if they are given."""
    figure, (axis,) = style.make_subplots(1, 1, width=4.5, height=4.5)
    if real is not None:
        axis.scatter(real[:, 0], real[:, 1], s=4, color=style.BAD, lw=0, label="real")
    x, y = points.T
    axis.scatter(x, y, s=4, color=style.get_mode_colours(1)[0], lw=0, label="generated")
    axis.set_aspect("equal", adjustable="datalim")
    style.label_axis(axis, x="$x_1$", y="$x_2$")
    if real is not None:
        axis.legend(loc="upper right", markerscale=3)
    return figure
