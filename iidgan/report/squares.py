"""The square-fitting example of IVGAN: interventions reveal a gap that samples do not show."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from iidgan.report import style
from iidgan.report.stats import Floats


def plot_square_fitting(
    shifts: Floats, of_two: Floats, of_four: Floats, shown_shift: float = 0.5
) -> Figure:
    """Draw the squares at one shift, and both divergences over all shifts.

    Arguments:
        shifts: Shifts of the generated square, with shape (T,).
        of_two: Divergence of the real and the generated square, in nats, with shape (T,).
        of_four: Divergence of these and their interventions, in nats, with shape (T,).
        shown_shift: The shift at which the squares are drawn.
    """
    figure, (squares_axis, divergence_axis) = style.make_subplots(2, 2, width=3.4, height=3.2)
    real_colour, generated_colour, neutral_colour = (*style.get_mode_colours(2), style.GUIDE)
    for x, y, colour, is_filled in (
        (0.0, 0.0, real_colour, True),
        (shown_shift, 1.0, generated_colour, True),
        (0.0, 1.0, real_colour, False),
        (shown_shift, 0.0, generated_colour, False),
    ):
        squares_axis.add_patch(
            Rectangle(
                (x - 0.5, y - 0.5),
                1,
                1,
                facecolor=(*np.array(colour)[:3], 0.3) if is_filled else "none",
                edgecolor=colour,
                linestyle="-" if is_filled else ":",
                lw=1.6,
            )
        )
    squares_axis.set(xlim=(-0.9, 1.6), ylim=(-0.8, 1.8), aspect="equal")
    style.label_axis(squares_axis, title=f"squares, a = {shown_shift:g}", x="$x_1$", y="$x_2$")
    divergence_axis.plot(shifts, of_two, color=neutral_colour, lw=1.8)
    divergence_axis.plot(shifts, of_four, color="black", lw=1.8)
    divergence_axis.set(ylim=(0, 1.1 * float(np.max(of_four))))
    style.label_axis(divergence_axis, title="divergence in nats", x="shift a")
    style.add_legend(
        figure,
        {
            "real": Patch(facecolor=(*np.array(real_colour)[:3], 0.3), edgecolor=real_colour),
            "generated": Patch(
                facecolor=(*np.array(generated_colour)[:3], 0.3), edgecolor=generated_colour
            ),
            "intervened": Line2D([], [], color=neutral_colour, ls=":"),
            "of the two squares": Line2D([], [], color=neutral_colour, lw=1.8),
            "of the squares and their interventions": Line2D([], [], color="black", lw=1.8),
        },
    )
    return figure
