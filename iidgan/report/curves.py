"""Numbers along training: means, ranges, and where there are few, every seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, MaxNLocator

from iidgan.errors import InputError
from iidgan.report import style
from iidgan.report.stats import Floats
from iidgan.report.style import Colour

MOST_LINES = 10  # of single seeds in one axis: more hide the means


@dataclass(frozen=True, kw_only=True)
class Series:
    """One number of S seeds along training.

    Arguments:
        label: Name of the method.
        steps: Training steps, with shape (T,).
        values: Values, with shape (S, T); NaN where a seed has none, as after it diverged.

    Raises:
        InputError: The shapes do not fit each other.
    """

    label: str
    steps: Floats
    values: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.steps.shape != self.values.shape[1:]:
            raise InputError(
                f"values: shape {self.values.shape} does not fit; "
                f"expected (S, T) with T = {self.steps.size} steps"
            )


def curves(series: Sequence[Series], *, ylabel: str, log: bool = False) -> Figure:
    """Draws the mean over seeds, the range from the least to the greatest, and each seed.

    A seed counts where it is finite; a cross marks its last value if it ends before the others.
    Single seeds are drawn where all series together have at most 10.

    Arguments:
        series: What to compare.
        ylabel: What the values are.
        log: Whether to scale the values logarithmically, if all of them are positive.

    Raises:
        InputError: There is no series.
    """
    return curve_grid({ylabel: series}, log=(ylabel,) if log else ())


def curve_grid(metrics: Mapping[str, Sequence[Series]], *, log: Collection[str] = ()) -> Figure:
    """Draws small multiples, one axis per metric, with one colour per label throughout.

    Arguments:
        metrics: Series by the name of their metric.
        log: Names of the metrics to scale logarithmically, if all their values are positive.

    Raises:
        InputError: There is no metric, or one without a series.
    """
    for name, series in metrics.items():
        if not series:
            raise InputError(f"series: none given for {name!r}; a curve needs at least one")
    single = len(metrics) == 1
    size = (5.5, 3.8) if single else (3.4, 2.6)
    figure, axes = style.subplots(len(metrics), 3, width=size[0], height=size[1])
    seeds = {item.label: len(item.values) for series in metrics.values() for item in series}
    colours = dict(zip(seeds, style.mode_colours(len(seeds))))
    for axis, (name, series) in zip(axes, metrics.items()):
        style.label(axis, x="step", y=name)
        _scale(axis, series, log=name in log)
        _draw(axis, series, colours)
    _legend(figure, seeds, colours)
    return figure


def _draw(axis: Axes, series: Sequence[Series], colours: Mapping[str, Colour]) -> None:
    single_seeds = sum(len(item.values) for item in series) <= MOST_LINES
    for item in series:
        colour = colours[item.label]
        values = np.ma.masked_invalid(item.values)
        low, high = values.min(axis=0), values.max(axis=0)
        axis.fill_between(item.steps, low, high, color=colour, alpha=0.2, lw=0)
        single = "o" if len(item.steps) == 1 else ""  # a line of one point is not seen
        axis.plot(item.steps, values.mean(axis=0), color=colour, lw=1.8, marker=single)
        if single_seeds and len(values) > 1:
            axis.plot(item.steps, values.T, color=colour, lw=0.5, alpha=0.7)
        axis.plot(*_ends(item), "X", color=colour, mec="white", ms=9, zorder=4)
    if not any(np.isfinite(item.values).any() for item in series):
        style.note(axis, "no finite value")


def _ends(item: Series) -> tuple[list[float], list[float]]:
    """Finds the last finite point of every seed that ends before the last step."""
    steps, ends = [], []
    for values in item.values:
        finite = np.flatnonzero(np.isfinite(values))
        if finite.size and finite[-1] < len(values) - 1:
            steps.append(float(item.steps[finite[-1]]))
            ends.append(float(values[finite[-1]]))
    return steps, ends


def _scale(axis: Axes, series: Sequence[Series], *, log: bool) -> None:
    values = np.concatenate([item.values.ravel() for item in series])
    values = values[np.isfinite(values)]
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    if log and values.size and values.min() > 0:
        axis.set_yscale("log")
    axis.grid(alpha=0.3, lw=0.5)


def _legend(figure: Figure, seeds: Mapping[str, int], colours: Mapping[str, Colour]) -> None:
    entries: dict[str, Artist] = {
        f"{name}, {count} seed{'s'[: count > 1]}": Line2D([], [], color=colours[name], lw=1.8)
        for name, count in seeds.items()
    }
    entries["mean, least and greatest seed"] = Patch(color=style.GUIDE, alpha=0.2, lw=0)
    cross = Line2D([], [], color=style.GUIDE, marker="X", mec="white", ms=9, ls="")
    entries["a seed ends early"] = cross
    style.finish(figure, entries)
