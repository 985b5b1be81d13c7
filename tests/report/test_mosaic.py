"""Images laid out in a grid."""

import numpy as np

from iidgan.report import Mosaic, plot_mosaics
from tests.helpers.errors import raises_input_error

NOISE = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 4, 4), np.uint8)


def test_mosaics_row_by_row():
    figure = plot_mosaics([Mosaic(label="a", images=NOISE)])
    (axis,) = figure.axes
    sheet = np.asarray(axis.get_images()[0].get_array())
    for row in range(2):
        for column in range(3):
            tile = sheet[2 + row * 6 : 6 + row * 6, 2 + column * 6 : 6 + column * 6]
            np.testing.assert_array_equal(tile.transpose(2, 0, 1), NOISE[row, column])
    assert not axis.get_xticks().size
    assert not axis.get_yticks().size


def test_mosaics_axis_labels():
    item = Mosaic(label="a", images=NOISE, x="x", y="y", at_x=(0.0, 0.5, 1.0), at_y=(1.0, 0.0))
    (axis,) = plot_mosaics([item]).axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("x", "y")
    labels = [tick.get_text() for tick in axis.get_xticklabels()]
    assert list(zip(axis.get_xticks(), labels)) == [(0, "0"), (1, "0.5"), (2, "1")]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["1", "0"]


def test_mosaic_refuses_other_shapes():
    with raises_input_error("images", (3, 3, 4, 4)):
        Mosaic(label="a", images=NOISE[0])
    with raises_input_error("at_x", 2, 3):
        Mosaic(label="a", images=NOISE, at_x=(1.0, 2.0))
    with raises_input_error():
        plot_mosaics([])
