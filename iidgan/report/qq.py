"""Whether inverses are normal: ordered values against the quantiles they ought to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from iidgan.errors import InputError
from iidgan.report import style
from iidgan.report.stats import Floats

DIMENSIONS = 6


@dataclass(frozen=True, kw_only=True)
class QQ:
    """Ordered inverses of one method, dimension by dimension.

    Arguments:
        label: Name of the method.
        theoretical: Quantiles of N(0, 1), ascending, with shape (T,).
        ordered: Empirical quantiles of M dimensions, ascending along T, with shape (T, M).

    Raises:
        InputError: The shapes do not fit each other.
    """

    label: str
    theoretical: Floats
    ordered: Floats

    def __post_init__(self) -> None:
        if self.ordered.ndim != 2 or self.theoretical.shape != self.ordered.shape[:1]:
            raise InputError(
                f"ordered: shape {self.ordered.shape} does not fit; "
                f"expected (T, M) with T = {self.theoretical.size} quantiles"
            )


def qq_plot(items: Sequence[QQ]) -> Figure:
    """Draws one axis per method: up to 6 dimensions against the diagonal of N(0, 1).

    The vertical axis reaches to 3.5, further where more than 1 % of the values lie beyond.

    Raises:
        InputError: There is no item.
    """
    figure, axes = style.subplots(len(items), 4, width=2.6, height=2.9)
    shown = min(DIMENSIONS, max((item.ordered.shape[1] for item in items), default=0))
    colours = style.mode_colours(shown)
    for axis, item in zip(axes, items):
        total = item.ordered.shape[1]
        few = f"\n({DIMENSIONS} of {total} dimensions)" if total > DIMENSIONS else ""
        style.label(axis, title=item.label + few, x="quantile of N(0, 1)", y="ordered F(x)")
        limit = style.reach(item.ordered, 3.5)
        axis.set(xlim=(-3.5, 3.5), ylim=(-limit, limit), box_aspect=1)
        axis.axline((0, 0), slope=1, color=style.GUIDE, ls="--", lw=1, zorder=3)
        for values, colour in zip(item.ordered.T[:DIMENSIONS], colours):
            axis.plot(item.theoretical, values, color=colour, lw=1.4)
        if not np.isfinite(item.ordered).any():
            style.note(axis, "no finite value")
    entries = {f"dimension {i + 1}": Line2D([], [], color=c) for i, c in enumerate(colours)}
    entries["exactly normal"] = Line2D([], [], color=style.GUIDE, ls="--", lw=1)
    style.finish(figure, entries)
    return figure
