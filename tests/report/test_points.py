"""Points in the plane over the real ones."""

import numpy as np
import pytest

from iidgan.report import plot_points

REAL = np.array([[0.0, 0.0], [4.0, 2.0]])


def read_legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_plot_points_real_behind():
    figure = plot_points(np.repeat(REAL, 100, axis=0), REAL, title="run a")
    (axis,) = figure.axes
    real, generated = axis.collections
    assert np.array_equal(real.get_offsets(), REAL)
    assert real.get_sizes()[0] > 4 * generated.get_sizes()[0]  # so that a covered one is seen
    assert read_legend(figure) == ["real", "generated"]
    assert axis.get_title() == "run a"


def test_plot_points_alone():
    figure = plot_points(REAL)
    assert read_legend(figure) == ["generated"]
    assert len(figure.axes[0].collections) == 1


@pytest.mark.parametrize("share", [0.0, 0.005])
def test_plot_points_window_of_real_data(share):
    points = np.zeros((1000, 2))
    points[: int(share * 1000)] = 1e6
    axis = plot_points(points, REAL).axes[0]
    assert axis.get_xlim() == pytest.approx((-0.5, 4.5))
    assert axis.get_ylim() == pytest.approx((-1.5, 3.5))


@pytest.mark.parametrize("real", [None, REAL])
def test_plot_points_not_finite(real):
    points = np.full((5, 2), np.nan)
    assert np.isfinite(plot_points(points, real).axes[0].get_xlim()).all()
