"""Figures of latents, codes and samples."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from matplotlib.lines import Line2D

from iidgan.report import (
    LatentPanel,
    get_mode_colours,
    plot_generated,
    plot_latent_panels,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.report import get_titles, make_panel


@cache
def latent_of_two():
    return plot_latent_panels([make_panel(), make_panel(label="GAN", inverse=False)])


def test_plot_latent_panels_axes():
    figure = latent_of_two()
    assert len(figure.axes) == 8
    assert [title[:3] for title in get_titles(figure)[:4]] == ["(a)", "(b)", "(c)", "(d)"]
    assert figure.axes[0].get_ylabel().startswith("IID-GAN (M-D)")
    assert figure.axes[4].get_ylabel().startswith("GAN")
    assert [text.get_text() for text in figure.axes[4].texts] == ["no inverse"]
    assert figure.axes[0].get_xlim() == (-3.5, 3.5)


def test_plot_latent_panels_mode_shares():
    few = LatentPanel(
        label="GAN",
        z=np.zeros((5, 2)),
        z_modes=np.array([0, 0, 0, 2, -1]),
        generated=np.zeros((5, 2)),
        centres=np.eye(3, 2),
        std=0.1,
    )
    axis = plot_latent_panels([few]).axes[3]
    widths = [wedge.theta2 - wedge.theta1 for wedge in axis.patches]
    assert widths == pytest.approx([270, 0, 90])
    assert [text.get_text() for text in axis.texts if text.get_text()] == ["75%", "25%"]
    assert axis.get_xlabel() == few.summary == "2 of 3 modes, 20.0% bad"


def test_plot_latent_panels_colours():
    axis = latent_of_two().axes[1]
    bad, good = axis.collections
    assert bad.get_zorder() < good.get_zorder()
    item = make_panel()
    assert len(bad.get_offsets()) == (item.z_modes < 0).sum()
    colours = dict(zip(map(tuple, item.z), item.z_modes))
    for place, colour in zip(good.get_offsets(), good.get_facecolors()):
        assert tuple(colour[:3]) == get_mode_colours(8)[colours[tuple(place)]]


@pytest.mark.slow
def test_plot_latent_panels_slice_labels():
    assert not any(text.get_text() for text in plot_latent_panels([make_panel(40)]).axes[3].texts)
    none = plot_latent_panels([make_panel(bad=1.0)]).axes[3]
    assert [text.get_text() for text in none.texts] == ["no good sample"]


def test_plot_latent_panels_without_plane():
    panel = replace(make_panel(), z=None, codes=None, code_modes=None)
    codes, prior, *_ = plot_latent_panels([panel]).axes
    for axis in (codes, prior):
        assert [text.get_text() for text in axis.texts] == ["not in the plane"]
    assert len(plot_generated([panel]).axes) == 1


@pytest.mark.parametrize(
    ("num_bad", "text"),
    [(0, "0.0%"), (1, "<0.1%"), (1000, "10.0%"), (9999, ">99.9%"), (10_000, "100.0%")],
)
def test_latent_panel_summary_rounds_towards_truth(num_bad, text):
    z_modes = np.where(np.arange(10_000) < num_bad, -1, 0)
    points = np.zeros((10_000, 2))
    panel = LatentPanel(
        label="", z_modes=z_modes, generated=points, centres=np.zeros((1, 2)), std=0.1
    )
    assert panel.summary == f"{int(num_bad < 10_000)} of 1 modes, {text} bad"


@pytest.mark.parametrize("plot", [plot_generated, plot_latent_panels])
def test_plots_of_modes_explain_colours(plot):
    (legend,) = plot([make_panel(2)]).legends
    assert legend.get_texts()[0].get_text() == "good: one colour for each mode"
    colours = [line.get_markerfacecolor() for line in legend.findobj(Line2D)]
    assert all(colour in colours for colour in get_mode_colours(2))


def test_plot_generated_shares_window():
    far = make_panel()
    far = replace(far, generated=far.generated * 3, label="GAN")
    axes = plot_generated([make_panel(), far, far]).axes
    assert axes[0].get_xlim() == axes[1].get_xlim() == axes[0].get_ylim()
    assert axes[0].get_xlim()[1] >= 5.9
    assert axes[1].get_title() == f"GAN\n{far.summary}"


def test_plot_generated_ignores_diverged_method():
    astray = replace(make_panel(), generated=make_panel().generated * 30)
    alone = plot_generated([make_panel()]).axes[0].get_xlim()
    assert plot_generated([make_panel(), make_panel(), astray]).axes[0].get_xlim() == alone


def test_plot_latent_panels_not_finite():
    item = make_panel()
    lost = replace(item, codes=item.codes * np.nan, generated=item.generated * np.inf)
    codes = plot_latent_panels([lost]).axes[0]
    assert [text.get_text() for text in codes.texts] == ["no finite value"]


@pytest.mark.parametrize(
    ("field", "value", "error_field"),
    [
        ("z", np.zeros((3, 2)), "z"),
        ("generated", np.zeros((200, 3)), "generated"),
        ("centres", np.zeros((0, 2)), "centres"),
        ("code_modes", None, "codes"),
        ("centres", np.zeros((2, 2)), "modes"),
    ],
)
def test_latent_panel_rejects_shapes(field, value, error_field):
    with raises_input_error(error_field):
        replace(make_panel(), **{field: value})
