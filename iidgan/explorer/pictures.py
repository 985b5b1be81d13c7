"""Pictures that are dropped on the page, as samples of a run, and generated images as bytes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from iidgan.data.prepare.decode import convert_images, measure_images, read_image_size
from iidgan.data.prepare.reader import RawImage
from iidgan.data.prepare.resize import ResizeRule
from iidgan.errors import InputError
from iidgan.utils.pixels import to_bytes

MAX_PIXELS = 2**25
"""Largest number of pixels of a picture."""


def read_picture(content: bytes, shape: tuple[int, ...]) -> Tensor:
    """Decode a picture, crop and resize it, and turn it grey for a run on grey images.

    Arguments:
        content: The image file.
        shape: Shape (C, H, W) of the images of the run.

    Returns:
        One image, uint8 (1, C, H, W).

    Raises:
        InputError: It is no image that can be decoded, or has too many pixels.
    """
    if size := read_image_size(content):
        width, height = size
        if width * height > MAX_PIXELS:
            raise InputError(
                f"picture: must have at most {MAX_PIXELS:,} pixels, got {width} x {height}; make "
                "it smaller"
            )
    rule = ResizeRule(size=(shape[1], shape[2]))
    raw_images = [RawImage("picture", content)]
    converted = convert_images(raw_images, rule, measure_images(raw_images).choose_range())
    for skipped in converted.skipped:
        raise InputError(f"picture: expected an image file, got {skipped.reason}")
    (pixels,) = converted.pixels
    if len(pixels) > shape[0]:
        pixels = np.asarray(Image.fromarray(pixels.transpose(1, 2, 0)).convert("L"))[None]
    return torch.tensor(pixels).expand(shape)[None]


def encode_values(samples: Tensor) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Encode samples as the page reads them.

    Arguments:
        samples: Images (n, C, H, W), uint8 or in [-1, 1], or points (n, d).

    Returns:
        Images, uint8 (n, H, W, C), in which numbers that are not finite are grey; or points,
        float32 (n, d).
    """
    if samples.dim() == 2:
        return samples.float().numpy()
    images = samples.permute(0, 2, 3, 1)
    return images.numpy() if images.dtype == torch.uint8 else to_bytes(images.nan_to_num().numpy())
