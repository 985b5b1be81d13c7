"""Pictures of samples and plots for a page, as data that the page contains."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

PLOT_DPI = 110
PLOT_COLOURS = 128
"""Colours of a plot, which anti-aliased lines need; fewer bytes than true colours."""
MAX_GRID_SIDE = 1200
"""Pixels of the longer side of a grid of images; larger ones are reduced."""
MAX_SIDE = 96
"""Pixels of the longer side of a picture; larger images are reduced."""
MAX_LOSSLESS_SIDE = 40
"""Pixels of the longer side up to which pictures are stored as PNG."""
JPEG_QUALITY = 85


def encode_image(image: Tensor) -> str:
    """Encode an image as a `data:` URI: PNG, or JPEG if it is large.

    Arguments:
        image: uint8 with shape (C, H, W), C = 1 or 3.

    Examples:
        >>> import torch
        >>> encode_image(torch.zeros(1, 28, 28, dtype=torch.uint8))[:22]
        'data:image/png;base64,'
    """
    pixels: NDArray[np.uint8] = image.cpu().numpy()
    picture = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    is_small = max(picture.size) <= MAX_LOSSLESS_SIDE
    return _encode_picture(picture, "png" if is_small else "jpeg")


def _encode_picture(picture: Image.Image, kind: Literal["png", "jpeg"]) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind, optimize=True, quality=JPEG_QUALITY)  # PNG has no quality
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def encode_images(images: Tensor) -> Sequence[str]:
    """Encode images as `data:` URIs.

    Arguments:
        images: uint8 with shape (n, C, H, W), C = 1 or 3.
    """
    return [encode_image(image) for image in images]


@dataclass(frozen=True)
class Plot:
    """A plot or a grid of images on a page.

    Arguments:
        title: Its heading, which is also its text for those who cannot see it.
        text: What it shows, or empty.
        uri: The picture, as a `data:` URI.
        is_drawn: Whether it is a drawing on white paper, which a dark page may invert.
    """

    title: str
    text: str
    uri: str
    is_drawn: bool = True


def encode_plot(title: str, text: str, figure: Figure | Image.Image) -> Plot:
    """Encode a figure of Matplotlib as a plot, or an image of Pillow as a grid of images.

    Arguments:
        title: As in `Plot`.
        text: As in `Plot`.
        figure: The figure or image.
    """
    if isinstance(figure, Figure):
        return Plot(title, text, _encode_picture(_rasterise(figure), "png"))
    picture = figure.convert("RGB")
    picture.thumbnail((MAX_GRID_SIDE, MAX_GRID_SIDE))
    return Plot(title, text, _encode_picture(picture, "jpeg"), is_drawn=False)


def _rasterise(figure: Figure) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=PLOT_DPI)
    return Image.open(buffer).convert("RGB").quantize(PLOT_COLOURS)
