"""The square-fitting example of IVGAN: what interventions see that samples do not show."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from iidgan.report import style
from iidgan.report.stats import Floats


def square_fitting(shifts: Floats, of_two: Floats, of_four: Floats, shown: float = 0.5) -> Figure:
    """Draws the squares at one shift, and both divergences over all shifts.

    Arguments:
        shifts: How far the generated square is aside, with shape (T,).
        of_two: Divergence of the real and the generated square, in nats, with shape (T,).
        of_four: Divergence of these and their interventions, in nats, with shape (T,).
        shown: The shift at which the squares are drawn.
    """
    figure, (left, right) = style.subplots(2, 2, width=3.4, height=3.2)
    real, generated, neutral = (*style.mode_colours(2), style.GUIDE)
    for x, y, colour, filled in (
        (0.0, 0.0, real, True),
        (shown, 1.0, generated, True),
        (0.0, 1.0, real, False),
        (shown, 0.0, generated, False),
    ):
        left.add_patch(
            Rectangle(
                (x - 0.5, y - 0.5),
                1,
                1,
                facecolor=(*np.array(colour)[:3], 0.3) if filled else "none",
                edgecolor=colour,
                linestyle="-" if filled else ":",
                lw=1.6,
            )
        )
    left.set(xlim=(-0.9, 1.6), ylim=(-0.8, 1.8), aspect="equal")
    style.label(left, title=f"squares, a = {shown:g}", x="$x_1$", y="$x_2$")
    right.plot(shifts, of_two, color=neutral, lw=1.8)
    right.plot(shifts, of_four, color="black", lw=1.8)
    right.set(ylim=(0, 1.1 * float(np.max(of_four))))
    style.label(right, title="divergence in nats", x="shift a")
    style.finish(
        figure,
        {
            "real": Patch(facecolor=(*np.array(real)[:3], 0.3), edgecolor=real),
            "generated": Patch(facecolor=(*np.array(generated)[:3], 0.3), edgecolor=generated),
            "intervened": Line2D([], [], color=neutral, ls=":"),
            "of the two squares": Line2D([], [], color=neutral, lw=1.8),
            "of the squares and their interventions": Line2D([], [], color="black", lw=1.8),
        },
    )
    return figure
