"""Decoding of image files of any format into 8-bit grey or RGB pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from iidgan.data.prepare.reader import Pixels, RawImage, SkippedImage
from iidgan.data.prepare.resize import ResizeRule

IMAGE_SUFFIXES = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif"),
        *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".avif"),
    }
)
# Raster formats that Pillow reads by itself: no file may start another program.
_PILLOW_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF")
DECODING_RULE = "transparent over white, the first frame, turned as EXIF says"


@dataclass
class ConvertedImages:
    """Some images of the data set.

    Arguments:
        pixels: Each image, of shape (1, H, W) if it is grey, else (3, H, W).
        labels: Their labels.
        skipped: Images that are left out.
        num_enlarged: Number of images that were smaller than the size of the data set.
    """

    pixels: list[Pixels] = field(default_factory=list)
    labels: list[int | str | None] = field(default_factory=list)
    skipped: list[SkippedImage] = field(default_factory=list)
    num_enlarged: int = 0


def convert_images(
    raw_images: Iterable[RawImage | SkippedImage], resize_rule: ResizeRule
) -> ConvertedImages:
    """Decode, crop and resize images; report those that cannot be read."""
    converted = ConvertedImages()
    for raw_image in raw_images:
        if isinstance(raw_image, SkippedImage):
            converted.skipped.append(raw_image)
            continue
        try:
            image = _decode_image(raw_image.content)
            pixels = np.asarray(resize_rule(image))
        except _RefusedError as refusal:
            converted.skipped.append(SkippedImage(raw_image.name, *refusal.args))
            continue
        converted.num_enlarged += resize_rule.is_enlarging(image)
        converted.pixels.append(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
        converted.labels.append(raw_image.label)
    return converted


def is_image_file(path: Path) -> bool:
    """Whether a file starts like an image, complete or not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.open(path, formats=_available_formats()).close()
    except (UnidentifiedImageError, Image.DecompressionBombError, ValueError, OSError):
        return False
    return True


class _RefusedError(Exception):
    """An image is skipped; the arguments are the reason and a detail."""


def _decode_image(content: bytes | Pixels) -> Image.Image:
    """Decode an image into mode L or RGB."""
    if not isinstance(content, bytes):
        return Image.fromarray(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_available_formats()) as image:
                is_32_bit = image.mode == "I" and image.format == "TIFF"  # else I has 16 bits
                return _to_grey_or_rgb(_apply_exif_orientation(image), is_32_bit)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _RefusedError("too many pixels", str(error)) from error
    except UnidentifiedImageError as error:
        raise _RefusedError("no image of a known format" if content else "empty file") from error
    except _RefusedError:
        raise
    except Exception as error:  # decoders of damaged files raise exceptions of any type
        raise _RefusedError("truncated or damaged", f"{type(error).__name__}: {error}") from error


@cache
def _available_formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _PILLOW_FORMATS if name in Image.OPEN)


def _apply_exif_orientation(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # damaged EXIF data do not affect the pixels
        return image


def _to_grey_or_rgb(image: Image.Image, is_32_bit: bool) -> Image.Image:
    """Remove transparency, palettes and depth: mode L, or RGB if there may be colours."""
    if image.mode.startswith("I"):
        return _to_eight_bits(image, is_32_bit)
    if image.mode == "F":
        raise _RefusedError("pixels are fractions", "mode F")
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if not image.has_transparency_data:
        return image if image.mode == mode else image.convert(mode)
    rgba_image = image.convert("RGBA")
    white = Image.new("RGBA", rgba_image.size, "white")
    return Image.alpha_composite(white, rgba_image).convert(mode)


def _to_eight_bits(image: Image.Image, is_32_bit: bool) -> Image.Image:
    """Scale 16-bit grey values to 8 bits; 32-bit values below 256 are 8-bit values already."""
    values = np.asarray(image)
    if values.size and not 0 <= values.min() <= values.max() < 1 << 16:
        raise _RefusedError("pixels of more than 16 bits", f"mode {image.mode}")
    shift = 0 if is_32_bit and values.max(initial=0) < 1 << 8 else 8
    return Image.fromarray((values >> shift).astype(np.uint8))
