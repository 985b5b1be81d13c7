"""Layout of all figures: nothing overlaps, and everything is legible and explained."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

from iidgan.report import (
    QQ,
    Series,
    make_image_grid,
    plot_curve_grid,
    plot_generated,
    plot_latent_panels,
    plot_points,
    plot_qq,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.report import end_seed, make_panel, make_qq, make_series

pytestmark = pytest.mark.slow


@cache
def latent_of_two():
    return plot_latent_panels([make_panel(), make_panel(label="GAN", inverse=False)])


LONG = "IID-GAN with the multi-dimensional p-norm distance, weight 10"


ALL_NAN = Series(label="GAN", steps=np.arange(4.0), values=np.full((3, 4), np.nan))


FIGURES = {
    "latent": latent_of_two,
    "latent of 25": lambda: plot_latent_panels([make_panel(25)]),
    "latent, scattered and bad": lambda: plot_latent_panels(
        [make_panel(spread=400.0, bad=1.0, label=LONG)]
    ),
    "generations": lambda: plot_generated([make_panel(label=f"method {i}") for i in range(5)]),
    "generations of one": lambda: plot_generated([make_panel(1, label=LONG)]),
    "curves": lambda: plot_curve_grid({"modes": [make_series(), make_series("IID-GAN", 12)]}),
    "curve of one seed": lambda: plot_curve_grid({"loss": [make_series(LONG, 1)]}, log=["loss"]),
    "curves of nothing": lambda: plot_curve_grid({"loss": [ALL_NAN]}, log=["loss"]),
    "curves of one step": lambda: plot_curve_grid({"loss": [make_series(steps=1)]}),
    "curve grid": lambda: plot_curve_grid(
        {
            "modes": [make_series(), end_seed(make_series("VEEGAN"), 0, 4)],
            "loss": [make_series()],
            "RKL": [ALL_NAN],
        },
        log=("loss",),
    ),
    "qq": lambda: plot_qq([make_qq(), make_qq(LONG, 64), make_qq("VAE", 1)]),
    "points": lambda: plot_points(np.random.randn(50, 2), np.random.randn(50, 2), title=LONG),
    "points alone": lambda: plot_points(np.random.randn(50, 2)),
    "qq of one": lambda: plot_qq([make_qq()]),
}


@pytest.fixture(scope="module", params=FIGURES)
def figure(request):
    return FIGURES[request.param]()


def own_texts(axis):
    return [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.texts]


def overlap(a, b):
    """Computes by how many pixels two boxes overlap in the direction in which they do least."""
    return min(min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0))


def test_layout_without_overlap_or_small_text(figure):
    figure.draw_without_rendering()
    outer = [part.get_tightbbox() for part in (*figure.axes, *figure.legends)]
    inside = figure.bbox.padded(1)
    assert all(inside.contains(box.x0, box.y0) for box in outer)
    assert all(inside.contains(box.x1, box.y1) for box in outer)
    assert all(overlap(a, b) < 1 for a, b in combinations(outer, 2))
    for axis in figure.axes:
        texts = [text.get_window_extent() for text in own_texts(axis) if text.get_text()]
        assert all(overlap(a, b) < 1 for a, b in combinations(texts, 2))
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    assert min(sizes) >= 8


def test_layout_has_one_legend(figure):
    assert len(figure.legends) == 1
    assert all(text.get_text() for text in figure.legends[0].get_texts())


@pytest.mark.parametrize(
    ("field", "create"),
    [
        ("items", lambda: plot_latent_panels([])),
        ("items", lambda: plot_generated([])),
        ("series", lambda: plot_curve_grid({"y": []})),
        ("items", lambda: plot_curve_grid({})),
        ("items", lambda: plot_qq([])),
        ("values", lambda: Series(label="", steps=np.arange(3), values=np.zeros((2, 4)))),
        ("ordered", lambda: QQ(label="", theoretical=np.arange(3), ordered=np.zeros((4, 2)))),
        ("images", lambda: make_image_grid(np.zeros((4, 2, 8, 8)))),
        ("columns", lambda: make_image_grid(np.zeros((4, 1, 8, 8)), 0)),
        ("scale", lambda: make_image_grid(np.zeros((4, 1, 8, 8)), scale=0)),
    ],
)
def test_figures_reject_invalid_input(field, create):
    with raises_input_error(field):
        create()
