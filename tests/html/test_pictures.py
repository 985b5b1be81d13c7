"""Pictures inside of pages."""

import base64
import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from iidgan.html import encode_image, encode_plot
from tests.helpers.extractors import make_images


def decode_picture(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.mark.parametrize(("side", "kind"), [(28, "png"), (64, "jpeg"), (300, "jpeg")])
def test_pictures_are_reduced_and_small_ones_lossless(side, kind):
    image = torch.from_numpy(make_images(1, 3, side, side)[0])
    assert encode_image(image).startswith(f"data:image/{kind};base64,")


def test_plots_are_lossless_and_grids_of_images_reduced():
    figure = Figure(figsize=(4, 3))
    figure.add_subplot().plot([0, 1])
    plot = encode_plot("Losses", "", figure)
    assert plot.is_drawn
    assert decode_picture(plot.uri).size == (440, 330)  # 110 dots per inch
    grid = encode_plot("Samples", "", Image.fromarray(np.zeros((3000, 1500), np.uint8)))
    assert not grid.is_drawn
    assert decode_picture(grid.uri).size == (600, 1200)


def test_plot_keeps_its_colours():
    figure = Figure(figsize=(1, 1), facecolor="#0072b2")
    picture = decode_picture(encode_plot("", "", figure).uri).convert("RGB")
    assert picture.getpixel((50, 50)) == (0, 0x72, 0xB2)
