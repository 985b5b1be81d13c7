"""Curves over training: means and ranges over seeds and, if they are few, every seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, LogFormatter, MaxNLocator

from iidgan.errors import InputError
from iidgan.report import style
from iidgan.report.stats import Floats
from iidgan.report.style import Colour

MAX_SEED_LINES = 10  # in one axis: more would hide the means


@dataclass(frozen=True, kw_only=True)
class Series:
    """One value of S seeds over training.

    Arguments:
        label: Name of the method.
        steps: Training steps, with shape (T,).
        values: Values, with shape (S, T); NaN where a seed has none, as after divergence.

    Raises:
        InputError: The shapes do not fit each other.

    Examples:
        >>> steps, values = np.array([0.0, 100.0]), np.array([[1.0, 3.0], [1.0, 5.0]])
        >>> series = Series(label="GAN", steps=steps, values=values)
        >>> series.values.mean(axis=0).tolist()
        [1.0, 4.0]
    """

    label: str
    steps: Floats
    values: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.steps.shape != self.values.shape[1:]:
            raise InputError(
                f"values: expected shape (S, T) with T = {self.steps.size} steps, got "
                f"{self.values.shape}"
            )


def plot_curve_grid(
    metrics: Mapping[str, Sequence[Series]], *, log: Collection[str] = ()
) -> Figure:
    """Draw one axis per metric, with one colour per label in all of them.

    Each shows the mean over seeds, the range from minimum to maximum, and, if all series together
    have at most 10 seeds, each of these. Values that are not finite are ignored; a cross marks
    the last value of a seed that ends before the others.

    Arguments:
        metrics: Series by the name of their metric.
        log: Names of the metrics with a logarithmic scale, if all their values are positive.

    Raises:
        InputError: There are no metrics, or one has no series.
    """
    for name, series in metrics.items():
        if not series:
            raise InputError(f"series: {name!r} needs at least one, got none")
    width, height = (5.5, 3.8) if len(metrics) == 1 else (3.4, 2.6)
    figure, axes = style.make_subplots(len(metrics), 3, width=width, height=height)
    seed_counts = {item.label: len(item.values) for series in metrics.values() for item in series}
    colours = dict(zip(seed_counts, style.get_mode_colours(len(seed_counts))))
    for axis, (name, series) in zip(axes, metrics.items()):
        style.label_axis(axis, x="step", y=name)
        _set_scales(axis, series, log=name in log)
        _draw_series(axis, series, colours)
    _add_legend(figure, metrics, seed_counts, colours)
    return figure


def _draw_series(axis: Axes, series: Sequence[Series], colours: Mapping[str, Colour]) -> None:
    draws_seeds = _draws_seeds(series)
    for item in series:
        colour = colours[item.label]
        values = np.ma.masked_invalid(item.values)
        min_values, max_values = values.min(axis=0), values.max(axis=0)
        axis.fill_between(item.steps, min_values, max_values, color=colour, alpha=0.2, lw=0)
        mean_values = values.mean(axis=0)
        point_marker = "o" if mean_values.count() == 1 else ""  # a line of one point is invisible
        axis.plot(item.steps, mean_values, color=colour, lw=1.8, marker=point_marker)
        if draws_seeds and len(values) > 1:
            axis.plot(item.steps, values.T, color=colour, lw=0.5, alpha=0.7)
        axis.plot(*_find_early_ends(item), "X", color=colour, mec="white", ms=9, zorder=4)
    if not any(np.isfinite(item.values).any() for item in series):
        style.write_note(axis, "no finite value")


def _draws_seeds(series: Sequence[Series]) -> bool:
    """Whether an axis of these series shows single seeds, where they have several."""
    return sum(len(item.values) for item in series) <= MAX_SEED_LINES


def _find_early_ends(item: Series) -> tuple[list[float], list[float]]:
    """Find the last finite point of every seed that ends before the last step."""
    last_steps, last_values = [], []
    for values in item.values:
        finite_indices = np.flatnonzero(np.isfinite(values))
        if finite_indices.size and finite_indices[-1] < len(values) - 1:
            last_steps.append(float(item.steps[finite_indices[-1]]))
            last_values.append(float(values[finite_indices[-1]]))
    return last_steps, last_values


def _set_scales(axis: Axes, series: Sequence[Series], *, log: bool) -> None:
    values = np.concatenate([item.values.ravel() for item in series])
    values = values[np.isfinite(values)]
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    if log and values.size and values.min() > 0:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(LogFormatter())
        axis.yaxis.set_minor_formatter(LogFormatter())
        axis.tick_params(axis="y", which="minor", labelsize=style.SMALL)
    elif values.size and values.min() == values.max():  # by default +-5 %: ticks of no meaning
        margin = max(abs(values[0]), 1.0) / 2
        axis.set_ylim(values[0] - margin, values[0] + margin)
    axis.grid(alpha=0.3, lw=0.5)


def _add_legend(
    figure: Figure,
    metrics: Mapping[str, Sequence[Series]],
    seed_counts: Mapping[str, int],
    colours: Mapping[str, Colour],
) -> None:
    """Explain what the axes show, and nothing else."""
    counts = {name: f"{count} seed{'s'[: count > 1]}" for name, count in seed_counts.items()}
    is_same = len({*counts.values()}) == 1 and max(seed_counts.values()) > 1
    entries: dict[str, Artist] = {
        name if is_same else f"{name}, {count}": Line2D([], [], color=colours[name], lw=1.8)
        for name, count in counts.items()
    }
    if max(seed_counts.values()) > 1:
        seeds = next(iter(counts.values())) if is_same else "seeds"
        patch = Patch(color=style.GUIDE, alpha=0.2, lw=0)
        entries[f"mean, minimum and maximum over {seeds}"] = patch
        if any(map(_draws_seeds, metrics.values())):
            entries["each seed"] = Line2D([], [], color=style.GUIDE, lw=0.5, alpha=0.7)
    if any(_find_early_ends(item)[0] for series in metrics.values() for item in series):
        cross_marker = Line2D([], [], color=style.GUIDE, marker="X", mec="white", ms=9, ls="")
        entries["a seed ends early"] = cross_marker
    style.add_legend(figure, entries)
