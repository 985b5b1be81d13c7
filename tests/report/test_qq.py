"""QQ plots."""

from dataclasses import replace

import numpy as np

from iidgan.report import (
    plot_qq,
)
from tests.helpers.report import get_titles, make_qq


def test_plot_qq_dimensions():
    figure = plot_qq([make_qq(), make_qq("IID-GAN", 64)])
    assert [len(axis.lines) for axis in figure.axes] == [3, 7]
    assert get_titles(figure) == ["GAN", "IID-GAN\n(6 of 64 dimensions)"]
    assert figure.axes[0].get_xlabel() == "quantile of N(0, 1)"
    item = make_qq()
    np.testing.assert_array_equal(figure.axes[0].lines[2].get_ydata(), item.ordered[:, 1])


def test_plot_qq_not_finite():
    item = make_qq()
    axis = plot_qq([replace(item, ordered=item.ordered * np.nan)]).axes[0]
    assert [text.get_text() for text in axis.texts] == ["no finite value"]
