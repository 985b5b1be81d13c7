"""Curves over training."""

import numpy as np
import pytest

from iidgan.report import (
    Series,
    get_mode_colours,
    plot_curve_grid,
)
from tests.helpers.report import end_seed, make_series


def list_legend_texts(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_plot_curve_grid_mean_and_range():
    item = end_seed(make_series(), 1, 4)
    axis = plot_curve_grid({"modes": [item]}).axes[0]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("step", "modes")
    line, *seeds, cross = axis.lines
    others = np.delete(item.values, 1, axis=0)
    expected = np.concatenate([item.values[:, :4].mean(0), others[:, 4:].mean(0)])
    np.testing.assert_allclose(line.get_ydata(), expected)
    assert len(seeds) == 5
    assert list(cross.get_xdata()) == [1500.0]
    assert list(cross.get_ydata()) == [item.values[1, 3]]
    band = axis.collections[0].get_paths()[0].vertices
    at_end = band[band[:, 0] == 4000.0][:, 1]
    assert {at_end.min(), at_end.max()} == {others[:, -1].min(), others[:, -1].max()}


@pytest.mark.parametrize(
    ("seeds", "expected"), [((1,), 2), ((10,), 12), ((11,), 2), ((5, 5), 14), ((5, 6), 4)]
)
def test_plot_curve_grid_draws_few_seeds(seeds, expected):
    items = [make_series(f"method {i}", number) for i, number in enumerate(seeds)]
    assert len(plot_curve_grid({"y": items}).axes[0].lines) == expected


def test_plot_curve_grid_log_scale():
    scales = [
        plot_curve_grid({"loss": [make_series(start=start)]}, log=["loss"]).axes[0].get_yscale()
        for start in (0.5, -0.5)
    ]
    assert scales == ["log", "linear"]


def test_plot_curve_grid_colours():
    figure = plot_curve_grid({"a": [make_series("x"), make_series("y")], "b": [make_series("y")]})
    assert figure.axes[1].lines[0].get_color() == get_mode_colours(2)[1]
    assert list_legend_texts(figure)[:2] == ["x", "y"]


def test_plot_curve_grid_names_different_numbers_of_seeds():
    figure = plot_curve_grid({"a": [make_series("x", seeds=1), make_series("y", seeds=2)]})
    range_text = "mean, minimum and maximum over seeds"
    assert list_legend_texts(figure)[:3] == ["x, 1 seed", "y, 2 seeds", range_text]


def test_plot_curve_grid_single_point():
    series = Series(label="a", steps=np.array([4.0]), values=np.array([[1.0], [2.0]]))
    (axis,) = plot_curve_grid({"y": [series]}).axes
    assert axis.lines[0].get_marker() == "o"


def test_plot_curve_grid_single_finite_value():
    series = Series(label="a", steps=np.array([4.0, 8.0]), values=np.array([[1.0, np.nan]]))
    (axis,) = plot_curve_grid({"y": [series]}).axes
    assert axis.lines[0].get_marker() == "o"


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([make_series(seeds=1)], []),
        ([make_series(seeds=2)], ["mean, minimum and maximum over 2 seeds", "each seed"]),
        ([make_series(seeds=11)], ["mean, minimum and maximum over 11 seeds"]),
        ([end_seed(make_series(seeds=1), 0, 4)], ["a seed ends early"]),
    ],
)
def test_plot_curve_grid_explains_what_it_shows(series, expected):
    assert list_legend_texts(plot_curve_grid({"y": series}))[1:] == expected


@pytest.mark.parametrize(("value", "limits"), [(0.0, (-0.5, 0.5)), (8.0, (4.0, 12.0))])
def test_plot_curve_grid_of_constant(value, limits):
    series = Series(label="a", steps=np.arange(3.0), values=np.full((1, 3), value))
    assert plot_curve_grid({"y": [series]}).axes[0].get_ylim() == limits
