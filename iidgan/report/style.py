"""One look for every figure: colours that colour-blind readers tell apart, text of 8 pt and up."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL.Image import Image

from iidgan.errors import InputError
from iidgan.report.stats import Floats
from iidgan.utils.files import write

DPI = 150
BAD = "#c4c4c4"
"""Samples that belong to no mode."""
GUIDE = "#606060"
"""Lines that guide the eye: axes' reference circles, diagonals."""
SMALL, MEDIUM = 8, 9
LEGEND = 0.5

_FEW = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000", "#f0e442")
_MANY = (
    *("#4eff00", "#d80089", "#4e9dff", "#ff7614", "#3b3b76", "#c46200", "#62ebff", "#004e4e"),
    *("#2762ff", "#b1b176", "#000089", "#007689", "#d89dd8", "#760000", "#0027ff", "#9d4e62"),
    *("#89d889", "#c40000", "#eb62eb", "#4e6227", "#ebb127", "#7662c4", "#3b144e", "#62894e"),
    *("#4e00d8", "#c462b1", "#00ff9d", "#ff3b4e", "#7600b1", "#c48989"),
)


Colour = tuple[float, float, float]


def mode_colours(count: int) -> list[Colour]:
    """Picks the colours of `count` modes, as red, green and blue in [0, 1].

    Up to 8, the set of Okabe and Ito. Beyond, 30 colours spread apart in OKLab under normal,
    protan and deutan sight, in an order in which numbers 1 and 5 apart, the neighbours on a
    ring and on a 5 x 5 grid, differ most. They repeat after 30.

    References:
        | Color Universal Design (Okabe and Ito, 2008)
        | https://jfly.uni-koeln.de/color/
        | A physiologically-based model for simulation of color vision deficiency (Machado,
          Oliveira and Fernandes, 2009)
        | https://doi.org/10.1109/TVCG.2009.113
    """
    chosen = _FEW if count <= len(_FEW) else _MANY
    return [to_rgb(chosen[i % len(chosen)]) for i in range(count)]


def subplots(
    count: int, columns: int, *, width: float, height: float
) -> tuple[Figure, list[Axes]]:
    """Makes a figure of `count` axes, row by row, each `width` x `height` inches.

    Below them there is room for a legend.

    Raises:
        InputError: There is nothing to draw.
    """
    if count < 1:
        raise InputError("items: none given; a figure needs at least one")
    columns = min(count, columns)
    rows = -(-count // columns)
    size = (max(width * columns, 4.0), height * rows + LEGEND)
    figure = Figure(figsize=size, layout="compressed")
    axes = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    for axis in axes:
        axis.tick_params(labelsize=SMALL)
    return figure, axes


def label(axis: Axes, *, title: str = "", x: str = "", y: str = "") -> None:
    """Writes the title and the axis labels in the sizes that all figures share."""
    axis.set_title(wrap(title), fontsize=MEDIUM)
    axis.set_xlabel(x, fontsize=SMALL)
    axis.set_ylabel(y, fontsize=SMALL)


def wrap(text: str) -> str:
    """Breaks lines that are longer than an axis is wide."""
    return "\n".join(textwrap.fill(line, 26) for line in text.splitlines())


def finish(figure: Figure, entries: Mapping[str, Artist]) -> None:
    """Explains the marks and colours below all axes, and lays the figure out once.

    Axes of fixed aspect find their place in a second pass, which is that of drawing.
    """
    widest = max(len(text) for text in entries) * 0.065 + 0.6
    columns = int(np.clip(figure.get_figwidth() // widest, 1, len(entries)))
    figure.legend(
        handles=entries.values(),
        labels=entries.keys(),
        loc="outside lower center",
        ncols=columns,
        fontsize=SMALL,
    )
    figure.draw_without_rendering()


def note(axis: Axes, text: str) -> None:
    """Says in the middle of an axis why nothing is drawn there."""
    axis.set(xticks=[], yticks=[])
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", fontsize=MEDIUM)


def reach(values: Floats, least: float) -> float:
    """Computes a symmetric limit: `least`, or more if over 1 % of the values lie beyond it."""
    sizes = np.abs(values[np.isfinite(values)])
    return max(least, float(np.quantile(sizes, 0.99))) if sizes.size else least


def save(picture: Figure | Image, path: str | os.PathLike[str]) -> Path:
    """Writes a PNG (figures at 150 dpi) that is there in full or not at all.

    The same picture gives the same bytes. Missing folders are made.

    Raises:
        InputError: The file cannot be written.
    """
    target = Path(path)

    def fill(place: Path) -> None:
        if isinstance(picture, Image):
            picture.save(place, format="png")
        else:
            picture.savefig(place, format="png", dpi=DPI, metadata={"Software": None})

    write(target, fill)
    return target
