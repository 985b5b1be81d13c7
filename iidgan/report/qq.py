"""QQ plots: whether codes are normal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from iidgan.errors import InputError
from iidgan.report import style
from iidgan.report.stats import Floats

MAX_DIMENSIONS = 6


@dataclass(frozen=True, kw_only=True)
class QQ:
    """Quantiles of one method's codes in each dimension.

    Arguments:
        label: Name of the method.
        theoretical: Quantiles of N(0, 1), ascending, with shape (T,).
        ordered: Empirical quantiles of M dimensions, ascending along T, with shape (T, M).

    Raises:
        InputError: The shapes do not fit each other.

    Examples:
        >>> normal_quantiles = np.array([-0.67, 0.0, 0.67])
        >>> wide_codes = QQ(
        ...     label="GAN", theoretical=normal_quantiles, ordered=2 * normal_quantiles[:, None]
        ... )
        >>> wide_codes.ordered[:, 0].tolist()
        [-1.34, 0.0, 1.34]
    """

    label: str
    theoretical: Floats
    ordered: Floats

    def __post_init__(self) -> None:
        if self.ordered.ndim != 2 or self.theoretical.shape != self.ordered.shape[:1]:
            raise InputError(
                f"ordered: expected shape (T, M) with T = {self.theoretical.size} quantiles, got "
                f"{self.ordered.shape}"
            )


def plot_qq(items: Sequence[QQ]) -> Figure:
    """Draw one axis per method: up to 6 dimensions against the diagonal of N(0, 1).

    The vertical axis ends at 3.5, or later if over 1 % of the values exceed it.

    Arguments:
        items: The methods.

    Raises:
        InputError: There are no items.
    """
    figure, axes = style.make_subplots(len(items), 4, width=2.6, height=2.9)
    num_shown = min(MAX_DIMENSIONS, max((item.ordered.shape[1] for item in items), default=0))
    colours = style.get_mode_colours(num_shown)
    for axis, item in zip(axes, items):
        num_dims = item.ordered.shape[1]
        is_cut = num_dims > MAX_DIMENSIONS
        title_suffix = f"\n({MAX_DIMENSIONS} of {num_dims} dimensions)" if is_cut else ""
        style.label_axis(
            axis, title=item.label + title_suffix, x="quantile of N(0, 1)", y="ordered F(x)"
        )
        axis_limit = style.symmetric_limit(item.ordered, 3.5)
        axis.set(xlim=(-3.5, 3.5), ylim=(-axis_limit, axis_limit), box_aspect=1)
        axis.axline((0, 0), slope=1, color=style.GUIDE, ls="--", lw=1, zorder=3)
        for values, colour in zip(item.ordered.T[:MAX_DIMENSIONS], colours):
            axis.plot(item.theoretical, values, color=colour, lw=1.4)
        if not np.isfinite(item.ordered).any():
            style.write_note(axis, "no finite value")
    entries = {f"dimension {i + 1}": Line2D([], [], color=c) for i, c in enumerate(colours)}
    entries["exactly normal"] = Line2D([], [], color=style.GUIDE, ls="--", lw=1)
    style.add_legend(figure, entries)
    return figure
