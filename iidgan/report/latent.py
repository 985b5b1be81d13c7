"""Modes in latent space, and their shares of the generated samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
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
NOT_PLANAR = "not in the plane"
MAX_LABELLED_SLICES = 10
MAX_LEGEND_COLOURS = 4
CENTRE_SIZE = 8


@dataclass(frozen=True, kw_only=True)
class LatentPanel:
    """Latents, codes and samples of one method with K modes in the plane.

    Arguments:
        label: Name of the method.
        codes: F(x) of real data, with shape (n, 2), or None without an inverse or a 2D prior.
        code_modes: Modes of these x, with shape (n,).
        z: Samples of the prior, with shape (N, 2), or None if it has other dimensions.
        z_modes: Modes of G(z), with shape (N,); -1 for bad samples, which are in no mode.
        generated: G(z), with shape (N, 2).
        centres: True centres of the modes, with shape (K, 2).
        std: True standard deviation of each mode, NaN if they differ; good samples are within 3 of
            them.

    Raises:
        InputError: Shapes are inconsistent.

    Examples:
        >>> panel = LatentPanel(
        ...     label="GAN",
        ...     z_modes=np.array([0, 0, 2, -1]),
        ...     generated=np.zeros((4, 2)),
        ...     centres=np.zeros((3, 2)),
        ...     std=0.1,
        ... )
        >>> panel.counts.tolist(), panel.summary
        ([2, 0, 1], '2 of 3 modes, 25.0% bad')
    """

    label: str
    codes: Floats | None = None
    code_modes: Ints | None = None
    z: Floats | None = None
    z_modes: Ints
    generated: Floats
    centres: Floats
    std: float

    def __post_init__(self) -> None:
        _check_shape("centres", self.centres, max(len(self.centres), 1))
        if self.z is not None:
            _check_shape("z", self.z, len(self.z_modes))
        _check_shape("generated", self.generated, len(self.z_modes))
        code_modes = np.empty(0, int) if self.code_modes is None else self.code_modes
        if self.codes is not None:
            _check_shape("codes", self.codes, len(code_modes))
        max_mode = np.concatenate([[-1], self.z_modes, code_modes]).max()
        if max_mode >= len(self.centres):
            raise InputError(f"modes: must be < {len(self.centres)} centres, got {max_mode}")

    @property
    def counts(self) -> Ints:
        """Number of good samples in each mode, with shape (K,)."""
        return np.bincount(self.z_modes[self.z_modes >= 0], minlength=len(self.centres))

    @property
    def summary(self) -> str:
        """Text with the number of modes that have a good sample, and the share of bad samples."""
        counts, num_samples = self.counts, len(self.z_modes)
        bad_share = 1 - counts.sum() / num_samples if num_samples else float("nan")
        return f"{np.count_nonzero(counts)} of {len(counts)} modes, {_format_share(bad_share)} bad"


def _format_share(share: float) -> str:
    """Format a share in percent; only none and all of the samples are 0 and 100 %."""
    if 0 < share < 0.001:
        return "<0.1%"
    return ">99.9%" if 0.999 < share < 1 else f"{share:.1%}"


def plot_latent_panels(panels: Sequence[LatentPanel]) -> Figure:
    """Draw one row of four axes per method: codes, prior, samples and mode shares.

    Latent axes end at 3.5, or later if over 1 % of the points exceed it.

    Arguments:
        panels: The methods.

    Raises:
        InputError: There are no panels.
    """
    figure, axes = style.make_subplots(4 * len(panels), 4, width=2.5, height=2.7)
    for index, panel in enumerate(panels):
        codes_axis, prior_axis, samples_axis, shares_axis = axes[4 * index : 4 * index + 4]
        colours = style.get_mode_colours(len(panel.centres))
        style.label_axis(codes_axis, x="$z_1$")
        codes_axis.set_ylabel(
            f"{style.wrap_text(panel.label)}\n$z_2$", fontsize=style.MEDIUM, fontweight="bold"
        )
        style.label_axis(prior_axis, x="$z_1$", y="$z_2$")
        no_codes = "no inverse" if panel.z is not None else NOT_PLANAR
        _draw_latent(codes_axis, panel.codes, panel.code_modes, colours, no_codes)
        _draw_latent(prior_axis, panel.z, panel.z_modes, colours, NOT_PLANAR)
        _draw_generated(samples_axis, panel, _choose_window([panel]))
        _draw_shares(shares_axis, panel, colours)
    for axis, title in zip(axes, TITLES):
        axis.set_title(title, fontsize=style.MEDIUM)
    figure.align_ylabels(axes[::4])
    _add_legend(figure, panels, has_prior=True)
    return figure


def plot_generated(panels: Sequence[LatentPanel]) -> Figure:
    """Draw the generated samples of several methods side by side, in the same window.

    Arguments:
        panels: The methods.

    Raises:
        InputError: There are no panels.
    """
    figure, axes = style.make_subplots(len(panels), 4, width=2.5, height=2.8)
    window = _choose_window(panels)
    for axis, panel in zip(axes, panels):
        _draw_generated(axis, panel, window)
        style.label_axis(axis, title=f"{panel.label}\n{panel.summary}", x="$x_1$", y="$x_2$")
    _add_legend(figure, panels, has_prior=False)
    return figure


def _check_shape(name: str, points: Floats, num_points: int) -> None:
    if points.shape != (num_points, 2):
        raise InputError(f"{name}: expected shape ({num_points}, 2), got {points.shape}")


def _draw_latent(
    axis: Axes,
    z: Floats | None,
    modes: Ints | None,
    colours: Sequence[Colour],
    missing_note: str,
) -> None:
    if z is None or modes is None or not np.isfinite(z).any():
        axis.set_box_aspect(1)
        style.write_note(axis, missing_note if z is None else "no finite value")
        return
    axis_limit = style.symmetric_limit(z, 3.5)
    axis.set(xlim=(-axis_limit, axis_limit), ylim=(-axis_limit, axis_limit), aspect="equal")
    _scatter_modes(axis, z, modes, colours)
    for radius in (1, 2):
        axis.add_patch(Circle((0, 0), radius, fill=False, color=style.GUIDE, lw=0.8, zorder=3))


def _draw_generated(axis: Axes, panel: LatentPanel, window: tuple[Floats, float]) -> None:
    window_centre, half_side = window
    window_sides = np.array([-half_side, half_side])
    axis.set(
        xlim=window_centre[0] + window_sides, ylim=window_centre[1] + window_sides, aspect="equal"
    )
    style.label_axis(axis, x="$x_1$", y="$x_2$")
    _scatter_modes(
        axis,
        panel.generated,
        panel.z_modes,
        style.get_mode_colours(len(panel.centres)),
        min_size=10,
    )
    axis.plot(*panel.centres.T, "o", ms=CENTRE_SIZE, mfc="none", mec="black", mew=0.8)


def _draw_shares(axis: Axes, panel: LatentPanel, colours: Sequence[Colour]) -> None:
    style.label_axis(axis, x=panel.summary)
    axis.xaxis.labelpad = 10
    counts = panel.counts
    if not counts.any():
        axis.set_frame_on(False)
        style.write_note(axis, "no good sample")
        return
    shares = counts / counts.sum()
    has_labels = len(counts) <= MAX_LABELLED_SLICES
    axis.pie(
        shares,
        colors=colours,
        labels=[f"{share:.0%}" if has_labels and share >= 0.03 else "" for share in shares],
        labeldistance=1.22,
        startangle=90,
        textprops={"fontsize": style.SMALL, "ha": "center"},
        wedgeprops={"edgecolor": "white", "linewidth": 0.5},
    )


def _scatter_modes(
    axis: Axes, points: Floats, modes: Ints, colours: Sequence[Colour], *, min_size: float = 1.0
) -> None:
    """Draw bad points in grey below the others, which are drawn in random order."""
    point_size = float(np.clip(12_000 / max(len(points), 1), 1, 8))
    draw_order = np.random.default_rng(0).permutation(len(points))
    points, modes = points[draw_order], modes[draw_order]
    is_bad = modes < 0
    x, y = points.T
    axis.scatter(x[is_bad], y[is_bad], s=point_size, color=style.BAD, lw=0, zorder=1)
    good_colours = np.array(colours)[modes[~is_bad]]
    axis.scatter(
        x[~is_bad], y[~is_bad], s=max(point_size, min_size), color=good_colours, lw=0, zorder=1.5
    )


def _choose_window(panels: Sequence[LatentPanel]) -> tuple[Floats, float]:
    """Return the centre and half the side of a square that shows centres and samples."""
    centres = np.concatenate([panel.centres for panel in panels])
    window_centre = (centres.max(axis=0) + centres.min(axis=0)) / 2
    samples = [panel.generated for panel in panels]
    return window_centre, style.choose_window(window_centre, centres, samples)


def _add_legend(figure: Figure, panels: Sequence[LatentPanel], *, has_prior: bool) -> None:
    num_modes = max(len(panel.centres) for panel in panels)
    colours = style.get_mode_colours(num_modes)[:MAX_LEGEND_COLOURS]
    centre_marker = Line2D(
        [], [], marker="o", ls="", ms=CENTRE_SIZE, mfc="none", mec="black", mew=0.8
    )
    radii = [f"{3 * std:.3g}" for std in sorted({panel.std for panel in panels}) if std == std]
    radius_text = f" = {' or '.join(radii)}" if radii else ""
    entries: dict[str, Artist | tuple[Artist, ...]] = {
        "good: one colour for each mode": tuple(map(style.make_dot, colours)),
        f"bad: over 3 std{radius_text} from every centre": style.make_dot(style.BAD),
        "true centre": centre_marker,
    }
    if has_prior:
        entries["|z| = 1 and |z| = 2"] = Line2D([], [], color=style.GUIDE, lw=0.8)
    style.add_legend(figure, entries)
