"""TIFF files with one plane per colour, of which Pillow reads no more than 8 bits."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

# Tags of TIFF 6.0 (Adobe, 1992).
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLES_PER_PIXEL, _PLANAR_CONFIGURATION = 258, 262, 277, 284
_EXTRA_SAMPLES = 338
_WIDTH, _LENGTH, _COMPRESSION, _FILL_ORDER, _ORIENTATION = 256, 257, 259, 266, 274
_ROWS_PER_STRIP, _PREDICTOR, _TILE_WIDTH, _TILE_LENGTH = 278, 317, 322, 323
_COMMON_TAGS = (
    *(_WIDTH, _LENGTH, _COMPRESSION, _FILL_ORDER, _ORIENTATION),
    *(_ROWS_PER_STRIP, _PREDICTOR, _TILE_WIDTH, _TILE_LENGTH),
)
_PLANE_TAGS = (273, 279, 324, 325)  # offsets and sizes of strips and tiles, plane after plane
_BITS, _BLACK_IS_ZERO, _MULTIPLIED_BY_OPACITY, _CONTIGUOUS, _SEPARATE = 16, 1, 1, 1, 2
_LONG = 4  # type of a value
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_HEADER_BYTES = 8


def has_separate_planes(tags: Mapping[int, Any]) -> bool:
    """Return whether the tags of a TIFF tell of one plane per colour.

    Arguments:
        tags: Values of the tags by number.
    """
    return bool(tags.get(_PLANAR_CONFIGURATION) == _SEPARATE)


def split_planes(content: bytes, tags: Mapping[int, Any]) -> list[bytes]:
    """Split a TIFF with separate planes of 16 bits into files of grey values.

    Arguments:
        content: The file.
        tags: Its tags, by number.

    Returns:
        One file for each plane: the same bytes with another directory. Empty if the file has
        other bits, colours that are multiplied by their opacity, or the format beyond 4 GiB.
    """
    byte_order = _BYTE_ORDERS.get(content[:4])
    is_multiplied = _MULTIPLIED_BY_OPACITY in tags.get(_EXTRA_SAMPLES, ())
    if byte_order is None or is_multiplied or {*tags.get(_BITS_PER_SAMPLE, ())} != {_BITS}:
        return []
    num_planes = tags.get(_SAMPLES_PER_PIXEL, 1)
    common_tags = {
        **{tag: (tags[tag],) for tag in _COMMON_TAGS if tag in tags},
        _BITS_PER_SAMPLE: (_BITS,),
        _PHOTOMETRIC: (_BLACK_IS_ZERO,),
        _SAMPLES_PER_PIXEL: (1,),
        _PLANAR_CONFIGURATION: (_CONTIGUOUS,),
    }
    files = []
    for plane in range(num_planes):
        plane_tags = {
            tag: tags[tag][plane * size : (plane + 1) * size]
            for tag in _PLANE_TAGS
            if (size := len(tags.get(tag, ())) // num_planes)
        }
        files.append(_replace_directory(content, common_tags | plane_tags, byte_order))
    return files


def _replace_directory(
    content: bytes, tags: Mapping[int, tuple[int, ...]], byte_order: str
) -> bytes:
    """Append a directory of tags to a TIFF, and refer to it in the header."""
    padding = bytes(len(content) % 2)
    start = len(content) + len(padding)
    directory, values = struct.pack(f"{byte_order}H", len(tags)), b""
    values_start = start + len(directory) + 12 * len(tags) + 4
    for tag, numbers in sorted(tags.items()):
        value = struct.pack(f"{byte_order}{len(numbers)}I", *numbers)
        directory += struct.pack(f"{byte_order}HHI", tag, _LONG, len(numbers))
        if len(numbers) == 1:
            directory += value
        else:
            directory += struct.pack(f"{byte_order}I", values_start + len(values))
            values += value
    header = content[:4] + struct.pack(f"{byte_order}I", start)
    return header + content[_HEADER_BYTES:] + padding + directory + bytes(4) + values
