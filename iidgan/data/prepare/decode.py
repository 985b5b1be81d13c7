"""Image files of any kind to pixels of one kind."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from iidgan.data.prepare.reader import Item, Pixels, Skip
from iidgan.data.prepare.resize import Rule

SUFFIXES = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif"),
        *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".avif"),
    }
)
# Raster formats that Pillow reads by itself: no file may start another program.
_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF")
COLOURS = "transparent over white, the first frame, turned as EXIF says"


@dataclass
class Converted:
    """Some images of the set.

    Arguments:
        pixels: Each image, with shape (1, H, W) where it is grey, else (3, H, W).
        labels: Their labels.
        skipped: Those that are left out.
        enlarged: How many were smaller than they are now.
    """

    pixels: list[Pixels] = field(default_factory=list)
    labels: list[int | str | None] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    enlarged: int = 0


def convert(items: Iterable[Item | Skip], rule: Rule) -> Converted:
    """Decodes, crops and resizes images; what cannot be read is told."""
    found = Converted()
    for item in items:
        if isinstance(item, Skip):
            found.skipped.append(item)
            continue
        try:
            image = _image(item.content)
            pixels = np.asarray(rule(image))
        except _RefusedError as refusal:
            found.skipped.append(Skip(item.name, *refusal.args))
            continue
        found.enlarged += rule.enlarges(image)
        found.pixels.append(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
        found.labels.append(item.label)
    return found


def is_image(path: Path) -> bool:
    """Tells by its head whether a file is an image, whole or not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.open(path, formats=_formats()).close()
    except (UnidentifiedImageError, Image.DecompressionBombError, ValueError, OSError):
        return False
    return True


class _RefusedError(Exception):
    """Carries the reason, and a detail."""


def _image(content: bytes | Pixels) -> Image.Image:
    """Makes an image in mode L or RGB."""
    if not isinstance(content, bytes):
        return Image.fromarray(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_formats()) as image:
                wide = image.mode == "I" and image.format == "TIFF"  # else I holds 16 bits
                return _plain(_turned(image), wide)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _RefusedError("too many pixels", str(error)) from error
    except UnidentifiedImageError as error:
        raise _RefusedError("no image of a known format" if content else "empty file") from error
    except _RefusedError:
        raise
    except Exception as error:  # decoders raise whatever a damaged file leads them to
        raise _RefusedError("truncated or damaged", f"{type(error).__name__}: {error}") from error


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _turned(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # damaged EXIF; the pixels are there
        return image


def _plain(image: Image.Image, wide: bool) -> Image.Image:
    """Takes away transparency, palettes and depth: mode L, or RGB where there may be colours."""
    if image.mode.startswith("I"):
        return _eight_bits(image, wide)
    if image.mode == "F":
        raise _RefusedError("pixels are fractions", "mode F")
    kind = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if not image.has_transparency_data:
        return image if image.mode == kind else image.convert(kind)
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert(kind)


def _eight_bits(image: Image.Image, wide: bool) -> Image.Image:
    """Scales 16-bit grey values to 8 bits; `wide` ones, of 32, may be 8-bit values as they are."""
    values = np.asarray(image)
    if values.size and not 0 <= values.min() <= values.max() < 1 << 16:
        raise _RefusedError("pixels of more than 16 bits", f"mode {image.mode}")
    shift = 0 if wide and values.max(initial=0) < 1 << 8 else 8
    return Image.fromarray((values >> shift).astype(np.uint8))
