"""Curves in the plane."""

import numpy as np

from iidgan.report import plot_mesh, plot_paths


def test_paths_draw_curves_with_their_starts():
    paths = np.stack([np.eye(2), np.eye(2) + 1])
    axis = plot_paths(paths, ["first", "second"]).axes[0]
    drawn = [line.get_xydata() for line in axis.lines]
    for path, curve, start in zip(paths, drawn[::2], drawn[1::2]):
        np.testing.assert_array_equal(curve, path)
        np.testing.assert_array_equal(start, path[:1])


def test_mesh_draws_rows_and_columns():
    mesh = np.arange(24.0).reshape(3, 4, 2)
    figure = plot_mesh(mesh, "radius", [0.0, 1.0, 2.0])
    drawn = [line.get_xydata() for line in figure.axes[0].lines]
    assert [len(line) for line in drawn] == [3] * 4 + [4] * 3
    np.testing.assert_array_equal(drawn[4], mesh[0])
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "radius = 0",
        "radius = 1",
        "radius = 2",
    ]


def test_legend_of_many_paths_leaves_room():
    names = [f"pair {row}" for row in range(200)]
    (legend,) = plot_paths(np.random.default_rng(0).normal(size=(200, 3, 2)), names).legends
    assert [text.get_text() for text in legend.get_texts()] == names[:30]
