"""Pictures of samples for a page, as data that the page contains."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

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
    buffer = io.BytesIO()
    is_small = max(picture.size) <= MAX_LOSSLESS_SIDE
    if is_small:
        picture.save(buffer, "PNG", optimize=True)
    else:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    kind = "png" if is_small else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def encode_images(images: Tensor) -> Sequence[str]:
    """Encode images as `data:` URIs.

    Arguments:
        images: uint8 with shape (n, C, H, W), C = 1 or 3.
    """
    return [encode_image(image) for image in images]
