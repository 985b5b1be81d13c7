"""Where the modes lie in latent space, and how evenly the generator serves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from iidgan.errors import InputError
from iidgan.report import style
from iidgan.report.stats import Floats
from iidgan.report.style import Colour

Ints = npt.NDArray[np.int64]

TITLES = (
    "(a) inverses F(x),\nby the mode of x",
    "(b) prior samples z,\nby the mode of G(z)",
    "(c) samples G(z) over\nthe true centres",
    "(d) shares of modes\namong good samples",
)
LABELLED_SLICES = 10
CENTRE = 8


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What one method does to a two-dimensional prior and a mixture of K modes in the plane.

    Arguments:
        label: Name of the method.
        codes: F(x) of real data, with shape (n, 2), or None without an inverse.
        code_modes: Modes of these x, with shape (n,).
        z: Samples of the prior, with shape (N, 2).
        z_modes: Modes of G(z), with shape (N,); -1 = bad, in no mode.
        generated: G(z), with shape (N, 2).
        centres: True centres of the modes, with shape (K, 2).
        std: True standard deviation of each mode; 3 of it is the radius of a good sample.

    Raises:
        InputError: A shape does not fit the others.
    """

    label: str
    codes: Floats | None = None
    code_modes: Ints | None = None
    z: Floats
    z_modes: Ints
    generated: Floats
    centres: Floats
    std: float

    def __post_init__(self) -> None:
        _check("centres", self.centres, max(len(self.centres), 1))
        _check("z", self.z, len(self.z_modes))
        _check("generated", self.generated, len(self.z_modes))
        code_modes = np.empty(0, int) if self.code_modes is None else self.code_modes
        if self.codes is not None:
            _check("codes", self.codes, len(code_modes))
        most = np.concatenate([[-1], self.z_modes, code_modes]).max()
        if most >= len(self.centres):
            raise InputError(f"modes: {most} is too large; there are {len(self.centres)} centres")

    @property
    def counts(self) -> Ints:
        """Good samples of each mode, with shape (K,)."""
        return np.bincount(self.z_modes[self.z_modes >= 0], minlength=len(self.centres))

    @property
    def summary(self) -> str:
        """Counts the modes with at least one good sample, and the bad samples."""
        counts, total = self.counts, len(self.z_modes)
        bad = 1 - counts.sum() / total if total else float("nan")
        return f"{np.count_nonzero(counts)} of {len(counts)} modes, {bad:.1%} bad"


def latent_panels(panels: Sequence[Panel]) -> Figure:
    """Draws one row of four axes per method: codes, prior, samples and shares of the modes.

    Latent axes reach to 3.5, further where more than 1 % of the points lie beyond.

    Raises:
        InputError: There is no panel.
    """
    figure, axes = style.subplots(4 * len(panels), 4, width=2.5, height=2.7)
    for index, panel in enumerate(panels):
        codes, prior, samples, shares = axes[4 * index : 4 * index + 4]
        colours = style.mode_colours(len(panel.centres))
        style.label(codes, x="$z_1$")
        codes.set_ylabel(
            f"{style.wrap(panel.label)}\n$z_2$", fontsize=style.MEDIUM, fontweight="bold"
        )
        style.label(prior, x="$z_1$", y="$z_2$")
        _draw_latent(codes, panel.codes, panel.code_modes, colours)
        _draw_latent(prior, panel.z, panel.z_modes, colours)
        _draw_generated(samples, panel, _window([panel]))
        _draw_shares(shares, panel, colours)
    for axis, title in zip(axes, TITLES):
        axis.set_title(title, fontsize=style.MEDIUM)
    figure.align_ylabels(axes[::4])
    _legend(figure, panels, prior=True)
    return figure


def generations(panels: Sequence[Panel]) -> Figure:
    """Draws the generated samples of several methods side by side, in the same window.

    Raises:
        InputError: There is no panel.
    """
    figure, axes = style.subplots(len(panels), 4, width=2.5, height=2.8)
    window = _window(panels)
    for axis, panel in zip(axes, panels):
        _draw_generated(axis, panel, window)
        style.label(axis, title=f"{panel.label}\n{panel.summary}", x="$x_1$", y="$x_2$")
    _legend(figure, panels, prior=False)
    return figure


def _check(name: str, points: Floats, count: int) -> None:
    if points.shape != (count, 2):
        raise InputError(f"{name}: shape {points.shape} does not fit; expected ({count}, 2)")


def _draw_latent(
    axis: Axes, z: Floats | None, modes: Ints | None, colours: Sequence[Colour]
) -> None:
    if z is None or modes is None or not np.isfinite(z).any():
        axis.set_box_aspect(1)
        style.note(axis, "no inverse" if z is None else "no finite value")
        return
    limit = style.reach(z, 3.5)
    axis.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    _scatter(axis, z, modes, colours)
    for radius in (1, 2):
        axis.add_patch(Circle((0, 0), radius, fill=False, color=style.GUIDE, lw=0.8, zorder=3))


def _draw_generated(axis: Axes, panel: Panel, window: tuple[Floats, float]) -> None:
    middle, half = window
    axis.set(xlim=middle[0] + [-half, half], ylim=middle[1] + [-half, half], aspect="equal")
    style.label(axis, x="$x_1$", y="$x_2$")
    _scatter(
        axis, panel.generated, panel.z_modes, style.mode_colours(len(panel.centres)), least=10
    )
    axis.plot(*panel.centres.T, "o", ms=CENTRE, mfc="none", mec="black", mew=0.8)


def _draw_shares(axis: Axes, panel: Panel, colours: Sequence[Colour]) -> None:
    style.label(axis, x=panel.summary)
    axis.xaxis.labelpad = 10
    counts = panel.counts
    if not counts.any():
        axis.set_frame_on(False)
        style.note(axis, "no good sample")
        return
    shares = counts / counts.sum()
    few = len(counts) <= LABELLED_SLICES
    axis.pie(
        shares,
        colors=colours,
        labels=[f"{share:.0%}" if few and share >= 0.03 else "" for share in shares],
        labeldistance=1.22,
        startangle=90,
        textprops={"fontsize": style.SMALL, "ha": "center"},
        wedgeprops={"edgecolor": "white", "linewidth": 0.5},
    )


def _scatter(
    axis: Axes, points: Floats, modes: Ints, colours: Sequence[Colour], *, least: float = 1.0
) -> None:
    """Draws bad points in grey beneath the others, which lie in random order."""
    size = float(np.clip(12_000 / max(len(points), 1), 1, 8))
    order = np.random.default_rng(0).permutation(len(points))
    points, modes = points[order], modes[order]
    bad = modes < 0
    x, y = points.T
    axis.scatter(x[bad], y[bad], s=size, color=style.BAD, lw=0, zorder=1)
    good = np.array(colours)[modes[~bad]]
    axis.scatter(x[~bad], y[~bad], s=max(size, least), color=good, lw=0, zorder=1.5)


def _window(panels: Sequence[Panel]) -> tuple[Floats, float]:
    """Finds the middle and half the side of the square that shows centres and samples.

    Of several panels, what half of them need: one method that goes astray must not make all others
    small, and where its samples leave the window, that is seen.
    """
    centres = np.concatenate([panel.centres for panel in panels])
    middle = (centres.max(axis=0) + centres.min(axis=0)) / 2
    least = 1.25 * float(np.abs(centres - middle).max()) or 1.0
    return middle, float(
        np.median([style.reach(panel.generated - middle, least) for panel in panels])
    )


def _legend(figure: Figure, panels: Sequence[Panel], *, prior: bool) -> None:
    bad = Line2D([], [], marker="o", ls="", ms=5, mfc=style.BAD, mec="none")
    centre = Line2D([], [], marker="o", ls="", ms=CENTRE, mfc="none", mec="black", mew=0.8)
    circle = Line2D([], [], color=style.GUIDE, lw=0.8)
    radii = " or ".join(f"{3 * std:.3g}" for std in sorted({panel.std for panel in panels}))
    entries = {f"bad: over 3 std = {radii} from every centre": bad, "true centre": centre}
    if prior:
        entries["|z| = 1 and |z| = 2"] = circle
    style.finish(figure, entries)
