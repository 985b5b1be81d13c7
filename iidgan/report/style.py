"""Common style of figures: colours for colour-blind readers, and text of at least 8 pt."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from PIL.Image import Image

from iidgan.errors import InputError
from iidgan.report.stats import Floats
from iidgan.utils.files import write_file

DPI = 150
BAD = "#c4c4c4"
"""Colour of samples that belong to no mode."""
GUIDE = "#606060"
"""Colour of reference lines, such as circles and diagonals."""
SMALL, MEDIUM = 8, 9  # font sizes
LEGEND_HEIGHT = 0.5

_SMALL_PALETTE = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#000000",
    "#f0e442",
)
_LARGE_PALETTE = (
    *("#4eff00", "#d80089", "#4e9dff", "#ff7614", "#3b3b76", "#c46200", "#62ebff", "#004e4e"),
    *("#2762ff", "#b1b176", "#000089", "#007689", "#d89dd8", "#760000", "#0027ff", "#9d4e62"),
    *("#89d889", "#c40000", "#eb62eb", "#4e6227", "#ebb127", "#7662c4", "#3b144e", "#62894e"),
    *("#4e00d8", "#c462b1", "#00ff9d", "#ff3b4e", "#7600b1", "#c48989"),
)


Colour = tuple[float, float, float]


def get_mode_colours(num_modes: int) -> list[Colour]:
    """Return the colours of modes, as red, green and blue in [0, 1].

    Up to 8 modes get the set of Okabe and Ito. More get 30 colours that are far apart in OKLab for
    normal, protan and deutan vision; colours 1 and 5 positions apart, the neighbours on a ring
    and on a 5 x 5 grid, differ most. They repeat after 30.

    Arguments:
        num_modes: Number of modes.

    References:
        Color Universal Design (Okabe and Ito, 2008), https://jfly.uni-koeln.de/color/
        A physiologically-based model for simulation of color vision deficiency (Machado, Oliveira
        and Fernandes, 2009), https://doi.org/10.1109/TVCG.2009.113

    Examples:
        >>> colours = get_mode_colours(25)
        >>> len(set(colours))
        25
    """
    mode_palette = _SMALL_PALETTE if num_modes <= len(_SMALL_PALETTE) else _LARGE_PALETTE
    return [to_rgb(mode_palette[i % len(mode_palette)]) for i in range(num_modes)]


def make_subplots(
    num_axes: int, max_columns: int, *, width: float, height: float
) -> tuple[Figure, list[Axes]]:
    """Create a figure with axes, row by row; below them there is space for a legend.

    Arguments:
        num_axes: Number of axes.
        max_columns: Largest number of axes in a row.
        width: Width of an axis in inches.
        height: Height of an axis in inches.

    Raises:
        InputError: There are no axes.
    """
    if num_axes < 1:
        raise InputError("items: a figure needs at least one, got none")
    num_columns = min(num_axes, max_columns)
    num_rows = -(-num_axes // num_columns)
    figure_size = (max(width * num_columns, 4.0), height * num_rows + LEGEND_HEIGHT)
    figure = Figure(figsize=figure_size, layout="compressed")
    axes = [figure.add_subplot(num_rows, num_columns, i + 1) for i in range(num_axes)]
    for axis in axes:
        axis.tick_params(labelsize=SMALL)
    return figure, axes


def label_axis(axis: Axes, *, title: str = "", x: str = "", y: str = "") -> None:
    """Set the title and the axis labels in the common font sizes.

    Arguments:
        axis: The axis.
        title: Its title, which is wrapped.
        x: Label of the horizontal axis.
        y: Label of the vertical axis.
    """
    axis.set_title(wrap_text(title), fontsize=MEDIUM)
    axis.set_xlabel(x, fontsize=SMALL)
    axis.set_ylabel(y, fontsize=SMALL)


def wrap_text(text: str) -> str:
    """Break lines that are longer than an axis is wide."""
    return "\n".join(textwrap.fill(line, 26) for line in text.splitlines())


def add_legend(figure: Figure, entries: Mapping[str, Artist | tuple[Artist, ...]]) -> None:
    """Add a legend below all axes, and compute the layout.

    Several artists of one entry are drawn side by side. Axes of fixed aspect get their final
    position in a second pass, when the figure is drawn.

    Arguments:
        figure: The figure, with the axes drawn.
        entries: Artists by the text of their entry.
    """
    max_entry_width = max(len(text) for text in entries) * 0.065 + 0.6
    num_columns = int(np.clip(figure.get_figwidth() // max_entry_width, 1, len(entries)))
    figure.legend(
        handles=entries.values(),
        labels=entries.keys(),
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="outside lower center",
        ncols=num_columns,
        fontsize=SMALL,
    )
    figure.draw_without_rendering()


def make_dot(colour: Colour | str) -> Line2D:
    """Create the legend's marker of points of a colour."""
    return Line2D([], [], marker="o", ls="", ms=5, mfc=colour, mec="none")


def choose_window(centre: Floats, real: Floats, generated: Sequence[Floats]) -> float:
    """Choose half the side of a square that shows real points and samples of several methods.

    Real points are all in it, with a margin. Of the samples, which may lie far outside, it shows
    at least 99 % for the median method: one that diverges must not shrink all others.

    Arguments:
        centre: Centre of the square, with shape (2,).
        real: Points, or centres of modes, with shape (N, 2).
        generated: Samples of each method, with shape (N, 2).

    Examples:
        >>> real, diverged = np.array([[2.0, 0.0], [-2.0, 0.0]]), np.full((100, 2), 1e6)
        >>> choose_window(np.zeros(2), real, [real, real, diverged])
        2.5
    """
    min_limit = 1.25 * float(np.abs(real - centre).max(initial=0.0)) or 1.0
    return float(np.median([symmetric_limit(x - centre, min_limit) for x in generated]))


def write_note(axis: Axes, text: str) -> None:
    """Write a text in the middle of an axis where nothing is drawn."""
    axis.set(xticks=[], yticks=[])
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", fontsize=MEDIUM)


def symmetric_limit(values: Floats, min_limit: float) -> float:
    """Compute a symmetric limit: `min_limit`, or more if over 1 % of the values exceed it.

    Arguments:
        values: Values of any shape; those that are not finite are ignored.
        min_limit: Smallest limit.

    Returns:
        max(min_limit, q), where q is the 99 % quantile of |values|.

    Examples:
        >>> symmetric_limit(np.array([-1.0] * 999 + [500.0]), min_limit=3.5)
        3.5
    """
    magnitudes = np.abs(values[np.isfinite(values)])
    return max(min_limit, float(np.quantile(magnitudes, 0.99))) if magnitudes.size else min_limit


def save_figure(figure: Figure | Image, path: str | os.PathLike[str]) -> Path:
    r"""Write a PNG atomically (figures at 150 dpi); missing folders are created.

    The same figure gives the same bytes.

    Arguments:
        figure: Figure of Matplotlib, or image of Pillow.
        path: The file; an existing one is replaced.

    Returns:
        The path.

    Raises:
        InputError: The file cannot be written.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> from PIL import Image
        >>> with TemporaryDirectory() as folder:
        ...     path = save_figure(Image.new("L", (8, 8)), f"{folder}/figures/black.png")
        ...     path.read_bytes()[:4]
        b'\x89PNG'
    """
    figure_path = Path(path)

    def write_png(temporary_path: Path) -> None:
        if isinstance(figure, Image):
            figure.save(temporary_path, format="png")
        else:
            figure.savefig(temporary_path, format="png", dpi=DPI, metadata={"Software": None})

    write_file(figure_path, write_png)
    return figure_path
