"""Decoding of image files of any format into 8-bit grey or RGB pixels."""

from __future__ import annotations

import io
import math
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from iidgan.data.prepare.depth import PixelRange, PixelStatistics, UnknownRangeError
from iidgan.data.prepare.reader import Pixels, RawImage, SkippedImage
from iidgan.data.prepare.resize import ResizeRule
from iidgan.data.prepare.tiff_planes import has_separate_planes, split_planes

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
        num_deep: Number of images that had more than 8 bits.
    """

    pixels: list[Pixels] = field(default_factory=list)
    labels: list[int | str | None] = field(default_factory=list)
    skipped: list[SkippedImage] = field(default_factory=list)
    num_enlarged: int = 0
    num_deep: int = 0


def convert_images(
    raw_images: Iterable[RawImage | SkippedImage],
    resize_rule: ResizeRule,
    pixel_range: PixelRange | None = None,
) -> ConvertedImages:
    """Decode, crop and resize images; report those that cannot be read.

    Arguments:
        raw_images: Images to convert.
        resize_rule: How to crop and resize them.
        pixel_range: Range of images of more than 8 bits; None if it is not known.

    Raises:
        UnknownRangeError: An image has more than 8 bits, and there is no `pixel_range`.

    Examples:
        >>> images = [
        ...     RawImage("grey", np.zeros((6, 8), np.uint8)),
        ...     RawImage("colour", np.zeros((6, 8, 3), np.uint8)),
        ...     RawImage("text", b"no image"),
        ... ]
        >>> converted = convert_images(images, ResizeRule(size=4))
        >>> [pixels.shape for pixels in converted.pixels]
        [(1, 4, 4), (3, 4, 4)]
        >>> [skipped.name for skipped in converted.skipped]
        ['text']
    """
    converted = ConvertedImages()
    for raw_image in raw_images:
        if isinstance(raw_image, SkippedImage):
            converted.skipped.append(raw_image)
            continue
        try:
            decoded = _decode_image(raw_image.content)
            if isinstance(decoded, _DeepPixels):
                converted.num_deep += 1
                decoded = _to_grey_or_rgb(decoded.to_image(pixel_range))
        except _RefusedError as refusal:
            converted.skipped.append(SkippedImage(raw_image.name, *refusal.args))
            continue
        pixels = np.asarray(resize_rule(decoded))
        converted.num_enlarged += resize_rule.is_enlarging(decoded)
        converted.pixels.append(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
        converted.labels.append(raw_image.label)
    return converted


def measure_images(raw_images: Iterable[RawImage | SkippedImage]) -> PixelStatistics:
    """Find the extreme values of images of more than 8 bits, without decoding other images.

    Arguments:
        raw_images: Images to measure.

    Examples:
        >>> statistics = measure_images([RawImage("scan", np.array([[0, 3000]], np.uint16))])
        >>> statistics.choose_range()
        PixelRange(low=0, high=4095)
    """
    statistics = PixelStatistics()
    for raw_image in raw_images:
        statistics.num_images += 1
        if isinstance(raw_image, RawImage) and (deep := _decode_deep_pixels(raw_image.content)):
            statistics.add_values(deep.values)
    return statistics


def is_image_file(path: Path) -> bool:
    """Return whether a file starts like an image, complete or not.

    Arguments:
        path: The file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.open(path, formats=_available_formats()).close()
    except (UnidentifiedImageError, Image.DecompressionBombError, ValueError, OSError):
        return False
    return True


def read_image_size(content: bytes) -> tuple[int, int] | None:
    """Read the width and the height of an image, by its header alone.

    Arguments:
        content: Bytes of an image file.

    Returns:
        Both in pixels; None for a file that cannot be opened.
    """
    try:
        with _open_image(content) as image:
            return image.size
    except _RefusedError:
        return None


def has_colours(content: bytes | NDArray[Any]) -> bool:
    """Return whether an image is decoded into three channels, by its header alone.

    Arguments:
        content: Bytes of an image file, or pixels; False for a file that cannot be opened.
    """
    if not isinstance(content, bytes):
        return content.ndim == 3
    try:
        with _open_image(content) as image:
            return image.mode not in _GREY_MODES
    except _RefusedError:
        return False


class _RefusedError(Exception):
    """An image is skipped; the arguments are the reason and a detail."""


@dataclass(frozen=True)
class _DeepPixels:
    """Pixels of more than 8 bits, which are scaled with all others of the data set.

    Arguments:
        mode: Mode of the image of 8 bits: L, RGB or CMYK.
        values: Numbers of shape (H, W), or (H, W, channels).
        alpha: Opacity in 8 bits, of shape (H, W); None: opaque.
    """

    mode: str
    values: NDArray[Any]
    alpha: Pixels | None = None

    def __post_init__(self) -> None:
        if self.values.dtype.kind == "f" and not np.isfinite(self.values).all():
            raise _RefusedError("pixels that are not finite numbers")

    def to_image(self, pixel_range: PixelRange | None) -> Image.Image:
        """Scale the pixels to 8 bits."""
        if pixel_range is None:
            raise UnknownRangeError
        pixels = pixel_range.to_bytes(self.values)
        size = (pixels.shape[1], pixels.shape[0])
        image = Image.frombytes(self.mode, size, np.ascontiguousarray(pixels).tobytes())
        if self.alpha is not None:
            image.putalpha(Image.fromarray(self.alpha))
        return image


def _decode_image(content: bytes | NDArray[Any]) -> Image.Image | _DeepPixels:
    """Decode an image into mode L or RGB, or pixels of more than 8 bits."""
    if not isinstance(content, bytes):
        return _from_array(content)
    with _open_image(content) as image:
        if layout := _deep_layout(image, content):
            return _read_deep_pixels(image, content, layout)
        return _to_grey_or_rgb(_apply_exif_orientation(image))


def _decode_deep_pixels(content: bytes | NDArray[Any]) -> _DeepPixels | None:
    """Decode an image of more than 8 bits; None for other images, and those that are refused."""
    try:
        if not isinstance(content, bytes):
            decoded = _from_array(content)
            return decoded if isinstance(decoded, _DeepPixels) else None
        with _open_image(content) as image:
            layout = _deep_layout(image, content)
            return _read_deep_pixels(image, content, layout) if layout else None
    except _RefusedError:
        return None


def _from_array(values: NDArray[Any]) -> Image.Image | _DeepPixels:
    if values.dtype == np.uint8:
        return Image.fromarray(values)
    if values.dtype == np.bool_:
        return Image.fromarray(values.astype(np.uint8) * np.uint8(255))
    return _DeepPixels("L" if values.ndim == 2 else "RGB", values)


@contextmanager
def _open_image(content: bytes) -> Iterator[ImageFile.ImageFile]:
    """Open an image file without decoding it; the reason is given for one that is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_available_formats()) as image:
                yield image
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


_TIFF_BITS = 258
_COLOR_LAYOUT = re.compile("(RGB|RGBA|RGBX|CMYK);16[BLN]")
_MAX_PPM_VALUE = 65535  # of files in 16 bits; Pillow scales smaller ones as the file states
_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def _deep_layout(image: ImageFile.ImageFile, content: bytes) -> str:
    """Layout of the pixels in a file of more than 8 bits, as Pillow names it; empty for others."""
    if image.mode.startswith("I") or image.mode == "F":
        return image.mode
    if image.format == "JPEG2000":
        bits = _jpeg2000_bits(content)
        return f"JPEG 2000 of {bits} bits" if bits > 8 else ""
    arguments = image.tile[0].args if image.tile else None
    layout = str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)
    bits = max(getattr(image, "tag_v2", {}).get(_TIFF_BITS, (8,)))
    is_deep_ppm = image.format == "PPM" and arguments == (layout, _MAX_PPM_VALUE)
    return layout if ";16" in layout or bits > 8 or is_deep_ppm else ""


def _read_deep_pixels(image: ImageFile.ImageFile, content: bytes, layout: str) -> _DeepPixels:
    """Read all bits, also of colours, of which Pillow decodes the upper 8 bits only."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(_apply_exif_orientation(image))
        if image.format == "JPEG2000":  # Pillow moves fewer bits to the upper ones of 16
            values = values >> max(0, 16 - _jpeg2000_bits(content))
        return _DeepPixels("L", values, _transparent_color_alpha(image, values))
    if (image.format, image.mode, image.tile[0].codec_name) == ("PPM", "RGB", "ppm"):
        num_values = math.prod(image.size) * 3
        values = np.frombuffer(content, ">u2", num_values, image.tile[0].offset)
        return _DeepPixels("RGB", values.reshape(image.height, image.width, 3))
    if layout == "LA;16B":  # two channels of two bytes, read as four of one byte
        upper_grey, lower_grey, alpha, _ = np.moveaxis(_decode_as(image, "RGBA"), 2, 0)
        return _DeepPixels("L", _join_bytes(upper_grey, lower_grey), alpha)
    values = _read_deep_colors(image, content, layout)
    if image.mode == "RGBA":
        return _DeepPixels("RGB", values[..., :3], (values[..., 3] >> 8).astype(np.uint8))
    values = values[..., : len(image.mode)]
    return _DeepPixels(image.mode, values, _transparent_color_alpha(image, values))


def _read_deep_colors(
    image: ImageFile.ImageFile, content: bytes, layout: str
) -> NDArray[np.uint16]:
    """Read colours of 16 bits, of shape (H, W, channels): two bytes or one plane at a time."""
    tags = getattr(image, "tag_v2", {})
    if has_separate_planes(tags):
        if plane_files := split_planes(content, tags):
            return np.stack([_read_grey_values(plane) for plane in plane_files], 2)
    elif _COLOR_LAYOUT.fullmatch(layout):
        upper = np.asarray(_apply_exif_orientation(image))
        with _open_image(content) as same_image:
            lower = _decode_as(same_image, layout[:-1] + _OTHER_BYTE[layout[-1]])
        return _join_bytes(upper, lower)
    raise _RefusedError("colours of more than 8 bits in an unusual order", layout)


def _read_grey_values(content: bytes) -> NDArray[Any]:
    with _open_image(content) as image:
        return np.asarray(_apply_exif_orientation(image))


_CODESTREAM_START = b"\xff\x4f\xff\x51"
_NUM_COMPONENTS_OFFSET, _COMPONENT_BYTES = 40, 3


def _jpeg2000_bits(content: bytes) -> int:
    """Largest number of bits of a component of a JPEG 2000 image, which Pillow does not tell.

    References:
        ISO/IEC 15444-1, A.5.1: the segment SIZ.
    """
    start = content.find(_CODESTREAM_START) + _NUM_COMPONENTS_OFFSET
    num_components = int.from_bytes(content[start : start + 2], "big")
    depths = content[start + 2 : start + 2 + _COMPONENT_BYTES * num_components : _COMPONENT_BYTES]
    return max(((depth & 0x7F) + 1 for depth in depths), default=8)


def _transparent_color_alpha(image: Image.Image, values: NDArray[Any]) -> Pixels | None:
    """Opacity of an image with one transparent colour; None if it has none."""
    color = image.info.get("transparency")
    if not isinstance(color, int | tuple):
        return None
    is_transparent = (values == np.asarray(color)).reshape(*values.shape[:2], -1).all(2)
    return np.where(is_transparent, np.uint8(0), np.uint8(255))


def _decode_as(image: ImageFile.ImageFile, layout: str) -> Pixels:
    """Decode the bytes of a file in another layout than the file states."""
    image.tile = [
        tile._replace(args=(layout, *tile.args[1:]) if isinstance(tile.args, tuple) else layout)
        for tile in image.tile
    ]
    return np.asarray(_apply_exif_orientation(image))


def _join_bytes(upper: Pixels, lower: Pixels) -> NDArray[np.uint16]:
    return upper.astype(np.uint16) * np.uint16(256) + lower


_GREY_MODES = ("1", "L", "LA", "La")


def _to_grey_or_rgb(image: Image.Image) -> Image.Image:
    """Remove transparency and palettes: mode L, or RGB if there may be colours."""
    mode = "L" if image.mode in _GREY_MODES else "RGB"
    if not image.has_transparency_data:
        return image if image.mode == mode else image.convert(mode)
    rgba_image = image.convert("RGBA")
    white = Image.new("RGBA", rgba_image.size, "white")
    return Image.alpha_composite(white, rgba_image).convert(mode)
